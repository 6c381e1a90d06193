/** All that was said of endpoint groups and projects, with the endpoints that it is about. */
import type { EndpointFilters } from '../contract/endpoint-group.ts'
import { allEndpointGroups, projectEndpointGroups, projectEndpoints } from '../store/endpoint-filter.ts'
import type { Db } from '../store/tables.ts'
import type { Filterable, FilterSource } from './rules/endpoint-filter.ts'

export async function filterSource<E extends Filterable>(db: Db, endpoints: readonly E[]): Promise<FilterSource<E>> {
  const groups = await allEndpointGroups(db)
  return {
    endpoints,
    groups: groups.map(({ id, filters }) => ({ id, filters: JSON.parse(filters) as EndpointFilters })),
    ofProjects: await projectEndpoints(db),
    groupsOfProjects: await projectEndpointGroups(db),
  }
}
