/** Listing servers: the parsed query, applied by the database as far as it can, and by us for patterns and addresses. */
import type { RequestContext } from '@strata/toolkit/context'
import { badRequest } from '@strata/toolkit/fault'
import type { Nic } from '../../contract/nic.ts'
import { statesOf } from '../../contract/states.ts'
import type { ServersTable } from '../../store/database.ts'
import { findRow, type ListFilter, type ListPage, listServers, scanServers } from '../../store/server-list.ts'
import type { Server } from '../../store/servers.ts'
import type { Compute } from '../compute.ts'
import { parseServerQuery, projectOf, type Query, type ServerQuery } from '../rules/server-filters.ts'

export interface ServerPage {
  readonly servers: readonly Server[]
  /** There are more after the last one. */
  readonly more: boolean
}

const nothing: ServerPage = { servers: [], more: false }
const statusTasks = ['REBOOT', 'HARD_REBOOT', 'REBUILD'].flatMap(status => statesOf(status)?.taskStates ?? [])

/** `verb` is the policy's word for the list: `index` or `detail`. */
export async function listFor(
  compute: Compute,
  context: RequestContext,
  request: { readonly query: Query; readonly minor: number; readonly verb: 'index' | 'detail' },
): Promise<ServerPage> {
  const query = parseServerQuery(request.query, {
    minor: request.minor,
    allFilters: context.can('os_compute_api:servers:allow_all_filters'),
    admin: context.can('context_is_admin'),
    maxLimit: compute.config.max_limit,
  })
  if (query.allProjects) context.enforce(`os_compute_api:servers:${request.verb}:get_all_tenants`)
  const projectId = query.allProjects ? projectOf(request.query) : context.projectId
  if (query.empty || query.limit === 0) return nothing
  const after = query.marker === undefined ? undefined : await markerRow(compute, query.marker, projectId)
  const filter = filterOf(query, projectId)
  const page: ListPage = { sort: query.sort, after, limit: query.limit + 1 }
  const late = lateFilter(query)
  const found = late
    ? await listLate(compute, { filter, page, late, limit: query.limit + 1 })
    : await listServers(compute.store.db, filter, page)
  return { servers: found.length > query.limit ? found.slice(0, query.limit) : found, more: found.length > query.limit }
}

async function markerRow(compute: Compute, id: string, projectId: string | undefined): Promise<ServersTable> {
  const row = await findRow(compute.store.db, id)
  if (!row || (projectId !== undefined && row.project_id !== projectId)) throw badRequest(`marker [${id}] not found`)
  return row
}

function filterOf(query: ServerQuery, projectId: string | undefined): ListFilter {
  return {
    projectId,
    in: query.columns.flatMap(one => ('in' in one ? [{ column: one.column, values: one.in }] : [])),
    contains: query.columns.flatMap(one => ('contains' in one ? [{ column: one.column, text: one.contains }] : [])),
    status: query.status,
    statusTasks,
    tags: query.tags,
    changedSince: query.changedSince,
    changedBefore: query.changedBefore,
  }
}

interface LateFilter {
  readonly columns: readonly (keyof ServersTable & string)[]
  accepts(row: Partial<ServersTable>): boolean
}

/** What the database cannot apply; undefined when that is nothing. */
function lateFilter(query: ServerQuery): LateFilter | undefined {
  const patterns = query.columns.flatMap(one => ('matches' in one ? [one] : []))
  if (patterns.length === 0 && query.ip.length === 0) return undefined
  return {
    columns: ['id', 'nics', ...new Set(patterns.map(one => one.column))],
    accepts(row) {
      if (!patterns.every(one => one.matches(String(row[one.column] ?? '')))) return false
      if (query.ip.length === 0) return true
      const addresses = (JSON.parse(row.nics ?? '[]') as Nic[]).flatMap(nic => [
        ...nic.fixed_ips.map(ip => ip.ip_address),
        ...nic.floating_ips.map(ip => ip.floating_ip_address),
      ])
      return query.ip.every(({ version, matches }) =>
        addresses.some(address => (address.includes(':') ? 6 : 4) === version && matches(address)),
      )
    },
  }
}

async function listLate(
  { store }: Compute,
  { filter, page, late, limit }: { filter: ListFilter; page: ListPage; late: LateFilter; limit: number },
): Promise<readonly Server[]> {
  const rows = await scanServers(store.db, filter, { ...page, limit: undefined, columns: late.columns })
  const ids: string[] = []
  for (const row of rows) {
    if (ids.length >= limit) break
    if (late.accepts(row)) ids.push(row.id as string)
  }
  if (ids.length === 0) return []
  const only: ListFilter = { in: [{ column: 'id', values: ids }], contains: [], statusTasks, tags: [] }
  return listServers(store.db, only, { sort: page.sort })
}
