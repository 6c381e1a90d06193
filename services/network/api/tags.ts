/** `…/{id}/tags`: reading and setting the tags of one resource, of whatever kind. */
import type { RequestContext } from '@strata/toolkit/context'
import type { Resource } from '@strata/toolkit/resource'
import type { Fields, Row } from '@strata/toolkit/schema'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { tagNotFound } from '../contract/faults.ts'
import type { NetworkDeps, Scene } from '../logic/deps.ts'
import { addTags, readTags, removeTag, replaceTags } from '../logic/tag.ts'

const body = {
  type: 'object',
  required: ['tags'],
  additionalProperties: false,
  properties: { tags: { type: 'array', uniqueItems: true, items: { type: 'string', minLength: 1, maxLength: 255 } } },
}

/**
 * The row, if the caller may know of it and `rule` lets them do this to it; else 404 or 403. For actions beside the plain
 * verbs.
 */
export type Find<F extends Fields> = (
  db: NetworkDeps['store']['db'],
  context: RequestContext,
  id: string,
  rule: string,
) => Promise<Row<F>>

export function tagOperations<F extends Fields>(
  { store }: NetworkDeps,
  resource: Resource<F>,
  find: Find<F>,
): Operation[] {
  const all = `${resource.path}/:id/tags`
  const one = `${all}/:tag`
  const rule = (verb: string) => `${verb}_${resource.name}:tags`
  const idOf = (request: ApiRequest) => request.params['id']!
  const read = async (request: ApiRequest) => {
    await find(store.db, request.context, idOf(request), rule('get'))
    return readTags(store.db, idOf(request))
  }
  const change = <T>(request: ApiRequest, verb: string, fn: (tx: Scene['tx'], id: string) => Promise<T>) =>
    store.transaction(async tx => {
      await find(tx, request.context, idOf(request), rule(verb))
      return fn(tx, idOf(request))
    })
  const sent = (request: ApiRequest) => (request.body as { tags: string[] }).tags
  return [
    operation({ method: 'GET', path: all, handler: async request => ({ tags: await read(request) }) }),
    operation({
      method: 'PUT',
      path: all,
      body,
      handler: async request => ({
        tags: await change(request, 'update', (tx, id) => replaceTags(tx, id, sent(request))),
      }),
    }),
    operation({
      method: 'POST',
      path: all,
      body,
      handler: async request =>
        reply(201, { tags: await change(request, 'create', (tx, id) => addTags(tx, id, sent(request))) }),
    }),
    operation({
      method: 'DELETE',
      path: all,
      async handler(request) {
        await change(request, 'delete', (tx, id) => replaceTags(tx, id, []))
        return reply(204)
      },
    }),
    operation({
      method: 'GET',
      path: one,
      async handler(request) {
        if (!(await read(request)).includes(request.params['tag']!)) throw tagNotFound(request.params['tag']!)
        return reply(204)
      },
    }),
    operation({
      method: 'PUT',
      path: one,
      async handler(request) {
        await change(request, 'update', (tx, id) => addTags(tx, id, [request.params['tag']!]))
        return reply(201)
      },
    }),
    operation({
      method: 'DELETE',
      path: one,
      async handler(request) {
        await change(request, 'delete', (tx, id) => removeTag(tx, id, request.params['tag']!))
        return reply(204)
      },
    }),
  ]
}
