/** Which projects have which endpoints and groups of endpoints (`/v3/OS-EP-FILTER`). */
import { type ApiRequest, type Method, type Operation, operation, type Reply, reply } from '@strata/toolkit/service'
import { endpoint } from '../contract/catalog.ts'
import { endpointGroup } from '../contract/endpoint-group.ts'
import { project } from '../contract/project.ts'
import { endpointFilterLogic } from '../logic/endpoint-filter.ts'
import type { Parts } from '../logic/parts.ts'
import { collection, member } from './view.ts'

const root = '/v3/OS-EP-FILTER'
const groupInProject = `${endpointGroup.path}/:group_id/projects/:project_id`
const endpointInProject = `${root}/projects/:project_id/endpoints/:endpoint_id`

interface Ids {
  readonly project_id: string
  readonly endpoint_id: string
  readonly group_id: string
}

export function endpointFilterOperations(parts: Parts): Operation[] {
  const logic = endpointFilterLogic(parts)
  const one = (
    method: Method,
    path: string,
    rule: string,
    handler: (ids: Ids, request: ApiRequest) => Promise<object>,
  ) =>
    operation({
      method,
      path,
      policy: `identity:${rule}`,
      // Each path has those of the ids that its handler asks for.
      handler: request => handler(request.params as unknown as Ids, request),
    })
  const done = async (work: Promise<unknown>): Promise<Reply> => {
    await work
    return reply(204)
  }
  return [
    one('GET', `${root}/projects/:project_id/endpoints`, 'list_endpoints_for_project', async (ids, request) =>
      collection(endpoint, await logic.endpointsOfProject(ids.project_id), request),
    ),
    one('GET', `${root}/endpoints/:endpoint_id/projects`, 'list_projects_for_endpoint', async (ids, request) =>
      collection(project, await logic.projectsOfEndpoint(ids.endpoint_id), request),
    ),
    one(
      'GET',
      `${root}/projects/:project_id/endpoint_groups`,
      'list_endpoint_groups_for_project',
      async (ids, request) => collection(endpointGroup, await logic.groupsOfProject(ids.project_id), request),
    ),
    one(
      'GET',
      `${endpointGroup.path}/:group_id/endpoints`,
      'list_endpoints_associated_with_endpoint_group',
      async (ids, request) => collection(endpoint, await logic.endpointsOfGroup(ids.group_id), request),
    ),
    one(
      'GET',
      `${endpointGroup.path}/:group_id/projects`,
      'list_projects_associated_with_endpoint_group',
      async (ids, request) => collection(project, await logic.projectsOfGroup(ids.group_id), request),
    ),
    one('GET', endpointInProject, 'check_endpoint_in_project', ids =>
      done(logic.checkEndpoint(ids.project_id, ids.endpoint_id)),
    ),
    one('PUT', endpointInProject, 'add_endpoint_to_project', ids =>
      done(logic.addEndpoint(ids.project_id, ids.endpoint_id)),
    ),
    one('DELETE', endpointInProject, 'remove_endpoint_from_project', ids =>
      done(logic.removeEndpoint(ids.project_id, ids.endpoint_id)),
    ),
    one('GET', groupInProject, 'get_endpoint_group_in_project', async (ids, request) => ({
      endpoint_group: member(endpointGroup, await logic.checkGroup(ids.project_id, ids.group_id), request),
    })),
    one('PUT', groupInProject, 'add_endpoint_group_to_project', ids =>
      done(logic.addGroup(ids.project_id, ids.group_id)),
    ),
    one('DELETE', groupInProject, 'remove_endpoint_group_from_project', ids =>
      done(logic.removeGroup(ids.project_id, ids.group_id)),
    ),
  ]
}
