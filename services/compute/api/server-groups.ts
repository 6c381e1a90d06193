/** Server groups: one policy and its rules since 2.64, a list of one policy before. */
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { type ServerGroupCreation, serverGroupCreation } from '../contract/server-group.ts'
import {
  createServerGroup,
  deleteServerGroup,
  type GroupWithMembers,
  needServerGroup,
  type ServerGroupDeps,
  serverGroups,
} from '../logic/server-group.ts'
import { pageParams, param, parameters, wholeParam } from './lists.ts'

const policy = (verb: string): string => `os_compute_api:os-server-groups:${verb}`

export function serverGroupOperations(deps: ServerGroupDeps): Operation[] {
  const path = '/v2.1/os-server-groups'
  return [
    operation({
      method: 'GET',
      path,
      policy: policy('index'),
      query: parameters(['all_projects', 'limit', 'offset']),
      async handler(request) {
        const { context } = request
        const all = param(request, 'all_projects') !== undefined && context.can(policy('index:all_projects'))
        const groups = await serverGroups(deps, {
          projectId: all ? undefined : context.projectId,
          offset: wholeParam(request, 'offset') ?? 0,
          limit: pageParams(request, deps.config.max_limit).limit,
        })
        return { server_groups: groups.map(group => view(request, group)) }
      },
    }),
    operation<{ server_group: ServerGroupCreation }>({
      method: 'POST',
      path,
      policy: policy('create'),
      body: serverGroupCreation,
      async handler(request) {
        const { projectId, userId } = request.context
        const group = await createServerGroup(deps, { projectId, userId }, request.body.server_group)
        return { server_group: view(request, group) }
      },
    }),
    operation({
      method: 'GET',
      path: `${path}/:id`,
      handler: async request => ({ server_group: view(request, await allowed(deps, request, 'show')) }),
    }),
    operation({
      method: 'DELETE',
      path: `${path}/:id`,
      async handler(request) {
        const { id } = await allowed(deps, request, 'delete')
        await deleteServerGroup(deps, id)
        return reply(204)
      },
    }),
  ]
}

async function allowed(deps: ServerGroupDeps, request: ApiRequest, verb: string): Promise<GroupWithMembers> {
  const group = await needServerGroup(deps, request.params['id']!)
  request.context.enforce(policy(verb), { project_id: group.project_id })
  return group
}

const view = ({ minor }: ApiRequest, group: GroupWithMembers): object => ({
  id: group.id,
  name: group.name,
  ...(minor >= 64 ? { policy: group.policy, rules: group.rules } : { policies: [group.policy], metadata: {} }),
  members: group.members,
  ...(minor >= 13 ? { project_id: group.project_id, user_id: group.user_id } : {}),
})
