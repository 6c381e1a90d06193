/** By the password of a user. */
import { expectedToFind, loginFailed, passwordExpired } from '../../../contract/errors.ts'
import type { RefInDomain } from '../../../contract/token.ts'
import { findDomain } from '../../../store/project.ts'
import type { Db } from '../../../store/tables.ts'
import { findUser, findUserByName, type UserRow } from '../../../store/user.ts'
import type { Parts } from '../../parts.ts'
import { callerAddress } from '../../password/caller.ts'
import { checkPassword } from '../../password/check.ts'
import type { Login, Proof } from './proof.ts'

export async function byPassword(parts: Parts, login: Login): Promise<Proof> {
  const given = login.auth.identity.password?.user
  if (!given) throw expectedToFind('password', 'identity')
  const inDirectory = await parts.directories.login(given)
  if (inDirectory?.userId !== undefined) return { userId: inDirectory.userId }
  // Whom a directory refused waits as long as who is nowhere.
  const user = inDirectory ? undefined : await findLogin(parts.store.db, given)
  const right = await checkPassword(parts, { user, given: given.password, from: callerAddress(parts.config, login) })
  if (!user || !right) throw loginFailed()
  if (right.expired) throw passwordExpired(user.id)
  return { userId: user.id }
}

export async function findLogin(db: Db, given: RefInDomain): Promise<UserRow | undefined> {
  if (given.id !== undefined) return findUser(db, given.id)
  if (!given.domain) throw expectedToFind('domain', 'user')
  const domain = await findDomain(db, given.domain)
  return domain && findUserByName(db, domain.id, given.name ?? '')
}
