/** Assertions that were used, remembered for as long as they could be used again. */
import { isUniqueViolation } from '@strata/toolkit/store'
import type { Db } from './tables.ts'

/** False when it was used before. Times are milliseconds since 1970; those that are over are forgotten. */
export async function useAssertion(
  db: Db,
  assertion: { readonly id: string; readonly expiresAt: number },
  now: number,
): Promise<boolean> {
  await db.deleteFrom('used_assertions').where('expires_at', '<', now).execute()
  try {
    await db.insertInto('used_assertions').values({ id: assertion.id, expires_at: assertion.expiresAt }).execute()
    return true
  } catch (thrown) {
    if (isUniqueViolation(thrown)) return false
    throw thrown
  }
}
