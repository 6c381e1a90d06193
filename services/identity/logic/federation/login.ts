/**
 * Where every login of a user of an identity provider ends, however its attributes came here: they have been verified, and are
 * now mapped to a user of this cloud, its groups and its projects.
 *
 * Words: the *assertion* is those attributes; a *shadow user* is one that is known here because it logged in.
 */
import { forbidden, unauthorized } from '@strata/toolkit/fault'
import { isUniqueViolation } from '@strata/toolkit/store'
import { loginFailed, missing } from '../../contract/errors.ts'
import type { Assertion, DomainRef, SchemaVersion } from '../../contract/mapping.ts'
import { verifyMemberships } from '../../store/expiring-membership.ts'
import {
  findGroupByName,
  findIdp,
  findMapping,
  findProtocol,
  type IdpRow,
  type ProtocolRow,
  remoteIdsOf,
} from '../../store/federation.ts'
import { findDomain } from '../../store/project.ts'
import type { Db } from '../../store/tables.ts'
import { findGroups, findUser, findUserByName } from '../../store/user.ts'
import type { Parts } from '../parts.ts'
import { applyMapping, type GroupRef, type Mapped, MappingFailure } from '../rules/mapping/index.ts'
import { type Federation, type Method, methods } from '../rules/token-payload.ts'
import { tokenFor } from '../token/complete.ts'
import type { Proof } from '../token/methods/proof.ts'
import type { IssuedReceipt } from '../token/receipt.ts'
import type { IssuedToken } from '../token/tokens.ts'
import { provisionProjects } from './provision.ts'
import { shadowUser } from './shadow.ts'

export interface FederatedLogin {
  readonly idpId: string
  readonly protocolId: string
  /** Verified by the caller: whoever can choose it can be anybody. */
  readonly assertion: Assertion
}

/** More would not fit the header that a token travels in. */
const mostGroups = 200

/** A protocol's name is the method of its tokens where it is the name of one. */
function methodOf(protocolId: string): Method {
  const named = ['saml2', 'openid', 'x509'] as const
  return methods.find(method => method === protocolId && named.some(one => one === method)) ?? 'mapped'
}

/** Throws a 404 for an unknown identity provider or protocol, a 403 for a disabled one, a 401 when it is mapped to nobody. */
export async function federatedLogin(parts: Parts, login: FederatedLogin): Promise<Proof> {
  const { idpId, protocolId, assertion } = login
  const { db } = parts.store
  const { idp, protocol } = await vouching(db, idpId, protocolId)
  await checkRemoteId(parts, { idp, protocol, assertion })
  const mapping = await findMapping(db, protocol.mapping_id)
  if (!mapping) throw missing('mapping', protocol.mapping_id)
  const version = mapping.schema_version as SchemaVersion
  const mapped = map(() => applyMapping(JSON.parse(mapping.rules), assertion, version))
  if (mapped.user.type === 'local') return { userId: await localUser(parts, mapped.user) }
  const enter = () => enterAs(parts, { idp, protocolId, mapped, assertion, version })
  return enter().catch(thrown => {
    // The first two logins of a user, at the same time: the second finds what the first made.
    if (isUniqueViolation(thrown)) return enter()
    throw thrown
  })
}

interface Entering {
  readonly idp: IdpRow
  readonly protocolId: string
  readonly mapped: Mapped
  readonly assertion: Assertion
  readonly version: SchemaVersion
}

/** As a user of the identity provider, with its groups and projects. */
function enterAs(parts: Parts, { idp, protocolId, mapped, assertion, version }: Entering): Promise<Proof> {
  const idpId = idp.id
  return parts.store.transaction(async (tx, afterCommit) => {
    const groupIds = await existingGroups(tx, mapped)
    const { userId, known, renamed } = await shadowUser(parts, tx, { idp, protocolId, user: named(mapped, assertion) })
    const joined = await verifyMemberships(tx, { userId, idpId, groupIds, now: parts.runtime.now() })
    const provisioned = await provisionProjects(parts, tx, {
      userId,
      projects: mapped.projects,
      domainId: idp.domain_id,
      takeAway: version === '3.0',
    })
    if (known && (renamed || joined || provisioned)) parts.changed(afterCommit)
    return { userId, federation: { idpId, protocolId, groupIds } satisfies Federation }
  })
}

