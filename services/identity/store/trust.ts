/** Trusts, with the roles that they delegate. */
import type { Db, Tables } from './tables.ts'

export type TrustRow = Tables['trusts']

export function findTrust(db: Db, id: string): Promise<TrustRow | undefined> {
  return db.selectFrom('trusts').selectAll().where('id', '=', id).executeTakeFirst()
}

export function listTrusts(
  db: Db,
  by: { readonly trustorId?: string; readonly trusteeId?: string },
): Promise<TrustRow[]> {
  let query = db.selectFrom('trusts').selectAll()
  if (by.trustorId !== undefined) query = query.where('trustor_user_id', '=', by.trustorId)
  if (by.trusteeId !== undefined) query = query.where('trustee_user_id', '=', by.trusteeId)
  return query.orderBy('id').execute()
}

export async function addTrust(db: Db, row: TrustRow, roleIds: readonly string[]): Promise<void> {
  await db.insertInto('trusts').values(row).execute()
  if (roleIds.length > 0)
    await db
      .insertInto('trust_roles')
      .values(roleIds.map(role_id => ({ trust_id: row.id, role_id })))
      .execute()
}

export async function removeTrust(db: Db, id: string): Promise<void> {
  await db.deleteFrom('trusts').where('id', '=', id).execute()
}

export async function trustRoleIds(db: Db, id: string): Promise<string[]> {
  const rows = await db.selectFrom('trust_roles').select('role_id').where('trust_id', '=', id).execute()
  return rows.map(row => row.role_id)
}

/** Counts one use. False when none is left; true also where uses are not counted. */
export async function useTrust(db: Db, id: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('trusts')
    .set(eb => ({ remaining_uses: eb('remaining_uses', '-', 1) }))
    .where('id', '=', id)
    .where(eb => eb.or([eb('remaining_uses', '>', 0), eb('remaining_uses', 'is', null)]))
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** The trust and those it was handed on from, nearest first. */
export async function trustChain(db: Db, trust: TrustRow): Promise<TrustRow[]> {
  const chain = [trust]
  for (let id = trust.redelegated_trust_id; id !== null; ) {
    const above = await findTrust(db, id)
    // A trust goes with the one it was handed on from, so this one is going, too.
    if (!above) break
    chain.push(above)
    id = above.redelegated_trust_id
  }
  return chain
}
