/** The account of a user: whether it may log in now, and what failed and good logins do to it. Its password is `check.ts`'s. */
import { clearFailures, countFailure, findLoginRecord, setActive } from '../../store/password.ts'
import { findDomain } from '../../store/project.ts'
import type { UserRow } from '../../store/user.ts'
import type { Parts } from '../parts.ts'
import { dayOf, lockState } from '../rules/compliance.ts'
import { optionsOf } from './enabled.ts'

/** False also for a user that is not there, one of a disabled domain, or a locked account. */
export async function mayLogIn(parts: Parts, user: UserRow | undefined): Promise<boolean> {
  const { db } = parts.store
  if (!user || !(await parts.isEnabled(db, user))) return false
  const domain = await findDomain(db, { id: user.domain_id })
  return domain?.enabled === 1 && (await isUnlocked(parts, user))
}

async function isUnlocked({ store, config, runtime }: Parts, user: UserRow): Promise<boolean> {
  if (config.lockout_failure_attempts === 0) return true
  const failed = await findLoginRecord(store.db, user.id)
  const state = lockState({ config, options: optionsOf(user), failed, now: runtime.now() })
  if (state === 'served') await clearFailures(store.db, user.id)
  return state !== 'locked'
}

export async function noteFailedLogin({ store, config, runtime }: Parts, user: UserRow): Promise<void> {
  if (config.lockout_failure_attempts > 0) await countFailure(store.db, user.id, runtime.now())
}

/**
 * False when the account was locked meanwhile: of many guesses that are made at once, those after the last permitted one
 * must not count, even if one of them is right.
 */
export async function noteGoodLogin(parts: Parts, user: UserRow): Promise<boolean> {
  if (parts.config.lockout_failure_attempts === 0) return true
  if (!(await isUnlocked(parts, user))) return false
  const { failed_count: failed } = await findLoginRecord(parts.store.db, user.id)
  if (failed > 0) await clearFailures(parts.store.db, user.id)
  return true
}

/** Remembers the day; writes once a day. */
export async function markActive({ store, runtime }: Parts, userId: string): Promise<void> {
  const today = dayOf(runtime.now())
  const { active_on: known } = await findLoginRecord(store.db, userId)
  if (known !== today) await setActive(store.db, userId, today)
}
