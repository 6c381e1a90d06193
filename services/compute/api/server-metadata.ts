/** `/servers/{id}/metadata`: what a server's owner noted of it, which its guest can read. */
import { badRequest, notFound } from '@strata/toolkit/fault'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { stateRules } from '../contract/actions.ts'
import { metadataSchema, object } from '../contract/server-requests.ts'
import type { Compute } from '../logic/compute.ts'
import { checkMetadataItems } from '../logic/quota.ts'
import { serverFor } from '../logic/server/access.ts'
import { requestChange } from '../logic/server/request-action.ts'

type Metadata = Readonly<Record<string, string>>
const path = '/v2.1/servers/:server_id/metadata'
const rule = (verb: string) => `os_compute_api:server-metadata:${verb}`
const idOf = (request: ApiRequest): string => request.params['server_id']!
const metadataBody = object({ metadata: metadataSchema }, ['metadata'])

export function serverMetadataOperations(compute: Compute): readonly Operation[] {
  const show = (request: ApiRequest, verb: string) =>
    serverFor(compute, request.context, { id: idOf(request), rule: rule(verb) })
  const set = (request: ApiRequest, verb: string, next: (before: Metadata) => Metadata) =>
    setMetadata(compute, request, verb, next)
  return [
    operation({
      method: 'GET',
      path,
      policy: rule('index'),
      handler: async request => ({ metadata: (await show(request, 'index')).metadata }),
    }),
    operation<{ readonly metadata: Metadata }>({
      method: 'POST',
      path,
      policy: rule('create'),
      body: metadataBody,
      handler: async request => ({
        metadata: await set(request, 'create', before => ({ ...before, ...request.body.metadata })),
      }),
    }),
    operation<{ readonly metadata: Metadata }>({
      method: 'PUT',
      path,
      policy: rule('update_all'),
      body: metadataBody,
      handler: async request => ({ metadata: await set(request, 'update_all', () => request.body.metadata) }),
    }),
    operation({
      method: 'GET',
      path: `${path}/:key`,
      policy: rule('show'),
      async handler(request) {
        const { metadata } = await show(request, 'show')
        const key = request.params['key']!
        return { meta: { [key]: itemOf(metadata, key) } }
      },
    }),
    operation<{ readonly meta: Metadata }>({
      method: 'PUT',
      path: `${path}/:key`,
      policy: rule('update'),
      body: object({ meta: { ...metadataSchema, minProperties: 1, maxProperties: 1 } }, ['meta']),
      async handler(request) {
        const { meta } = request.body
        if (!Object.hasOwn(meta, request.params['key']!)) throw badRequest('Request body and URI mismatch')
        await set(request, 'update', before => ({ ...before, ...meta }))
        return { meta }
      },
    }),
    operation({
      method: 'DELETE',
      path: `${path}/:key`,
      policy: rule('delete'),
      async handler(request) {
        const key = request.params['key']!
        await set(request, 'delete', before => {
          itemOf(before, key)
          return Object.fromEntries(Object.entries(before).filter(([name]) => name !== key))
        })
        return reply(204)
      },
    }),
  ]
}

function itemOf(metadata: Metadata, key: string): string {
  const value = Object.hasOwn(metadata, key) ? metadata[key] : undefined
  if (value === undefined) throw notFound('Metadata item was not found')
  return value
}

async function setMetadata(
  compute: Compute,
  request: ApiRequest,
  verb: string,
  next: (before: Metadata) => Metadata,
): Promise<Metadata> {
  const about = { id: idOf(request), rule: rule(verb) }
  const { project_id: projectId, metadata } = await serverFor(compute, request.context, about)
  const count = Object.keys(next(metadata)).length
  await checkMetadataItems(compute.store.db, compute.config, { projectId }, count)
  return requestChange(compute, request.context, {
    ...about,
    states: verb === 'delete' ? stateRules.deleteMetadata : stateRules.updateMetadata,
    change: server => {
      const after = next(server.metadata)
      return { values: { metadata: after }, result: after }
    },
  })
}
