/** Servers as the report of use wants them. */
import type { Kysely } from '@strata/toolkit/store'
import type { ComputeTables, FlavorCopy } from './database.ts'
import { readFlavor } from './servers.ts'

export interface LaunchedServer {
  readonly id: string
  readonly name: string
  readonly project_id: string
  readonly vm_state: string
  readonly launched_at: string
  readonly flavor: FlavorCopy
}

/**
 * Servers that were launched before `until`, in the order in which they were made, from the one after `after`. Undefined
 * when there is no such server to begin after.
 */
export async function launchedServers(
  db: Kysely<ComputeTables>,
  query: {
    readonly projectId: string | undefined
    readonly until: string
    readonly after: string | undefined
    readonly limit: number
  },
): Promise<readonly LaunchedServer[] | undefined> {
  let select = db
    .selectFrom('servers')
    .select(['id', 'name', 'project_id', 'vm_state', 'launched_at', 'flavor'])
    .where('launched_at', '<', query.until)
  if (query.projectId !== undefined) select = select.where('project_id', '=', query.projectId)
  if (query.after !== undefined) {
    const marker = await db.selectFrom('servers').select('seq').where('id', '=', query.after).executeTakeFirst()
    if (!marker) return undefined
    select = select.where('seq', '>', marker.seq)
  }
  const rows = await select.orderBy('seq').limit(query.limit).execute()
  return rows.map(row => ({ ...row, launched_at: row.launched_at!, flavor: readFlavor(row.flavor) }))
}
