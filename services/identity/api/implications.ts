/** Which role implies which (`/v3/roles/{id}/implies`, `/v3/role_inferences`). */
import { notFound } from '@strata/toolkit/fault'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { role } from '../contract/role.ts'
import type { Parts } from '../logic/parts.ts'
import { implicationLogic } from '../logic/role.ts'

interface Shown {
  readonly id: string
  readonly name: string
}

export function implicationOperations(parts: Parts): Operation[] {
  const logic = implicationLogic(parts)
  const show = ({ id, name }: Shown, request: ApiRequest) => ({
    id,
    name,
    links: { self: `${request.baseUrl}${role.path}/${id}` },
  })
  const both = async (request: ApiRequest, rule: string) => {
    request.context.enforce(rule)
    const prior = await logic.roleOf(request.params['id']!)
    return { prior, implied: await logic.roleOf(request.params['implied_id']!) }
  }
  const mustImply = async ({ prior, implied }: Awaited<ReturnType<typeof both>>) => {
    const inference = await logic.impliedBy(prior.id)
    if (!inference.implied.some(one => one.id === implied.id))
      throw notFound(`${prior.id} does not imply ${implied.id}.`, 'ImpliedRoleNotFound')
  }
  const one = '/v3/roles/:id/implies/:implied_id'
  const view = ({ prior, implied }: Awaited<ReturnType<typeof both>>, request: ApiRequest) => ({
    role_inference: { prior_role: show(prior, request), implies: show(implied, request) },
    links: { self: `${request.baseUrl}${request.path}` },
  })
  return [
    operation({
      method: 'GET',
      path: '/v3/role_inferences',
      policy: 'identity:list_role_inference_rules',
      handler: async request => ({
        role_inferences: (await logic.inferences()).map(({ prior, implied }) => ({
          prior_role: show(prior, request),
          implies: implied.map(each => show(each, request)),
        })),
      }),
    }),
    operation({
      method: 'GET',
      path: '/v3/roles/:id/implies',
      policy: 'identity:list_implied_roles',
      async handler(request) {
        const { prior, implied } = await logic.impliedBy(request.params['id']!)
        return {
          role_inference: { prior_role: show(prior, request), implies: implied.map(each => show(each, request)) },
          links: { self: `${request.baseUrl}${request.path}` },
        }
      },
    }),
    operation({
      method: 'GET',
      path: one,
      async handler(request) {
        const pair = await both(request, 'identity:get_implied_role')
        await mustImply(pair)
        return view(pair, request)
      },
    }),
    operation({
      method: 'HEAD',
      path: one,
      async handler(request) {
        await mustImply(await both(request, 'identity:check_implied_role'))
        return reply(204)
      },
    }),
    operation({
      method: 'PUT',
      path: one,
      async handler(request) {
        const pair = await both(request, 'identity:create_implied_role')
        await logic.add(pair.prior, pair.implied)
        return reply(201, view(pair, request))
      },
    }),
    operation({
      method: 'DELETE',
      path: one,
      async handler(request) {
        const pair = await both(request, 'identity:delete_implied_role')
        await mustImply(pair)
        await logic.remove(pair.prior, pair.implied)
        return reply(204)
      },
    }),
  ]
}
