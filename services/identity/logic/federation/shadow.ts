/** Shadow users: the users of identity providers, as this cloud knows them from their first login on. */
import { forbidden } from '@strata/toolkit/fault'
import { loginFailed, missing } from '../../contract/errors.ts'
import type { DomainRef } from '../../contract/mapping.ts'
import { findFederatedUser, type IdpRow, insertIdentities, setDisplayName } from '../../store/federation.ts'
import { findDomain } from '../../store/project.ts'
import { insertShadowUser, updateShadowUser } from '../../store/shadow-user.ts'
import type { Db } from '../../store/tables.ts'
import { findUser } from '../../store/user.ts'
import { newId, type Parts } from '../parts.ts'

export interface ForeignUser {
  /** Among the users of its identity provider and protocol. */
  readonly uniqueId: string
  readonly name: string
  readonly email?: string
  /** That of its identity provider unless given. */
  readonly domain?: DomainRef
}

/** Finds the user, or makes it. `known`: there may be tokens of it. `renamed`: something was written that they show. */
export async function shadowUser(
  parts: Parts,
  tx: Db,
  { idp, protocolId, user }: { idp: IdpRow; protocolId: string; user: ForeignUser },
): Promise<{ readonly userId: string; readonly known: boolean; readonly renamed: boolean }> {
  // What does not fit its column would be cut by some databases, and two users become one.
  if (user.uniqueId.length > 255 || user.name.length > 255)
    throw forbidden('The name or id of the user is longer than 255 characters.')
  const identity = { idp_id: idp.id, protocol_id: protocolId, unique_id: user.uniqueId }
  const known = await findFederatedUser(tx, identity)
  if (!known) {
    const id = newId(parts.runtime)
    await insertShadowUser(tx, { id, name: user.name, domainId: await domainOf(tx, user, idp), email: user.email })
    await insertIdentities(tx, [{ ...identity, user_id: id, display_name: user.name }])
    return { userId: id, known: false, renamed: false }
  }
  const row = await findUser(tx, known.user_id)
  if (!row?.enabled) throw loginFailed()
  if (known.display_name !== user.name) await setDisplayName(tx, known, user.name)
  return { userId: row.id, known: true, renamed: await updateShadowUser(tx, row, user) }
}

async function domainOf(tx: Db, { domain }: ForeignUser, idp: IdpRow): Promise<string> {
  if (!domain || (domain.id === undefined && domain.name === undefined)) return idp.domain_id
  const found = await findDomain(tx, domain)
  if (!found) throw missing('domain', domain.id ?? domain.name!)
  return found.id
}
