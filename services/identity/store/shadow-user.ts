/**
 * Users that are known from their logins at an identity provider alone. What they are called need not be unique, so their
 * `name` is their id, and `display_name` what they are called.
 */
import type { Db } from './tables.ts'
import type { UserRow } from './user.ts'

export async function insertShadowUser(
  db: Db,
  user: { readonly id: string; readonly name: string; readonly domainId: string; readonly email?: string },
): Promise<void> {
  await db
    .insertInto('users')
    .values({
      id: user.id,
      name: user.id,
      display_name: user.name,
      domain_id: user.domainId,
      enabled: 1,
      options: '{}',
      extra: JSON.stringify(user.email === undefined ? {} : { email: user.email }),
    })
    .execute()
}

/** What its identity provider calls it now. Users that were made here keep their name. True when that is news. */
export async function updateShadowUser(
  db: Db,
  row: UserRow,
  { name, email }: { readonly name: string; readonly email?: string },
): Promise<boolean> {
  const extra = JSON.parse(row.extra ?? '{}') as { email?: string }
  const renamed = row.display_name !== null && row.display_name !== name
  const moved = email !== undefined && extra.email !== email
  if (!renamed && !moved) return false
  await db
    .updateTable('users')
    .set({ ...(renamed && { display_name: name }), ...(moved && { extra: JSON.stringify({ ...extra, email }) }) })
    .where('id', '=', row.id)
    .execute()
  return true
}

export async function forgetDisplayName(db: Db, id: string): Promise<void> {
  await db.updateTable('users').set({ display_name: null }).where('id', '=', id).execute()
}

/** Users that nobody but the identity provider (by that protocol, or by any) knows. */
export async function usersKnownOnlyTo(db: Db, idpId: string, protocolId?: string): Promise<string[]> {
  const known = db
    .selectFrom('federated_users')
    .select('user_id')
    .where('idp_id', '=', idpId)
    .$if(protocolId !== undefined, query => query.where('protocol_id', '=', protocolId!))
  const elsewhere = db
    .selectFrom('federated_users')
    .select('user_id')
    .where(eb =>
      protocolId === undefined
        ? eb('idp_id', '!=', idpId)
        : eb.or([eb('idp_id', '!=', idpId), eb('protocol_id', '!=', protocolId)]),
    )
  const rows = await db
    .selectFrom('users')
    .select('id')
    .where('display_name', 'is not', null)
    .where('id', 'in', known)
    .where('id', 'not in', elsewhere)
    .execute()
  return rows.map(row => row.id)
}

export async function removeUsers(db: Db, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await db
    .deleteFrom('assignments')
    .where('actor_type', '=', 'user')
    .where('actor_id', 'in', [...ids])
    .execute()
  await db
    .deleteFrom('users')
    .where('id', 'in', [...ids])
    .execute()
}
