/** Hosts, each the compute service and the hypervisor in one. Their rows are made by the reconciler of hosts. */
import type { Kysely } from '@strata/toolkit/store'
import type { ComputeTables, HostsTable } from './database.ts'
import { readFlavor } from './servers.ts'

type Db = Kysely<ComputeTables>
export type HostRow = Readonly<HostsTable>

/** In the order in which they came. */
export const listHostRows = (db: Db): Promise<readonly HostRow[]> =>
  db.selectFrom('hosts').selectAll().orderBy('number').execute()

export interface PlacedServer {
  readonly id: string
  readonly name: string
  readonly projectId: string
  readonly host: string
  readonly vcpus: number
  readonly ram: number
  readonly disk: number
  readonly busy: boolean
}

/** All servers that are on a host. Sizes in MiB and GiB; `disk` is root and ephemeral together. */
export async function placedServers(db: Db): Promise<readonly PlacedServer[]> {
  const rows = await db
    .selectFrom('servers')
    .select(['id', 'name', 'project_id', 'host', 'flavor', 'task_state'])
    .where('host', 'is not', null)
    .orderBy('seq')
    .execute()
  return rows.map(({ id, name, project_id, host, flavor, task_state }) => {
    const { vcpus, ram, disk, ephemeral } = readFlavor(flavor)
    const size = { vcpus, ram, disk: disk + ephemeral }
    return { id, name, projectId: project_id, host: host!, ...size, busy: task_state !== null }
  })
}

export async function changeHost(
  db: Db,
  id: string,
  change: Partial<Pick<HostsTable, 'disabled' | 'disabled_reason' | 'forced_down' | 'updated_at'>>,
): Promise<void> {
  await db.updateTable('hosts').set(change).where('id', '=', id).execute()
}

export async function removeHostRow(db: Db, id: string): Promise<void> {
  await db.deleteFrom('hosts').where('id', '=', id).execute()
}
