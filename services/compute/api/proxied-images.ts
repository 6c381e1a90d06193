/**
 * Images as compute's own clients knew them before the image service had an API of its own: `/images`, up to version 2.35. A
 * *property* of an image is its metadata here.
 */
import { nova } from '@strata/toolkit/dialect'
import { badRequest, notFound } from '@strata/toolkit/fault'
import { toSeconds } from '@strata/toolkit/runtime'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { metadataSchema, object } from '../contract/server-requests.ts'
import type { Compute } from '../logic/compute.ts'
import type { ImageFilters, ProxiedImage } from '../logic/ports/proxies.ts'
import { pageParams, resourceLinks } from './lists.ts'

type Deps = Pick<Compute, 'proxies' | 'config'>
type Metadata = Readonly<Record<string, string>>

const path = '/v2.1/images'
const until = 35
const idOf = (request: ApiRequest): string => request.params['id']!
const metadataBody = object({ metadata: metadataSchema }, ['metadata'])

export function proxiedImageOperations({ proxies, config }: Deps): readonly Operation[] {
  const find = (request: ApiRequest) => proxies(request.context).image(idOf(request))
  const list = (view: (request: ApiRequest, image: ProxiedImage) => object) => async (request: ApiRequest) => {
    const { limit, marker } = pageParams(request, config.max_limit)
    const filters = filtersOf(request)
    const { images, more } = await proxies(request.context).images({ filters, limit, marker })
    const url = `${request.baseUrl}${request.path}`
    const links = nova.pageLinks('images', { url, query: request.query, next: more ? images.at(-1)?.id : undefined })
    return { images: images.map(image => view(request, image)), ...links }
  }
  return [
    operation({ method: 'GET', path, until, handler: list(brief) }),
    operation({ method: 'GET', path: `${path}/detail`, until, handler: list(detailed) }),
    operation({
      method: 'GET',
      path: `${path}/:id`,
      until,
      handler: async request => ({ image: detailed(request, await find(request)) }),
    }),
    operation({
      method: 'DELETE',
      path: `${path}/:id`,
      until,
      async handler(request) {
        await proxies(request.context).removeImage(idOf(request))
        return reply(204)
      },
    }),
    ...metadataOperations({ proxies, config }),
  ]
}

function metadataOperations({ proxies }: Deps): readonly Operation[] {
  const all = `${path}/:id/metadata`
  const item = `${all}/:key`
  const before = async (request: ApiRequest) => (await proxies(request.context).image(idOf(request))).properties
  const change = async (request: ApiRequest, properties: Readonly<Record<string, string | undefined>>) =>
    (await proxies(request.context).changeImage(idOf(request), properties)).properties
  const needItem = async (request: ApiRequest): Promise<Metadata> => {
    const key = request.params['key']!
    const value = (await before(request))[key]
    if (value === undefined) throw notFound('Metadata item was not found')
    return { [key]: value }
  }
  return [
    operation({ method: 'GET', path: all, until, handler: async request => ({ metadata: await before(request) }) }),
    operation<{ readonly metadata: Metadata }>({
      method: 'POST',
      path: all,
      until,
      body: metadataBody,
      handler: async request => ({ metadata: await change(request, request.body.metadata) }),
    }),
    operation<{ readonly metadata: Metadata }>({
      method: 'PUT',
      path: all,
      until,
      body: metadataBody,
      async handler(request) {
        const none = Object.fromEntries(Object.keys(await before(request)).map(key => [key, undefined]))
        return { metadata: await change(request, { ...none, ...request.body.metadata }) }
      },
    }),
    operation({ method: 'GET', path: item, until, handler: async request => ({ meta: await needItem(request) }) }),
    operation<{ readonly meta: Metadata }>({
      method: 'PUT',
      path: item,
      until,
      body: object({ meta: { ...metadataSchema, minProperties: 1, maxProperties: 1 } }, ['meta']),
      async handler(request) {
        if (!(request.params['key']! in request.body.meta)) throw badRequest('Request body and URI mismatch')
        await change(request, request.body.meta)
        return { meta: request.body.meta }
      },
    }),
    operation({
      method: 'DELETE',
      path: item,
      until,
      async handler(request) {
        const [key] = Object.keys(await needItem(request))
        await change(request, { [key!]: undefined })
        return reply(204)
      },
    }),
  ]
}

/** Statuses of this API, and those of the image service that they stand for. */
const statuses: Readonly<Record<string, readonly string[]>> = {
  ACTIVE: ['active'],
  SAVING: ['queued', 'saving'],
  ERROR: ['killed'],
  DELETED: ['deleted', 'pending_delete'],
}
const progress: Readonly<Record<string, number>> = { queued: 25, saving: 50, active: 100 }

const plainFilters: Readonly<Record<string, string>> = {
  name: 'name',
  minRam: 'min_ram',
  minDisk: 'min_disk',
  type: 'image_type',
}

/** Parameters that are no filters of this API are let pass. */
function filtersOf({ query }: ApiRequest): ImageFilters {
  const filters: Record<string, string> = {}
  for (const [name, given] of Object.entries(query)) {
    const value = Array.isArray(given) ? given.at(-1) : given
    if (value === undefined) continue
    const plain = plainFilters[name] ?? (name.startsWith('property-') ? name.slice('property-'.length) : undefined)
    if (plain !== undefined) filters[plain] = value
    if (name === 'status') filters['status'] = `in:${(statuses[value.toUpperCase()] ?? [value]).join(',')}`
    // A server is named by its id or by its address.
    if (name === 'server') filters['instance_uuid'] = value.split('/').at(-1)!
    if (name === 'changes-since') filters['updated_at'] = `gte:${value}`
  }
  return filters
}

const brief = (request: ApiRequest, { id, name }: ProxiedImage): object => ({
  id,
  name,
  links: [
    ...resourceLinks(request, 'images', id),
    {
      rel: 'alternate',
      type: 'application/vnd.openstack.image',
      href: `${request.baseUrl}/images/${encodeURIComponent(id)}`,
    },
  ],
})

function detailed(request: ApiRequest, image: ProxiedImage): object {
  const server = image.properties['instance_uuid']
  return {
    ...brief(request, image),
    status: Object.keys(statuses).find(status => statuses[status]!.includes(image.status)) ?? 'UNKNOWN',
    progress: progress[image.status] ?? 0,
    created: toSeconds(image.createdAt),
    updated: toSeconds(image.updatedAt),
    minDisk: image.minDisk,
    minRam: image.minRam,
    metadata: image.properties,
    'OS-EXT-IMG-SIZE:size': image.size,
    ...(server === undefined ? {} : { server: { id: server, links: resourceLinks(request, 'servers', server) } }),
  }
}
