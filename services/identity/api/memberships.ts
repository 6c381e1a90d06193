/** Who is in which group, and the projects and groups of a user. */
import { pageOf, parsePaging } from '@strata/toolkit/resource'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { dialect, missing } from '../contract/errors.ts'
import { group } from '../contract/group.ts'
import { project } from '../contract/project.ts'
import { user } from '../contract/user.ts'
import { reachableProjects } from '../logic/assignment/reachable.ts'
import { membershipLogic } from '../logic/group.ts'
import { type Parts, validityOf } from '../logic/parts.ts'
import { readExpiryFilter } from '../logic/rules/expiry-filter.ts'
import { collection } from './view.ts'

export function membershipOperations(parts: Parts): Operation[] {
  const logic = membershipLogic(parts)
  const ids = ({ params }: ApiRequest) => ({ userId: params['user_id'] ?? '', groupId: params['group_id'] ?? '' })
  const allowed = async (request: ApiRequest, rule: string, needs: readonly ('user' | 'group')[]) => {
    const { userId, groupId } = ids(request)
    const found = await logic.find(userId, groupId)
    request.context.enforce(rule, { user_id: userId, target: found })
    if (needs.includes('user') && !found.user) throw missing('user', userId)
    if (needs.includes('group') && !found.group) throw missing('group', groupId)
    return { userId, groupId }
  }
  const member = '/v3/groups/:group_id/users/:user_id'
  const refuseStranger = async (userId: string, groupId: string) => {
    if (!(await logic.has(userId, groupId))) throw missing('user', userId)
  }
  return [
    operation({
      method: 'GET',
      path: '/v3/groups/:group_id/users',
      async handler(request) {
        const { groupId } = await allowed(request, 'identity:list_users_in_group', ['group'])
        const expires = [request.query['password_expires_at']].flat().at(-1)
        // Memberships reach across domains: of other domains, whoever is there for one learns nothing.
        const { domainId } = request.context
        const filter = expires === undefined ? undefined : readExpiryFilter(expires)
        const { limit = parts.config.max_list_limit, marker } = parsePaging(request.query)
        const most = Math.min(limit, parts.config.max_list_limit)
        const page = await logic.members(groupId, { expiry: filter, domainId, marker, limit: most })
        return {
          ...collection(user, page.shown, request),
          ...dialect.pageLinks('users', pageOf(request, { next: page.next })),
        }
      },
    }),
    operation({
      method: 'GET',
      path: '/v3/users/:user_id/groups',
      async handler(request) {
        const { userId } = await allowed(request, 'identity:list_groups_for_user', ['user'])
        return collection(group, await logic.groupsOf(userId, request.context.domainId), request)
      },
    }),
    operation({
      method: 'GET',
      path: '/v3/users/:user_id/projects',
      async handler(request) {
        const { userId } = await allowed(request, 'identity:list_user_projects', ['user'])
        return collection(
          project,
          await reachableProjects(parts.store.db, userId, { validity: validityOf(parts) }),
          request,
        )
      },
    }),
    operation({
      method: 'PUT',
      path: member,
      async handler(request) {
        const { userId, groupId } = await allowed(request, 'identity:add_user_to_group', ['user', 'group'])
        await logic.add(userId, groupId)
        return reply(204)
      },
    }),
    operation({
      method: 'GET',
      path: member,
      async handler(request) {
        const { userId, groupId } = await allowed(request, 'identity:check_user_in_group', ['user', 'group'])
        await refuseStranger(userId, groupId)
        return reply(204)
      },
    }),
    operation({
      method: 'DELETE',
      path: member,
      async handler(request) {
        const { userId, groupId } = await allowed(request, 'identity:remove_user_from_group', ['user', 'group'])
        await refuseStranger(userId, groupId)
        await logic.remove(userId, groupId)
        return reply(204)
      },
    }),
  ]
}
