/** Host aggregates, with their structures unpacked. */
import type { Kysely } from '@strata/toolkit/store'
import type { Aggregate } from '../contract/aggregate.ts'
import type { AggregatesTable, ComputeTables } from './database.ts'

type Db = Kysely<ComputeTables>

const decode = (row: AggregatesTable): Aggregate => ({
  ...row,
  metadata: JSON.parse(row.metadata),
  hosts: JSON.parse(row.hosts),
})

export async function listAggregates(db: Db): Promise<readonly Aggregate[]> {
  return (await db.selectFrom('aggregates').selectAll().orderBy('id').execute()).map(decode)
}

/** In a transaction, since it counts on from the largest id. */
export async function insertAggregate(db: Db, aggregate: Omit<Aggregate, 'id'>): Promise<Aggregate> {
  const last = await db.selectFrom('aggregates').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst()
  const made = { ...aggregate, id: (last?.id ?? 0) + 1 }
  await db
    .insertInto('aggregates')
    .values({ ...made, metadata: JSON.stringify(made.metadata), hosts: JSON.stringify(made.hosts) })
    .execute()
  return made
}

export async function saveAggregate(db: Db, { id, ...aggregate }: Aggregate): Promise<void> {
  await db
    .updateTable('aggregates')
    .set({ ...aggregate, metadata: JSON.stringify(aggregate.metadata), hosts: JSON.stringify(aggregate.hosts) })
    .where('id', '=', id)
    .execute()
}

export async function removeAggregate(db: Db, id: number): Promise<void> {
  await db.deleteFrom('aggregates').where('id', '=', id).execute()
}
