/** The record of what was asked of servers and how it went (`os-instance-actions`). It outlives the servers. */
import { isoTime, type Runtime } from '@strata/toolkit/runtime'
import type { Kysely } from '@strata/toolkit/store'
import type { ComputeTables, InstanceActionsTable } from './database.ts'

export interface ActionEvent {
  readonly event: string
  readonly start_time: string
  readonly finish_time: string | null
  readonly result: 'Success' | 'Error' | null
  /** What went wrong, for administrators. */
  readonly details: string | null
  readonly host: string | null
}

export type InstanceAction = Readonly<Omit<InstanceActionsTable, 'events'>> & {
  readonly events: readonly ActionEvent[]
}

type Db = Kysely<ComputeTables>

/** Writes that something was asked for. Returns the id to finish it by. */
export async function beginAction(
  db: Db,
  runtime: Runtime,
  about: {
    readonly serverId: string
    readonly action: string
    readonly requestId: string
    readonly userId: string
    readonly projectId: string
  },
): Promise<string> {
  const now = isoTime(runtime.now())
  const id = runtime.uuid()
  await db
    .insertInto('instance_actions')
    .values({
      id,
      server_id: about.serverId,
      action: about.action,
      request_id: about.requestId,
      user_id: about.userId,
      project_id: about.projectId,
      start_time: now,
      updated_at: now,
      message: null,
      events: '[]',
    })
    .execute()
  return id
}

/** Writes how it went; a second time changes nothing. */
export async function finishAction(
  db: Db,
  runtime: Runtime,
  id: string,
  outcome: { readonly event: string; readonly host: string | null; readonly error?: string },
): Promise<void> {
  const row = await db
    .selectFrom('instance_actions')
    .select(['start_time', 'events'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (row?.events !== '[]') return
  const now = isoTime(runtime.now())
  const event: ActionEvent = {
    event: outcome.event,
    start_time: row.start_time,
    finish_time: now,
    result: outcome.error === undefined ? 'Success' : 'Error',
    details: outcome.error ?? null,
    host: outcome.host,
  }
  await db
    .updateTable('instance_actions')
    .set({ events: JSON.stringify([event]), updated_at: now, message: outcome.error === undefined ? null : 'Error' })
    .where('id', '=', id)
    .execute()
}

/** Newest first. */
export async function actionsOf(db: Db, serverId: string): Promise<readonly InstanceAction[]> {
  const rows = await db
    .selectFrom('instance_actions')
    .selectAll()
    .where('server_id', '=', serverId)
    .orderBy('start_time', 'desc')
    .orderBy('id')
    .execute()
  return rows.map(row => ({ ...row, events: JSON.parse(row.events) }))
}
