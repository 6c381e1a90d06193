import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayOf, daysToKeep, expiryOf, isExpired, isInactive, lockState, shownTime } from './compliance.ts'

const day = 86_400_000
const now = Date.UTC(2026, 10, 20, 12, 34, 56, 789)
const runtime = { now: () => now }

test('an account is inactive from that day on, unless it is exempt or nothing is known of it', () => {
  const config = { disable_user_account_days_inactive: 30 }
  const inactive = (activeOn: string | null, options = {}) => isInactive({ config, options, activeOn, now })
  assert.equal(inactive(dayOf(now - 29 * day)), false)
  assert.equal(inactive(dayOf(now - 30 * day)), true)
  assert.equal(inactive(dayOf(now - 30 * day), { ignore_user_inactivity: true }), false)
  assert.equal(inactive(null), false)
  const never = { disable_user_account_days_inactive: 0 }
  assert.equal(isInactive({ config: never, options: {}, activeOn: '2000-01-01', now }), false)
})

test('an account is locked for a while after the last permitted failure', () => {
  const state = (failed_count: number, ago: number, settings: object = {}, options = {}) =>
    lockState({
      config: { lockout_failure_attempts: 3, lockout_duration: 60, ...settings },
      options,
      failed: { failed_count, failed_at: now - ago },
      now,
    })
  assert.equal(state(2, 0), 'open')
  assert.equal(state(3, 0), 'locked')
  assert.equal(state(9, 59_999), 'locked')
  assert.equal(state(3, 60_000), 'served')
  assert.equal(state(3, 1000 * day, { lockout_duration: 0 }), 'locked')
  assert.equal(state(9, 0, { lockout_failure_attempts: 0 }), 'open')
  assert.equal(state(9, 0, {}, { ignore_lockout_failure_attempts: true }), 'open')
})

test('a password expires after its days, and one that an administrator gave at once where it is to be changed', () => {
  const config = { password_expires_days: 90, change_password_upon_first_use: true }
  const expiry = (by: 'user' | 'administrator', options = {}, settings = config) =>
    expiryOf({ config: settings, runtime, options, by })
  assert.equal(expiry('user'), shownTime(now + 90 * day))
  assert.equal(expiry('administrator'), '2026-11-20T12:34:56.000000')
  assert.equal(expiry('administrator', { ignore_change_password_upon_first_use: true }), shownTime(now + 90 * day))
  assert.equal(expiry('user', { ignore_password_expiry: true }), null)
  assert.equal(expiry('user', {}, { ...config, password_expires_days: 0 }), null)
  assert.equal(isExpired(shownTime(now), {}, now), true)
  assert.equal(isExpired(shownTime(now + 1000), {}, now), false)
  assert.equal(isExpired(shownTime(now), { ignore_password_expiry: true }, now), false)
  assert.equal(isExpired(null, {}, now), false)
})

test('a password is kept for its least days, if its user chose it', () => {
  const left = (ago: number, self_service = 1) => daysToKeep(2, { created_at: now - ago, self_service }, now)
  assert.deepEqual([left(0), left(day), left(day + 1), left(2 * day), left(0, 0)], [2, 1, 1, 0, 0])
  assert.equal(daysToKeep(2, { created_at: null, self_service: 1 }, now), 0)
})
