/** Passwords of users, present and past; their logins; and the passcodes that were used up. */
import type { Db, Tables } from './tables.ts'

export type PasswordRow = Tables['user_passwords']
export type LoginRecord = Omit<Tables['user_logins'], 'user_id'>

const noLogins: LoginRecord = { active_on: null, failed_count: 0, failed_at: null }

/** The newest first: the first is the one in force. */
export function findPasswords(db: Db, userId: string, most: number): Promise<PasswordRow[]> {
  return db
    .selectFrom('user_passwords')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('number', 'desc')
    .limit(most)
    .execute()
}

export async function passwordHash(db: Db, userId: string): Promise<string | undefined> {
  return (await findPasswords(db, userId, 1))[0]?.hash
}

/** Makes it the one in force. Of all that there are then the last `keep` stay. */
export async function addPassword(db: Db, password: Omit<PasswordRow, 'number'>, keep: number): Promise<void> {
  const { user_id: userId } = password
  const number = ((await findPasswords(db, userId, 1))[0]?.number ?? 0) + 1
  await db
    .insertInto('user_passwords')
    .values({ ...password, number })
    .execute()
  await db
    .deleteFrom('user_passwords')
    .where('user_id', '=', userId)
    .where('number', '<=', number - Math.max(keep, 1))
    .execute()
}

/** Without one the user can no longer log in by password. */
export async function removePasswords(db: Db, userId: string): Promise<void> {
  await db.deleteFrom('user_passwords').where('user_id', '=', userId).execute()
}

export async function setPasswordExpiry(db: Db, userId: string, expiresAt: string | null): Promise<void> {
  await db.updateTable('users').set({ password_expires_at: expiresAt }).where('id', '=', userId).execute()
}

export async function findLoginRecord(db: Db, userId: string): Promise<LoginRecord> {
  const row = await db
    .selectFrom('user_logins')
    .select(['active_on', 'failed_count', 'failed_at'])
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return row ?? noLogins
}

/** The days on which these users were last active, of those of whom it is known. */
export async function activeDays(db: Db, userIds: readonly string[]): Promise<Map<string, string>> {
  if (userIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('user_logins')
    .select(['user_id', 'active_on'])
    .where('user_id', 'in', [...userIds])
    .execute()
  return new Map(rows.flatMap(row => (row.active_on === null ? [] : [[row.user_id, row.active_on]])))
}

/** Also right when many fail at once. */
export async function countFailure(db: Db, userId: string, at: number): Promise<void> {
  await ensureRecord(db, userId)
  await db
    .updateTable('user_logins')
    .set(eb => ({ failed_count: eb('failed_count', '+', 1), failed_at: at }))
    .where('user_id', '=', userId)
    .execute()
}

export async function clearFailures(db: Db, userId: string): Promise<void> {
  await db.updateTable('user_logins').set({ failed_count: 0, failed_at: null }).where('user_id', '=', userId).execute()
}

export async function setActive(db: Db, userId: string, day: string): Promise<void> {
  await ensureRecord(db, userId)
  await db.updateTable('user_logins').set({ active_on: day }).where('user_id', '=', userId).execute()
}

async function ensureRecord(db: Db, userId: string): Promise<void> {
  await db
    .insertInto('user_logins')
    .values({ user_id: userId, ...noLogins })
    .onConflict(conflict => conflict.doNothing())
    .execute()
}

/** False when a passcode of this step or of a later one was taken before: each can be used once. */
export async function usePasscode(db: Db, credentialId: string, step: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('used_passcodes')
    .set({ time_step: step })
    .where('credential_id', '=', credentialId)
    .where('time_step', '<', step)
    .executeTakeFirst()
  if (numUpdatedRows > 0n) return true
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto('used_passcodes')
    .values({ credential_id: credentialId, time_step: step })
    .onConflict(conflict => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows > 0n
}
