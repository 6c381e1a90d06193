/**
 * Delegations: tokens whose rights rest on more than their user's own assignments. The delegation is looked up each time the
 * token is checked, and ends with what it rests on.
 */
import type { TokenInfo } from '@strata/toolkit/context'
import type { TokenBody } from '../../contract/token.ts'
import { findApplicationCredential, roleIdsOf, rulesOf } from '../../store/application-credential.ts'
import { findAccessToken } from '../../store/oauth1.ts'
import type { Db } from '../../store/tables.ts'
import { findTrust, type TrustRow, trustChain, trustRoleIds } from '../../store/trust.ts'
import { findUsers } from '../../store/user.ts'
import type { IsEnabled } from '../password/enabled.ts'
import type { TokenPayload, TokenScope } from '../rules/token-payload.ts'

export interface DelegationFacts {
  /** Whose assignments count. */
  readonly userId: string
  /** Users besides the token's own whose revocations end it. */
  readonly others: readonly string[]
  /** Of those, what was delegated; with what these imply. All, where that is not said. */
  readonly roleIds?: readonly string[]
  /** Members of the token's body and of what services know of it. */
  readonly shown: Partial<TokenBody['token']>
  readonly info: Partial<TokenInfo>
}

/** Undefined when the delegation is gone, or is not for that user and scope. */
export async function lookUpDelegation(
  db: Db,
  payload: TokenPayload,
  isEnabled: IsEnabled,
): Promise<DelegationFacts | undefined> {
  if (!payload.delegation) return undefined
  const { type, id } = payload.delegation
  if (type === 'trust') return byTrust(db, { id, isEnabled }, payload)
  if (type === 'access_token') return byAccessToken(db, id, payload)
  if (type === 'certificate') return byCertificate(id, payload)
  return byApplicationCredential(db, id, payload)
}

/** Who holds the certificate has all roles of the user, but the token is of use to nobody else. */
const byCertificate = (thumbprint: string, { userId }: TokenPayload): DelegationFacts => ({
  userId,
  others: [],
  shown: { oauth2_credential: { 'x5t#S256': thumbprint } },
  info: { certificate: thumbprint },
})

async function byAccessToken(
  db: Db,
  id: string,
  { userId, scope }: TokenPayload,
): Promise<DelegationFacts | undefined> {
  const row = await findAccessToken(db, id)
  if (!row || row.authorizing_user_id !== userId || scope.type !== 'project' || scope.id !== row.project_id)
    return undefined
  return {
    userId,
    others: [],
    roleIds: JSON.parse(row.role_ids) as string[],
    shown: { 'OS-OAUTH1': { access_token_id: id, consumer_id: row.consumer_id } },
    info: { accessToken: { id, consumerId: row.consumer_id } },
  }
}

/** The scope of a token that is got by the trust; `userId` is whom it acts as. */
export function trustPlace(trust: TrustRow): { readonly userId: string; readonly scope: TokenScope } {
  return {
    userId: trust.impersonation === 1 ? trust.trustor_user_id : trust.trustee_user_id,
    scope: trust.project_id === null ? { type: 'unscoped' } : { type: 'project', id: trust.project_id },
  }
}

async function byTrust(
  db: Db,
  { id, isEnabled }: { readonly id: string; readonly isEnabled: IsEnabled },
  { userId, scope }: TokenPayload,
): Promise<DelegationFacts | undefined> {
  const trust = await findTrust(db, id)
  if (!trust) return undefined
  const place = trustPlace(trust)
  const placeId = 'id' in place.scope ? place.scope.id : undefined
  if (place.userId !== userId || placeId !== ('id' in scope ? scope.id : undefined)) return undefined
  const chain = await trustChain(db, trust)
  const users = new Set(chain.flatMap(one => [one.trustor_user_id, one.trustee_user_id]))
  // A trust is worth what those are worth who gave it and handed it on.
  for (const one of await findUsers(db, [...users])) if (!(await isEnabled(db, one))) return undefined
  users.delete(userId)
  return {
    userId: chain.at(-1)!.trustor_user_id,
    others: [...users],
    roleIds: await trustRoleIds(db, id),
    shown: {
      'OS-TRUST:trust': {
        id,
        impersonation: trust.impersonation === 1,
        trustor_user: { id: trust.trustor_user_id },
        trustee_user: { id: trust.trustee_user_id },
      },
    },
    info: { trust: { id } },
  }
}

async function byApplicationCredential(
  db: Db,
  id: string,
  { userId, scope }: TokenPayload,
): Promise<DelegationFacts | undefined> {
  const row = await findApplicationCredential(db, id)
  if (!row || row.user_id !== userId || scope.type !== 'project' || scope.id !== row.project_id) return undefined
  const rules = await rulesOf(db, id)
  const restricted = row.unrestricted !== 1
  const accessRules = rules.map(({ service, method, path }) => ({ service, method, path }))
  return {
    userId,
    others: [],
    roleIds: await roleIdsOf(db, id),
    shown: {
      application_credential: {
        id,
        name: row.name,
        restricted,
        ...(rules.length > 0 && { access_rules: rules.map(({ user_id: _, ...rule }) => rule) }),
      },
    },
    info: { applicationCredential: { id, restricted, ...(rules.length > 0 && { accessRules }) } },
  }
}
