/** The account of a user: whether it may log in now, and what failed and good logins do to it. Its password is `check.ts`'s. */
import type { Runtime } from '@strata/toolkit/runtime'
import type { IdentityConfig } from '../../contract/config.ts'
import type { UserOptions } from '../../contract/user.ts'
import { activeDays, clearFailures, countFailure, findLoginRecord, setActive } from '../../store/password.ts'
import { findDomain } from '../../store/project.ts'
import type { Db } from '../../store/tables.ts'
import type { UserRow } from '../../store/user.ts'
import type { Parts } from '../parts.ts'
import { dayOf, isInactive, lockState } from '../rules/compliance.ts'

export const optionsOf = (user: Pick<UserRow, 'options'>): UserOptions => JSON.parse(user.options) as UserOptions

/** Whether the user is enabled, and has not been away for so long that it counts as disabled. */
export type IsEnabled = (db: Db, user: Pick<UserRow, 'id' | 'enabled' | 'options'>) => Promise<boolean>

export function enabledBy(config: IdentityConfig, runtime: Runtime): IsEnabled {
  return async (db, user) => {
    if (user.enabled !== 1) return false
    if (config.disable_user_account_days_inactive === 0) return true
    const activeOn = (await activeDays(db, [user.id])).get(user.id)
    return !isInactive({ config, options: optionsOf(user), activeOn, now: runtime.now() })
  }
}

/** Of enabled users, the ids of those that count as disabled, having been away for long. */
export async function inactiveAmong(
  { config, runtime }: Pick<Parts, 'config' | 'runtime'>,
  db: Db,
  users: readonly { readonly id: string; readonly options: UserOptions }[],
): Promise<Set<string>> {
  if (config.disable_user_account_days_inactive === 0) return new Set()
  const ids = users.map(one => one.id)
  const days = await activeDays(db, ids)
  const now = runtime.now()
  const away = users.filter(({ id, options }) => isInactive({ config, options, activeOn: days.get(id), now }))
  return new Set(away.map(one => one.id))
}

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

export async function loginFailedOf({ store, config, runtime }: Parts, user: UserRow): Promise<void> {
  if (config.lockout_failure_attempts > 0) await countFailure(store.db, user.id, runtime.now())
}

/**
 * False when the account was locked meanwhile: of many guesses that are made at once, those after the last permitted one
 * must not count, even if one of them is right.
 */
export async function loginSucceededOf(parts: Parts, user: UserRow): Promise<boolean> {
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
