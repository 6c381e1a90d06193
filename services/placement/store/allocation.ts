/** Rows of consumers and of what they hold, and the sums over them. */
import type { Db } from '@strata/toolkit/store'
import type { Tables } from './tables.ts'

export type ConsumerRow = Tables['consumer']
export type AllocationRow = Tables['allocation']

export const findConsumer = (db: Db<Tables>, uuid: string): Promise<ConsumerRow | undefined> =>
  db.selectFrom('consumer').selectAll().where('uuid', '=', uuid).executeTakeFirst()

export const findConsumers = (db: Db<Tables>, uuids: readonly string[]): Promise<ConsumerRow[]> =>
  uuids.length === 0 ? Promise.resolve([]) : db.selectFrom('consumer').selectAll().where('uuid', 'in', uuids).execute()

export async function insertConsumer(db: Db<Tables>, row: ConsumerRow): Promise<void> {
  await db.insertInto('consumer').values(row).execute()
}

/** Writes a consumer over the generation that was read; false when somebody else was faster. */
export async function replaceConsumer(db: Db<Tables>, row: ConsumerRow, seen: number): Promise<boolean> {
  const { uuid, ...values } = row
  const { numUpdatedRows } = await db
    .updateTable('consumer')
    .set(values)
    .where('uuid', '=', uuid)
    .where('generation', '=', seen)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

export async function deleteConsumers(db: Db<Tables>, uuids: readonly string[]): Promise<void> {
  if (uuids.length > 0) await db.deleteFrom('consumer').where('uuid', 'in', uuids).execute()
}

export interface HeldRow extends AllocationRow {
  readonly generation: number
}

/** What a consumer holds, with the providers' generations. */
export const listOfConsumer = (db: Db<Tables>, consumer: string): Promise<HeldRow[]> =>
  db
    .selectFrom('allocation')
    .innerJoin('resource_provider', 'resource_provider.uuid', 'allocation.provider_uuid')
    .selectAll('allocation')
    .select('resource_provider.generation')
    .where('consumer_uuid', '=', consumer)
    .orderBy('provider_uuid')
    .orderBy('resource_class')
    .execute()

/** Who holds what of a provider, with the consumers' generations. */
export const listOfProvider = (db: Db<Tables>, provider: string): Promise<HeldRow[]> =>
  db
    .selectFrom('allocation')
    .innerJoin('consumer', 'consumer.uuid', 'allocation.consumer_uuid')
    .selectAll('allocation')
    .select('consumer.generation')
    .where('provider_uuid', '=', provider)
    .orderBy('consumer_uuid')
    .orderBy('resource_class')
    .execute()

export const listOfConsumers = (db: Db<Tables>, consumers: readonly string[]): Promise<AllocationRow[]> =>
  consumers.length === 0
    ? Promise.resolve([])
    : db.selectFrom('allocation').selectAll().where('consumer_uuid', 'in', consumers).execute()

export async function insertAllocations(db: Db<Tables>, rows: readonly AllocationRow[]): Promise<void> {
  if (rows.length > 0) await db.insertInto('allocation').values(rows).execute()
}

export async function deleteAllocations(db: Db<Tables>, consumers: readonly string[]): Promise<void> {
  if (consumers.length > 0) await db.deleteFrom('allocation').where('consumer_uuid', 'in', consumers).execute()
}

export async function hasAllocations(db: Db<Tables>, provider: string): Promise<boolean> {
  const found = await db
    .selectFrom('allocation')
    .select('used')
    .where('provider_uuid', '=', provider)
    .limit(1)
    .execute()
  return found.length > 0
}

export interface OwnerFilter {
  readonly project: string
  readonly user?: string
  /** A type, or null for consumers that never told one; unset for all. */
  readonly type?: string | null
}

const owned = (db: Db<Tables>, { project, user, type }: OwnerFilter) => {
  let query = db
    .selectFrom('allocation')
    .innerJoin('consumer', 'consumer.uuid', 'allocation.consumer_uuid')
    .where('project_id', '=', project)
  if (user !== undefined) query = query.where('user_id', '=', user)
  if (type === null) query = query.where('type', 'is', null)
  else if (type !== undefined) query = query.where('type', '=', type)
  return query
}

export interface OwnedSum {
  readonly type: string | null
  readonly resource_class: string
  readonly used: number
}

/** Sums by consumer type and class. */
export async function sumOwned(db: Db<Tables>, filter: OwnerFilter): Promise<OwnedSum[]> {
  const rows = await owned(db, filter)
    .select(eb => ['type', 'resource_class', eb.fn.sum<number>('used').as('used')])
    .groupBy(['type', 'resource_class'])
    .orderBy('resource_class')
    .execute()
  return rows.map(row => ({ ...row, used: Number(row.used) }))
}

/** How many consumers hold something, by type. */
export async function countOwners(
  db: Db<Tables>,
  filter: OwnerFilter,
): Promise<readonly { type: string | null; consumers: number }[]> {
  const rows = await owned(db, filter)
    .select(eb => ['type', eb.fn.count<number>('consumer_uuid').distinct().as('consumers')])
    .groupBy('type')
    .execute()
  return rows.map(row => ({ ...row, consumers: Number(row.consumers) }))
}
