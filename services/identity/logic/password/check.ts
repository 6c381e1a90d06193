/** The password of a local user, checked with all that its account says about it. */
import { findPasswords, type PasswordRow } from '../../store/password.ts'
import type { UserRow } from '../../store/user.ts'
import type { Parts } from '../parts.ts'
import { isExpired } from '../rules/compliance.ts'
import { mayLogIn, noteFailedLogin, noteGoodLogin } from './account.ts'
import { optionsOf } from './enabled.ts'

export interface RightPassword {
  readonly password: PasswordRow
  /** It must be changed before it is good for a login. */
  readonly expired: boolean
}

/**
 * Undefined when it is wrong, and in the same way, after the same work, when there is no such user or its account cannot be
 * used (disabled, inactive, locked). `from`: address of the caller, who shares hashing fairly with others.
 */
export async function checkPassword(
  parts: Parts,
  about: { readonly user: UserRow | undefined; readonly given: string; readonly from: string },
): Promise<RightPassword | undefined> {
  const { user, given, from } = about
  const usable = await mayLogIn(parts, user)
  const [password] = user ? await findPasswords(parts.store.db, user.id, 1) : []
  // Whoever cannot log in is never asked about its own hash, so that neither time nor what is remembered tells who guessed right.
  const right = await parts.passwords.verify(user?.id ?? '', usable ? password?.hash : undefined, given, from)
  if (!user || !password || !usable) return undefined
  if (!right) {
    await noteFailedLogin(parts, user)
    return undefined
  }
  if (!(await noteGoodLogin(parts, user))) return undefined
  return { password, expired: isExpired(user.password_expires_at, optionsOf(user), parts.runtime.now()) }
}
