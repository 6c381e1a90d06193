/** What a client may ask before it does anything: versions, schemas, ways to import, stores. */
import type { JsonSchema } from '@strata/toolkit/schema'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { baseAttributes } from '../contract/image.ts'
import { memberAttributes } from '../contract/member.ts'
import { taskAttributes } from '../contract/task.ts'
import type { ImageDeps } from '../logic/deps.ts'
import { IMPORT_METHODS } from '../logic/image/import.ts'

/** Minors of version 2 that are offered, newest first. 2.14 only stands for the cache API. */
const MINORS = [16, 15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]

export function discoveryOperations(deps: ImageDeps): readonly Operation[] {
  return [...versionOperations(), ...schemaOperations(deps), ...infoOperations(deps)]
}

function versionOperations(): readonly Operation[] {
  const versions = ({ baseUrl }: ApiRequest) => ({
    versions: MINORS.map((minor, at) => ({
      id: `v2.${minor}`,
      status: at === 0 ? 'CURRENT' : 'SUPPORTED',
      links: [{ rel: 'self', href: `${baseUrl}/v2/` }],
    })),
  })
  return [
    operation({ method: 'GET', path: '/', auth: 'none', handler: request => reply(300, versions(request)) }),
    operation({ method: 'GET', path: '/versions', auth: 'none', handler: request => reply(200, versions(request)) }),
  ]
}

function schemaOperations({ config }: ImageDeps): readonly Operation[] {
  const attributes = baseAttributes({ diskFormats: config.disk_formats, containerFormats: config.container_formats })
  const image = {
    name: 'image',
    properties: attributes,
    additionalProperties: { type: 'string' },
    links: [link('self', 'self'), link('enclosure', 'file'), link('describedby', 'schema')],
  }
  const member = { name: 'member', properties: memberAttributes }
  const task = { name: 'task', properties: taskAttributes }
  const schemas: Readonly<Record<string, JsonSchema>> = {
    image,
    images: pagesOf('images', image),
    member,
    members: collectionOf('members', member),
    task,
    tasks: collectionOf('tasks', task),
  }
  return Object.entries(schemas).map(([name, schema]) =>
    operation({ method: 'GET', path: `/v2/schemas/${name}`, handler: () => schema }),
  )
}

const link = (rel: string, attribute: string) => ({ rel, href: `{${attribute}}` })

const collectionOf = (name: string, items: JsonSchema): JsonSchema => ({
  name,
  properties: { [name]: { type: 'array', items }, schema: { type: 'string' } },
  links: [link('describedby', 'schema')],
})

const pagesOf = (name: string, items: JsonSchema): JsonSchema => ({
  name,
  properties: {
    [name]: { type: 'array', items },
    first: { type: 'string' },
    next: { type: 'string' },
    schema: { type: 'string' },
  },
  links: [link('first', 'first'), link('next', 'next'), link('describedby', 'schema')],
})

function infoOperations({ blobs }: ImageDeps): readonly Operation[] {
  const store = { id: blobs.id, description: blobs.description, default: 'true' }
  return [
    operation({
      method: 'GET',
      path: '/v2/info/import',
      handler: () => ({
        'import-methods': { description: 'Import methods available.', type: 'array', value: IMPORT_METHODS },
      }),
    }),
    ...['/v2/info/stores', '/v2/stores'].map(path =>
      operation({ method: 'GET', path, handler: () => ({ stores: [store] }) }),
    ),
    operation({
      method: 'GET',
      path: '/v2/info/stores/detail',
      policy: 'stores_info_detail',
      handler: () => ({ stores: [{ ...store, type: blobs.type, properties: blobs.details() }] }),
    }),
  ]
}
