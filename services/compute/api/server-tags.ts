/** `/servers/{id}/tags` (since 2.26): words that servers can be found by. */
import { badRequest, notFound } from '@strata/toolkit/fault'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { stateRules } from '../contract/actions.ts'
import { invalidInput } from '../contract/errors.ts'
import { object, tagsSchema } from '../contract/server-requests.ts'
import type { Compute } from '../logic/compute.ts'
import { serverFor } from '../logic/server/access.ts'
import { requestChange } from '../logic/server/request-action.ts'
import { since } from '../versions/history.ts'

const path = '/v2.1/servers/:server_id/tags'
const rule = (verb: string) => `os_compute_api:os-server-tags:${verb}`
const idOf = (request: ApiRequest): string => request.params['server_id']!
const most = 50

export function serverTagOperations(compute: Compute): readonly Operation[] {
  const find = (request: ApiRequest, verb: string) =>
    serverFor(compute, request.context, { id: idOf(request), rule: rule(verb) })
  const set = <T>(
    request: ApiRequest,
    verb: string,
    change: (tags: readonly string[]) => { tags: readonly string[]; result: T },
  ): Promise<T> =>
    requestChange(compute, request.context, {
      id: idOf(request),
      rule: rule(verb),
      states: stateRules.updateTags,
      lockedToo: true,
      change: server => {
        const { tags, result } = change(server.tags)
        return { values: { tags }, result }
      },
    })
  const define = (definition: Operation) => operation({ ...definition, since: since.serverTags })
  return [
    define({
      method: 'GET',
      path,
      policy: rule('index'),
      handler: async request => ({ tags: (await find(request, 'index')).tags }),
    }),
    operation<{ readonly tags: readonly string[] }>({
      method: 'PUT',
      path,
      since: since.serverTags,
      policy: rule('update_all'),
      body: object({ tags: tagsSchema }, ['tags']),
      handler: request => {
        const tags = [...new Set(request.body.tags)]
        return set(request, 'update_all', () => ({ tags, result: { tags } }))
      },
    }),
    define({
      method: 'DELETE',
      path,
      policy: rule('delete_all'),
      handler: request => set(request, 'delete_all', () => ({ tags: [], result: reply(204) })),
    }),
    define({
      method: 'GET',
      path: `${path}/:tag`,
      policy: rule('show'),
      async handler(request) {
        const server = await find(request, 'show')
        mustHave(server.id, server.tags, request.params['tag']!)
        return reply(204)
      },
    }),
    define({
      method: 'PUT',
      path: `${path}/:tag`,
      policy: rule('update'),
      handler: request => {
        const tag = request.params['tag']!
        if (tag.length > 60 || /[,/]/.test(tag)) throw invalidInput('tag', `${tag} is too long or has a comma or slash`)
        return set(request, 'update', tags => {
          if (tags.includes(tag)) return { tags, result: reply(204) }
          if (tags.length >= most) throw badRequest(`The number of tags exceeded the per-server limit ${most}`)
          const location = `${request.baseUrl}/v2.1/servers/${idOf(request)}/tags/${encodeURIComponent(tag)}`
          return { tags: [...tags, tag], result: reply(201, undefined, { location }) }
        })
      },
    }),
    define({
      method: 'DELETE',
      path: `${path}/:tag`,
      policy: rule('delete'),
      handler: request => {
        const tag = request.params['tag']!
        return set(request, 'delete', tags => {
          mustHave(idOf(request), tags, tag)
          return { tags: tags.filter(other => other !== tag), result: reply(204) }
        })
      },
    }),
  ]
}

function mustHave(id: string, tags: readonly string[], tag: string): void {
  if (!tags.includes(tag)) throw notFound(`Server ${id} has no tag '${tag}'`)
}
