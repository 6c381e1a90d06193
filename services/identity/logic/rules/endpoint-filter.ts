/** Which endpoints a project's catalog has. Pure, over all that was said of endpoints and groups. */
import type { EndpointFilters } from '../../contract/endpoint-group.ts'

export interface Filterable {
  readonly id: string
  readonly service_id: string
  readonly region_id: string | null
  readonly interface: string
}

export interface FilterSource<E extends Filterable = Filterable> {
  readonly endpoints: readonly E[]
  readonly groups: readonly { readonly id: string; readonly filters: EndpointFilters }[]
  readonly ofProjects: readonly { readonly project_id: string; readonly endpoint_id: string }[]
  readonly groupsOfProjects: readonly { readonly project_id: string; readonly endpoint_group_id: string }[]
}

/** Those of a group. */
export function matching<E extends Filterable>(endpoints: readonly E[], filters: EndpointFilters): E[] {
  const wanted = Object.entries(filters) as [keyof EndpointFilters, string][]
  return endpoints.filter(endpoint => wanted.every(([name, value]) => endpoint[name] === value))
}

/** Those that a project was given, one by one or by groups; undefined when it was given neither, and so has all. */
export function givenEndpoints<E extends Filterable>(source: FilterSource<E>, projectId: string): E[] | undefined {
  const own = source.ofProjects.filter(row => row.project_id === projectId).map(row => row.endpoint_id)
  const groupIds = source.groupsOfProjects.filter(row => row.project_id === projectId).map(row => row.endpoint_group_id)
  if (own.length === 0 && groupIds.length === 0) return undefined
  const ids = new Set(own)
  for (const group of source.groups)
    if (groupIds.includes(group.id)) for (const one of matching(source.endpoints, group.filters)) ids.add(one.id)
  return source.endpoints.filter(endpoint => ids.has(endpoint.id))
}
