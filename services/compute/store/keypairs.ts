/** Key pairs, by their user and name. */
import type { Kysely } from '@strata/toolkit/store'
import type { Keypair } from '../contract/keypair.ts'
import type { ComputeTables } from './database.ts'

type Db = Kysely<ComputeTables>

export async function findKeypair(db: Db, userId: string, name: string): Promise<Keypair | undefined> {
  const row = await db
    .selectFrom('keypairs')
    .selectAll()
    .where('user_id', '=', userId)
    .where('name', '=', name)
    .executeTakeFirst()
  return row as Keypair | undefined
}

/** By name, from the one after `after`. */
export async function listKeypairs(
  db: Db,
  userId: string,
  range: { readonly after?: string; readonly limit: number },
): Promise<readonly Keypair[]> {
  let query = db.selectFrom('keypairs').selectAll().where('user_id', '=', userId)
  if (range.after !== undefined) query = query.where('name', '>', range.after)
  return (await query.orderBy('name').limit(range.limit).execute()) as unknown as Keypair[]
}

/** In a transaction, since it counts on from the largest number. */
export async function insertKeypair(db: Db, keypair: Omit<Keypair, 'number'>): Promise<Keypair> {
  const last = await db.selectFrom('keypairs').select('number').orderBy('number', 'desc').limit(1).executeTakeFirst()
  const row = { ...keypair, number: (last?.number ?? 0) + 1 }
  await db.insertInto('keypairs').values(row).execute()
  return row
}

/** False when there was none. */
export async function removeKeypair(db: Db, userId: string, name: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('keypairs')
    .where('user_id', '=', userId)
    .where('name', '=', name)
    .executeTakeFirst()
  return numDeletedRows > 0n
}
