/** By a proxy that logged the user in itself (REMOTE_USER, and REMOTE_DOMAIN by name) and is trusted to say so. */
import { loginFailed } from '../../../contract/errors.ts'
import { findDomain } from '../../../store/project.ts'
import { findUserByName } from '../../../store/user.ts'
import { attributesFrom } from '../../federation/proxy.ts'
import type { Prove } from './proof.ts'

export const byProxy: Prove = async (parts, login) => {
  const attributes = attributesFrom(parts, login)
  const [name, ...others] = attributes?.('REMOTE_USER') ?? []
  if (!attributes || !name || others.length > 0) throw loginFailed()
  const { db } = parts.store
  const [domainName] = attributes('REMOTE_DOMAIN')
  const domain = await findDomain(db, domainName ? { name: domainName } : { id: 'default' })
  if (domain) await parts.directories.meet({ name, domain: { id: domain.id } })
  const user = domain && (await findUserByName(db, domain.id, name))
  if (!user) throw loginFailed()
  return { userId: user.id }
}
