/**
 * Delegations: tokens whose rights rest on more than their user's own assignments. The delegation is looked up each time the
 * token is checked, and ends with what it rests on.
 */
import type { TokenInfo } from '@strata/toolkit/context'
import type { TokenBody } from '../../contract/token.ts'
import { findApplicationCredential, roleIdsOf, rulesOf } from '../../store/application-credential.ts'
import type { Db } from '../../store/tables.ts'
import type { TokenPayload } from '../rules/token-payload.ts'

export interface DelegationFacts {
  /** Whose assignments count. */
  readonly userId: string
  /** Of those, what was delegated; with what these imply. */
  readonly roleIds: readonly string[]
  /** Members of the token's body and of what services know of it. */
  readonly shown: Partial<TokenBody['token']>
  readonly info: Partial<TokenInfo>
}

/** Undefined when the delegation is gone, or is not for that user and scope. */
export async function lookUpDelegation(db: Db, payload: TokenPayload): Promise<DelegationFacts | undefined> {
  return payload.delegation && byApplicationCredential(db, payload.delegation.id, payload)
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
