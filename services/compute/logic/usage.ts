/** The report of what projects have used. It knows the servers that there are: what was deleted has left its table. */
import { badRequest } from '@strata/toolkit/fault'
import { isoTime } from '@strata/toolkit/runtime'
import { launchedServers } from '../store/usage.ts'
import type { Compute } from './compute.ts'
import { type Period, type ProjectUsage, type UsedServer, usageByProject } from './rules/usage.ts'

export type { Period, ProjectUsage, ServerUsage } from './rules/usage.ts'
export type UsageDeps = Pick<Compute, 'store' | 'runtime' | 'config'>

export interface UsageReport {
  readonly projects: readonly ProjectUsage[]
  /** Id of the last server on this page, where there is a next one. */
  readonly next: string | undefined
}

/** A page of `limit` servers. Throws a 400 for a marker that is not there. */
export async function usage(
  { store }: UsageDeps,
  query: {
    readonly projectId: string | undefined
    readonly period: Period
    readonly limit: number
    readonly marker: string | undefined
  },
): Promise<UsageReport> {
  const found = await launchedServers(store.db, {
    projectId: query.projectId,
    until: isoTime(query.period.end),
    after: query.marker,
    limit: query.limit + 1,
  })
  if (!found) throw badRequest(`Marker ${query.marker} could not be found.`, 'MarkerNotFound')
  const page = found.slice(0, query.limit).map(
    (row): UsedServer => ({
      id: row.id,
      name: row.name,
      projectId: row.project_id,
      state: row.vm_state,
      flavor: { ...row.flavor, disk: row.flavor.disk + row.flavor.ephemeral },
      launchedAt: Date.parse(row.launched_at),
    }),
  )
  return {
    projects: usageByProject(page, query.period),
    next: found.length > query.limit ? page.at(-1)?.id : undefined,
  }
}