/** The same, ending in a token without a scope. */
export async function unscopedFederatedToken(
  parts: Parts,
  login: FederatedLogin,
): Promise<IssuedToken | IssuedReceipt> {
  const issuedAt = parts.runtime.now()
  const method = methodOf(login.protocolId)
  const proof = await federatedLogin(parts, login)
  return tokenFor(parts, {
    auth: { identity: { methods: [method] }, scope: 'unscoped' },
    asked: [method],
    proofs: [proof],
    issuedAt,
  })
}

/** The identity provider and its protocol, where both exist and logins by them are allowed. */
export async function vouching(
  db: Db,
  idpId: string,
  protocolId: string,
): Promise<{ readonly idp: IdpRow; readonly protocol: ProtocolRow }> {
  const idp = await findIdp(db, idpId)
  if (!idp) throw missing('identity_provider', idpId)
  if (!idp.enabled) throw forbidden(`Identity Provider ${idpId} is disabled`)
  const domain = await findDomain(db, { id: idp.domain_id })
  if (!domain?.enabled) throw loginFailed()
  const protocol = await findProtocol(db, idpId, protocolId)
  if (!protocol) throw missing('federation_protocol', protocolId)
  return { idp, protocol }
}

/** Several identity providers may be reached in the same way: an attribute tells which one it was. */
async function checkRemoteId(
  parts: Parts,
  { idp, protocol, assertion }: { idp: IdpRow; protocol: ProtocolRow; assertion: Assertion },
): Promise<void> {
  const attribute = protocol.remote_id_attribute || parts.config.remote_id_attribute
  if (!attribute) return
  const accepted = (await remoteIdsOf(parts.store.db, [idp.id])).get(idp.id)!
  if (accepted.length === 0) return
  const given = Object.hasOwn(assertion, attribute) ? assertion[attribute]! : []
  if (given.length === 0) throw unauthorized('Could not find Identity Provider identifier in environment')
  if (given.length > 1 || !accepted.includes(given[0]!))
    throw forbidden('Incoming identity provider identifier not included among the accepted identifiers.')
}

/** Who logs in has been vouched for, and may know why nothing came of it. */
function map(apply: () => Mapped): Mapped {
  try {
    return apply()
  } catch (thrown) {
    if (thrown instanceof MappingFailure) throw unauthorized(thrown.message)
    throw thrown
  }
}

function named({ user }: Mapped, assertion: Assertion) {
  const name = user.name || assertion['REMOTE_USER']?.[0] || user.id
  const id = user.id || name
  if (!name || !id)
    throw unauthorized(
      'Could not map user while setting ephemeral user identity. Either mapping rules must specify user id/name or REMOTE_USER environment variable must be set.',
    )
  return { uniqueId: encodeId(id), name, email: user.email, domain: user.domain }
}

/** As Keystone writes unique ids: percent-encoded, but for slashes. */
const encodeId = (id: string): string =>
  encodeURIComponent(id)
    .replaceAll('%2F', '/')
    .replace(/[!'()*]/g, one => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

async function localUser({ store: { db }, directories }: Parts, user: Mapped['user']): Promise<string> {
  await directories.meet(user)
  const found = user.id ? await findUser(db, user.id) : await userByName(db, user.name, user.domain)
  if (!found?.enabled) throw loginFailed()
  return found.id
}

async function userByName(db: Db, name: string | undefined, domain: DomainRef | undefined) {
  const owner = name && domain && (await findDomain(db, domain))
  return owner ? findUserByName(db, owner.id, name) : undefined
}

/** Groups that are named and not there are passed over; an id that is none is a defect of the mapping. */
async function existingGroups(db: Db, { groupIds, groups }: Mapped): Promise<readonly string[]> {
  const known = await findGroups(db, groupIds)
  const absent = groupIds.find(id => !known.some(group => group.id === id))
  if (absent !== undefined) throw unauthorized(`Group ${absent} returned by mapping was not found in the backend.`)
  const named = await Promise.all(groups.map(group => groupByName(db, group)))
  const ids = [...new Set([...known, ...named.filter(group => group !== undefined)].map(group => group.id))]
  if (ids.length > mostGroups)
    throw forbidden(`The user is in ${ids.length} groups; a token can hold ${mostGroups}. Have the mapping name fewer.`)
  return ids.sort()
}

async function groupByName(db: Db, { name, domain }: GroupRef) {
  const owner = await findDomain(db, domain)
  return owner && findGroupByName(db, owner.id, name)
}
