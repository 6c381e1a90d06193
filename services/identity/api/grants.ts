/** Roles of users and groups on projects, domains and the system; also those that the projects below inherit. */
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { role } from '../contract/role.ts'
import { type Grant, grantLogic } from '../logic/assignment/grants.ts'
import type { Parts } from '../logic/parts.ts'
import { collection } from './view.ts'

type Logic = ReturnType<typeof grantLogic>

/** One family of paths: who, on what, and the names of its policy rules. */
interface Family {
  readonly path: string
  readonly suffix?: string
  grant(params: Readonly<Record<string, string>>): Grant
  readonly rules: { readonly list: string; readonly check: string; readonly add: string; readonly remove: string }
}

export function grantOperations(parts: Parts): Operation[] {
  const logic = grantLogic(parts)
  return families().flatMap(family => operationsOf(family, logic))
}

function families(): Family[] {
  const actors = ['user', 'group'] as const
  const rules = {
    list: 'identity:list_grants',
    check: 'identity:check_grant',
    add: 'identity:create_grant',
    remove: 'identity:revoke_grant',
  }
  const onTargets = (['project', 'domain'] as const).flatMap(target =>
    actors.flatMap(actor =>
      [false, true].map(
        (inherited): Family => ({
          path: `/v3${inherited ? '/OS-INHERIT' : ''}/${target}s/:target_id/${actor}s/:actor_id/roles`,
          suffix: inherited ? '/inherited_to_projects' : '',
          grant: params => ({
            actor: { type: actor, id: params['actor_id']! },
            target: { type: target, id: params['target_id']! },
            inherited,
          }),
          rules,
        }),
      ),
    ),
  )
  const onSystem = actors.map(
    (actor): Family => ({
      path: `/v3/system/${actor}s/:actor_id/roles`,
      grant: params => ({
        actor: { type: actor, id: params['actor_id']! },
        target: { type: 'system', id: 'all' },
        inherited: false,
      }),
      rules: {
        list: `identity:list_system_grants_for_${actor}`,
        check: `identity:check_system_grant_for_${actor}`,
        add: `identity:create_system_grant_for_${actor}`,
        remove: `identity:revoke_system_grant_for_${actor}`,
      },
    }),
  )
  return [...onTargets, ...onSystem]
}

function operationsOf(family: Family, logic: Logic): Operation[] {
  const { rules, suffix = '' } = family
  const allowed = async (request: ApiRequest, rule: string, actorMayBeGone = false) => {
    const grant = family.grant(request.params)
    const { facts, refuseMissing } = await logic.about(grant, request.params['role_id'])
    request.context.enforce(rule, { target: facts })
    refuseMissing(actorMayBeGone)
    return grant
  }
  const one = `${family.path}/:role_id${suffix}`
  const change = (method: 'PUT' | 'DELETE', rule: string, act: (grant: Grant, roleId: string) => Promise<void>) =>
    operation({
      method,
      path: one,
      async handler(request) {
        await act(await allowed(request, rule, method === 'DELETE'), request.params['role_id']!)
        return reply(204)
      },
    })
  return [
    operation({
      method: 'GET',
      path: `${family.path}${suffix}`,
      async handler(request) {
        const roles = await logic.roles(await allowed(request, rules.list))
        return collection(role, roles.map(shownRole), request)
      },
    }),
    operation({
      method: 'GET',
      path: one,
      async handler(request) {
        await logic.check(await allowed(request, rules.check), request.params['role_id']!)
        return reply(204)
      },
    }),
    change('PUT', rules.add, logic.add),
    change('DELETE', rules.remove, logic.remove),
  ]
}

const shownRole = ({ name_scope: _, ...row }: { name_scope: string; options: string; extra: string | null }) => ({
  ...row,
  options: JSON.parse(row.options),
  extra: JSON.parse(row.extra ?? '{}'),
})
