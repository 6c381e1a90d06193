/** Trusts (`/v3/OS-TRUST/trusts`). */
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { missing } from '../contract/errors.ts'
import { role } from '../contract/role.ts'
import { type TrustRequest, trustSchema } from '../contract/trust.ts'
import type { Parts } from '../logic/parts.ts'
import { type Trust, trustLogic } from '../logic/trust.ts'

const all = '/v3/OS-TRUST/trusts'
const one = `${all}/:trust_id`

export function trustOperations(parts: Parts): Operation[] {
  const logic = trustLogic(parts)
  const allowed = async (request: ApiRequest, rule: string): Promise<Trust> => {
    const id = request.params['trust_id']!
    const found = await logic.find(id)
    if (!found) throw missing('trust', id)
    request.context.enforce(`identity:${rule}`, { target: { trust: found.row } })
    return found
  }
  const roleIn = (trust: Trust, id: string) => {
    const found = trust.roles.find(each => each.id === id)
    if (!found) throw missing('role', id)
    return found
  }
  return [
    operation<TrustRequest>({
      method: 'POST',
      path: all,
      body: trustSchema,
      async handler(request) {
        const { trust } = request.body
        request.context.enforce('identity:create_trust', { target: { trust } })
        return reply(201, { trust: view(await logic.create(request.context, trust), request) })
      },
    }),
    operation({
      method: 'GET',
      path: all,
      async handler(request) {
        const by = enforceList(request)
        const found = await logic.list(by)
        return {
          trusts: found.map(row => summary(row, request)),
          links: { next: null, self: `${request.baseUrl}${request.path}`, previous: null },
        }
      },
    }),
    operation({
      method: 'GET',
      path: one,
      handler: async request => ({ trust: view(await allowed(request, 'get_trust'), request) }),
    }),
    operation({
      method: 'DELETE',
      path: one,
      async handler(request) {
        await logic.remove(request.context, (await allowed(request, 'delete_trust')).row.id)
        return undefined
      },
    }),
    operation({
      method: 'GET',
      path: `${one}/roles`,
      async handler(request) {
        const { roles } = await allowed(request, 'list_roles_for_trust')
        return {
          roles: roles.map(each => roleView(each, request)),
          links: { next: null, self: `${request.baseUrl}${request.path}`, previous: null },
        }
      },
    }),
    operation({
      method: 'GET',
      path: `${one}/roles/:role_id`,
      async handler(request) {
        const trust = await allowed(request, 'get_role_for_trust')
        return { role: roleView(roleIn(trust, request.params['role_id']!), request) }
      },
    }),
  ]
}

/** Everybody's trusts are for administrators; those that somebody gave or got, for that user. */
function enforceList({ query, context }: ApiRequest): { trustorId?: string; trusteeId?: string } {
  const named = (name: string) => [query[name]].flat().at(-1) || undefined
  const [trustorId, trusteeId] = [named('trustor_user_id'), named('trustee_user_id')]
  if (trustorId === undefined && trusteeId === undefined) context.enforce('identity:list_trusts')
  if (trustorId !== undefined)
    context.enforce('identity:list_trusts_for_trustor', { target: { trust: { trustor_user_id: trustorId } } })
  if (trusteeId !== undefined)
    context.enforce('identity:list_trusts_for_trustee', { target: { trust: { trustee_user_id: trusteeId } } })
  return { trustorId, trusteeId }
}

function summary(row: Trust['row'], request: ApiRequest): object {
  return {
    ...row,
    impersonation: row.impersonation === 1,
    expires_at: row.expires_at === null ? null : `${row.expires_at}Z`,
    deleted_at: null,
    links: { self: `${request.baseUrl}${all}/${row.id}` },
  }
}

function view({ row, roles }: Trust, request: ApiRequest): object {
  return {
    ...summary(row, request),
    roles: roles.map(each => roleView(each, request)),
    roles_links: { next: null, self: `${request.baseUrl}${all}/${row.id}/roles`, previous: null },
  }
}

const roleView = ({ id, name, domain_id }: Trust['roles'][number], request: ApiRequest) => ({
  id,
  name,
  domain_id,
  links: { self: `${request.baseUrl}${role.path}/${id}` },
})
