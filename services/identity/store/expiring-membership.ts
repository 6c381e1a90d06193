/**
 * Memberships that an identity provider vouched for at a login. They hold for as many minutes as the provider's
 * `authorization_ttl` says (or, where it says nothing, as configured), while it is enabled, and are renewed by each login.
 */
import type { Db } from './tables.ts'

export interface Validity {
  /** Milliseconds since 1970. */
  readonly now: number
  /** Minutes. */
  readonly defaultTtl: number
}

export interface ExpiringMembership {
  readonly user_id: string
  readonly group_id: string
  /** Milliseconds since 1970. */
  readonly expires_at: number
}

/** Those of a user, or in a group, that hold. */
export async function expiringMemberships(
  db: Db,
  of: { readonly userId: string } | { readonly groupId: string },
  { now, defaultTtl }: Validity,
): Promise<ExpiringMembership[]> {
  const rows = await db
    .selectFrom('expiring_memberships')
    .innerJoin('identity_providers', 'identity_providers.id', 'expiring_memberships.idp_id')
    .select(['user_id', 'group_id', 'last_verified', 'authorization_ttl'])
    .where('identity_providers.enabled', '=', 1)
    .$if('userId' in of, query => query.where('user_id', '=', (of as { userId: string }).userId))
    .$if('groupId' in of, query => query.where('group_id', '=', (of as { groupId: string }).groupId))
    .execute()
  return rows
    .map(({ last_verified: verified, authorization_ttl: ttl, ...row }) => ({
      ...row,
      expires_at: Number(verified) + (ttl ?? defaultTtl) * 60_000,
    }))
    .filter(row => row.expires_at > now)
}

/** Notes that the identity provider says now that its user is in these groups, and in no others. True when that is news. */
export async function verifyMemberships(
  db: Db,
  { userId, idpId, groupIds, now }: { userId: string; idpId: string; groupIds: readonly string[]; now: number },
): Promise<boolean> {
  const rows = await db
    .selectFrom('expiring_memberships')
    .select('group_id')
    .where('user_id', '=', userId)
    .where('idp_id', '=', idpId)
    .execute()
  const before = new Set(rows.map(row => row.group_id))
  const added = groupIds.filter(id => !before.has(id))
  const gone = [...before].filter(id => !groupIds.includes(id))
  if (gone.length > 0)
    await db
      .deleteFrom('expiring_memberships')
      .where('user_id', '=', userId)
      .where('idp_id', '=', idpId)
      .where('group_id', 'in', gone)
      .execute()
  await db
    .updateTable('expiring_memberships')
    .set({ last_verified: now })
    .where('user_id', '=', userId)
    .where('idp_id', '=', idpId)
    .execute()
  if (added.length > 0)
    await db
      .insertInto('expiring_memberships')
      .values(added.map(id => ({ user_id: userId, group_id: id, idp_id: idpId, last_verified: now })))
      .execute()
  return added.length + gone.length > 0
}
