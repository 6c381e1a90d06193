/** Revocations: which tokens are no longer valid though nothing about their user, scope or roles says so. */
import type { Db, Tables } from './tables.ts'

export type RevocationRow = Tables['revocations']

export interface TokenFacts {
  readonly auditId?: string
  /** Of the first token of its chain. */
  readonly chainId?: string
  readonly userIds: readonly string[]
  readonly projectId?: string
  readonly domainIds: readonly string[]
  readonly issuedAt: number
}

export async function addRevocation(
  db: Db,
  event: Pick<RevocationRow, 'id' | 'issued_before' | 'expires_at'> & Partial<RevocationRow>,
): Promise<void> {
  await db
    .insertInto('revocations')
    .values({
      audit_id: null,
      audit_chain_id: null,
      user_id: null,
      project_id: null,
      domain_id: null,
      trust_id: null,
      consumer_id: null,
      access_token_id: null,
      ...event,
    })
    .execute()
}

export async function isRevoked(db: Db, token: TokenFacts): Promise<boolean> {
  const row = await db
    .selectFrom('revocations')
    .select('id')
    .where('issued_before', '>=', token.issuedAt)
    .where(eb =>
      eb.or([
        ...(token.auditId === undefined ? [] : [eb('audit_id', '=', token.auditId)]),
        ...(token.chainId === undefined ? [] : [eb('audit_chain_id', '=', token.chainId)]),
        eb('user_id', 'in', [...token.userIds]),
        ...(token.projectId === undefined ? [] : [eb('project_id', '=', token.projectId)]),
        ...(token.domainIds.length === 0 ? [] : [eb('domain_id', 'in', [...token.domainIds])]),
      ]),
    )
    .executeTakeFirst()
  return row !== undefined
}

/** Those made since then (milliseconds since 1970), oldest first. */
export function revocationsSince(db: Db, since: number): Promise<RevocationRow[]> {
  return db.selectFrom('revocations').selectAll().where('issued_before', '>', since).orderBy('issued_before').execute()
}

/** Forgets those that no token can match any more. */
export async function pruneRevocations(db: Db, now: number): Promise<void> {
  await db.deleteFrom('revocations').where('expires_at', '<', now).execute()
}
