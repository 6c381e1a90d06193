/** New passwords: what may become one, and how it is kept. An administrator's is bound by its strength alone. */
import { ConfigError } from '@strata/toolkit/config'
import { lockedPassword, loginFailed, repeatedPassword, weakPassword, youngPassword } from '../../contract/errors.ts'
import type { PasswordChange } from '../../contract/user.ts'
import { addPassword, findPasswords, setPasswordExpiry } from '../../store/password.ts'
import type { Db } from '../../store/tables.ts'
import { findUser, type UserRow } from '../../store/user.ts'
import type { Parts } from '../parts.ts'
import { daysToKeep, expiryOf, type PasswordSource } from '../rules/compliance.ts'
import { checkPassword, type RightPassword } from './check.ts'
import { optionsOf } from './enabled.ts'

/** Throws a 400 for a password that is not as `password_regex` asks. */
export function refuseWeak({ config }: Pick<Parts, 'config'>, password: string): void {
  const { password_regex: pattern, password_regex_description: requirements } = config
  if (pattern !== '' && !strength(pattern).test(password)) throw weakPassword(requirements)
}

/** As it is written, but bound to the beginning of the password. */
const strength = (pattern: string): RegExp => new RegExp(`^(?:${pattern})`)

/** Throws when `password_regex` is no regular expression, so that this shows at the start and not with a password. */
export function refuseBadPattern({ password_regex: pattern }: Parts['config']): void {
  try {
    strength(pattern)
  } catch (cause) {
    throw new ConfigError(`identity.password_regex is no regular expression: ${(cause as Error).message}`, { cause })
  }
}

/** Within a transaction; the caller sets when it expires, announces the change and revokes tokens. */
export function keepPassword(
  { config, runtime }: Pick<Parts, 'config' | 'runtime'>,
  db: Db,
  about: { readonly userId: string; readonly hash: string; readonly by: PasswordSource },
): Promise<void> {
  const { userId, hash, by } = about
  const row = { user_id: userId, hash, created_at: runtime.now(), self_service: by === 'user' ? 1 : 0 }
  return addPassword(db, row, config.unique_last_password_count)
}

/** A user changes its own, which may have expired. Throws `loginFailed()` unless it knows the present one. */
export async function changeOwnPassword(
  parts: Parts,
  about: { readonly userId: string; readonly change: PasswordChange['user']; readonly from: string },
): Promise<void> {
  const { userId, change, from } = about
  const attempt = { accounts: [{ user: { id: userId } }], address: from }
  const { user, password } = await parts.throttle.attempt(attempt, async () => {
    const user = await findUser(parts.store.db, userId)
    const right = await checkPassword(parts, { user, given: change.original_password, from })
    if (!user || !right) throw loginFailed()
    return { user, ...right }
  })
  await refuseChange(parts, { user, password, next: change.password, from })
  const hash = await parts.passwords.hash(change.password, { from })
  await parts.store.transaction(async (tx, afterCommit) => {
    const [now] = await findPasswords(tx, user.id, 1)
    // Another change came before this one, which knew the password that was in force then.
    if (now?.number !== password.number) throw loginFailed()
    const about = { userId: user.id, hash, by: 'user' } as const
    await keepPassword(parts, tx, about)
    await setPasswordExpiry(tx, user.id, expiryOf({ ...parts, ...about, options: optionsOf(user) }))
    await parts.tokens.revoke(tx, { userId: user.id })
    parts.changed(afterCommit)
  })
}

async function refuseChange(
  parts: Parts,
  about: Pick<RightPassword, 'password'> & { readonly user: UserRow; readonly next: string; readonly from: string },
): Promise<void> {
  const { user, password, next, from } = about
  const { minimum_password_age: minimum, unique_last_password_count: unique } = parts.config
  refuseWeak(parts, next)
  if (optionsOf(user).lock_password) throw lockedPassword()
  const left = daysToKeep(minimum, password, parts.runtime.now())
  if (left > 0) throw youngPassword(minimum, left)
  for (const past of await findPasswords(parts.store.db, user.id, unique))
    if (await parts.passwords.matches(past.hash, next, from)) throw repeatedPassword(unique)
}
