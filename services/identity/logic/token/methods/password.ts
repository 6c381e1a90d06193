/** By the password of a user. */
import { expectedToFind, loginFailed } from '../../../contract/errors.ts'
import type { RefInDomain } from '../../../contract/token.ts'
import { findDomain } from '../../../store/project.ts'
import type { Db } from '../../../store/tables.ts'
import { findUser, findUserByName, passwordHash, type UserRow } from '../../../store/user.ts'
import type { Parts } from '../../parts.ts'
import type { Login, Proof } from './proof.ts'

export async function byPassword(parts: Parts, { auth }: Login): Promise<Proof> {
  const given = auth.identity.password?.user
  if (!given) throw expectedToFind('password', 'identity')
  const { db } = parts.store
  const user = await findLogin(db, given)
  const hash = user && (await passwordHash(db, user.id))
  const right = await parts.passwords.verify(user?.id ?? '', hash, given.password)
  if (!user || !right) throw loginFailed()
  return { userId: user.id }
}

export async function findLogin(db: Db, given: RefInDomain): Promise<UserRow | undefined> {
  if (given.id !== undefined) return findUser(db, given.id)
  if (!given.domain) throw expectedToFind('domain', 'user')
  const domain = await findDomain(db, given.domain)
  return domain && findUserByName(db, domain.id, given.name ?? '')
}
