/** Assertions that were used, remembered for as long as they could be used again. */
import type { Db } from './tables.ts'

/** False when it was used before. Times are milliseconds since 1970; those that are over are forgotten. */
export async function useAssertion(
  db: Db,
  assertion: { readonly id: string; readonly expiresAt: number },
  now: number,
): Promise<boolean> {
  await db.deleteFrom('used_assertions').where('expires_at', '<', now).execute()
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto('used_assertions')
    .values({ id: assertion.id, expires_at: assertion.expiresAt })
    .onConflict(conflict => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows > 0n
}
