/** Server groups, and which servers are in them. */
import { repository } from '@strata/toolkit/resource'
import type { Kysely } from '@strata/toolkit/store'
import { type ServerGroup, serverGroup } from '../contract/server-group.ts'
import type { ComputeTables } from './database.ts'

type Db = Kysely<ComputeTables>

export const serverGroupRows = repository(serverGroup)

export const findServerGroup = (db: Db, id: string): Promise<ServerGroup | undefined> => serverGroupRows.find(db, id)

/** Ids of the servers of each of these groups, oldest first. */
export async function membersOf(db: Db, groupIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const members = new Map<string, string[]>(groupIds.map(id => [id, []]))
  if (groupIds.length === 0) return members
  const rows = await db
    .selectFrom('servers')
    .select(['id', 'server_group_id'])
    .where('server_group_id', 'in', groupIds)
    .orderBy('seq')
    .execute()
  for (const row of rows) members.get(row.server_group_id!)?.push(row.id)
  return members
}

/**
 * The group's servers that have a host, with the group held until the transaction ends: of two that ask at once, the second
 * sees what the first decided. Writing the row is what holds it, on every engine.
 */
export async function placedMembers(
  tx: Db,
  groupId: string,
): Promise<readonly { readonly id: string; readonly host: string | null }[]> {
  await tx
    .updateTable('server_groups')
    .set(eb => ({ name: eb.ref('name') }))
    .where('id', '=', groupId)
    .execute()
  return tx
    .selectFrom('servers')
    .select(['id', 'host'])
    .where('server_group_id', '=', groupId)
    .where('host', 'is not', null)
    .execute()
}

/** Its servers go on without it. */
export async function removeServerGroup(db: Db, id: string): Promise<void> {
  await db
    .updateTable('servers')
    .set(eb => ({ server_group_id: null, revision: eb('revision', '+', 1) }))
    .where('server_group_id', '=', id)
    .execute()
  await serverGroupRows.remove(db, id)
}
