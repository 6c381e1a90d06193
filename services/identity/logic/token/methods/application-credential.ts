/** By the secret of an application credential. */
import { applicationCredentialScoped, expectedToFind, loginFailed } from '../../../contract/errors.ts'
import type { AuthRequest } from '../../../contract/token.ts'
import { applicationCredentialsOf, findApplicationCredential } from '../../../store/application-credential.ts'
import type { Parts } from '../../parts.ts'
import { callerAddress } from '../../password/caller.ts'
import { parseTime } from '../../rules/times.ts'
import { findLogin } from './password.ts'
import type { Login, Proof } from './proof.ts'

export async function byApplicationCredential(parts: Parts, login: Login): Promise<Proof> {
  const { auth } = login
  const given = auth.identity.application_credential
  if (!given) throw expectedToFind('application_credential', 'identity')
  if (auth.scope !== undefined) throw applicationCredentialScoped()
  const found = await findGivenCredential(parts, given)
  const from = callerAddress(parts.config, login)
  const right = await parts.passwords.verify(found?.id ?? '', found?.hash, given.secret, from)
  if (!found || !right) throw loginFailed()
  const end = found.expires_at === null ? undefined : parseTime(found.expires_at)?.at
  if (end !== undefined && end <= parts.runtime.now()) throw loginFailed()
  return {
    userId: found.user_id,
    delegation: {
      by: { type: 'application_credential', id: found.id },
      scope: { type: 'project', id: found.project_id },
      notAfter: end,
    },
  }
}

async function findGivenCredential(
  { store: { db }, directories }: Parts,
  given: NonNullable<AuthRequest['auth']['identity']['application_credential']>,
) {
  if (given.id !== undefined) return findApplicationCredential(db, given.id)
  if (!given.user) throw expectedToFind('user', 'application_credential')
  await directories.meet(given.user)
  const user = await findLogin(db, given.user)
  return user && (await applicationCredentialsOf(db, user.id, given.name ?? ''))[0]
}
