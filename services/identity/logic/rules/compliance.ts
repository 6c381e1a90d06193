/**
 * What becomes of accounts and passwords with time and with failures (the PCI-DSS settings): *inactive*, not logged in for
 * long; *locked*, after failed logins; *expired*, a password that must be changed before it is good for a login again.
 */
import { isoTime, type Runtime } from '@strata/toolkit/runtime'
import type { IdentityConfig } from '../../contract/config.ts'
import type { UserOptions } from '../../contract/user.ts'

const second = 1000
const day = 86_400_000

/** `2026-11-20`, UTC. */
export const dayOf = (now: number): string => isoTime(now).slice(0, 10)

/** `activeOn`: the day on which it was last active; unknown, it is not inactive. */
export function isInactive(about: {
  readonly config: Pick<IdentityConfig, 'disable_user_account_days_inactive'>
  readonly options: UserOptions
  readonly activeOn: string | null | undefined
  readonly now: number
}): boolean {
  const { config, options, activeOn, now } = about
  const most = config.disable_user_account_days_inactive
  if (most === 0 || !activeOn || options.ignore_user_inactivity) return false
  return Date.parse(dayOf(now)) - Date.parse(activeOn) >= most * day
}

export type LockState = 'open' | 'locked' | /** It was locked, and that is over. */ 'served'

export function lockState(about: {
  readonly config: Pick<IdentityConfig, 'lockout_failure_attempts' | 'lockout_duration'>
  readonly options: UserOptions
  readonly failed: { readonly failed_count: number; readonly failed_at: number | null }
  readonly now: number
}): LockState {
  const { config, options, failed, now } = about
  const most = config.lockout_failure_attempts
  if (most === 0 || failed.failed_count < most || options.ignore_lockout_failure_attempts) return 'open'
  const until = (failed.failed_at ?? 0) + config.lockout_duration * second
  return config.lockout_duration === 0 || now < until ? 'locked' : 'served'
}

/** `2026-11-20T12:34:56.000000`: times as users show them; they sort as text. */
export const shownTime = (at: number): string => `${isoTime(at).slice(0, 19)}.000000`

/** Who chose a password. */
export type PasswordSource = 'user' | 'administrator'

/** When a password that is set now ends; null: never. */
export function expiryOf(about: {
  readonly config: Pick<IdentityConfig, 'password_expires_days' | 'change_password_upon_first_use'>
  readonly runtime: Pick<Runtime, 'now'>
  readonly options: UserOptions
  readonly by: PasswordSource
}): string | null {
  const { config, options, by } = about
  const now = about.runtime.now()
  if (by === 'administrator' && config.change_password_upon_first_use && !options.ignore_change_password_upon_first_use)
    return shownTime(now)
  if (config.password_expires_days === 0 || options.ignore_password_expiry) return null
  return shownTime(now + config.password_expires_days * day)
}

export const isExpired = (expiresAt: string | null, options: UserOptions, now: number): boolean =>
  expiresAt !== null && !options.ignore_password_expiry && expiresAt <= shownTime(now)

/** Whole days, rounded up, until a password may be changed by its user; 0: now. */
export function daysToKeep(
  minimum: number,
  password: { readonly created_at: number | null; readonly self_service: number },
  now: number,
): number {
  if (password.self_service !== 1 || password.created_at === null) return 0
  return Math.max(0, Math.ceil((password.created_at + minimum * day - now) / day))
}
