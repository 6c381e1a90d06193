/** By a passcode that a device of the user shows for half a minute (TOTP, RFC 6238), from a secret in a credential of type `totp`. */
import { expectedToFind, loginFailed } from '../../../contract/errors.ts'
import { credentialsOf } from '../../../store/credential.ts'
import { usePasscode } from '../../../store/password.ts'
import type { UserRow } from '../../../store/user.ts'
import type { Parts } from '../../parts.ts'
import { mayLogIn, noteFailedLogin, noteGoodLogin } from '../../password/account.ts'
import { fromBase32, matchingStep } from '../../rules/totp.ts'
import { findLogin } from './password.ts'
import type { Login, Proof } from './proof.ts'

export async function byTotp(parts: Parts, { auth }: Login): Promise<Proof> {
  const given = auth.identity.totp?.user
  if (!given) throw expectedToFind('totp', 'identity')
  await parts.directories.meet(given)
  const user = await findLogin(parts.store.db, given)
  const usable = await mayLogIn(parts, user)
  if (!user || !usable) throw loginFailed()
  if (!(await takePasscode(parts, user, given.passcode))) {
    await noteFailedLogin(parts, user)
    throw loginFailed()
  }
  if (!(await noteGoodLogin(parts, user))) throw loginFailed()
  return { userId: user.id }
}

/** True for a passcode of one of the user's devices that was not used before. */
async function takePasscode({ store, vault, config, runtime }: Parts, user: UserRow, given: string): Promise<boolean> {
  const window = { now: runtime.now(), previous: config.included_previous_windows }
  for (const row of await credentialsOf(store.db, user.id, 'totp')) {
    const secret = fromBase32(vault.open(row.sealed_blob))
    const step = secret && matchingStep(secret, given, window)
    if (step !== undefined && (await usePasscode(store.db, row.id, step))) return true
  }
  return false
}
