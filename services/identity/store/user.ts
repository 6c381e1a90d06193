/** Users, and the groups they are in. */
import type { Db, Tables } from './tables.ts'

export type UserRow = Tables['users']
export type GroupRow = Tables['user_groups']

/** Users that came from elsewhere go by their display name. */
const called = (row: UserRow): UserRow => (row.display_name === null ? row : { ...row, name: row.display_name })

export async function findUser(db: Db, id: string): Promise<UserRow | undefined> {
  const row = await db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
  return row && called(row)
}

export function findUserByName(db: Db, domainId: string, name: string): Promise<UserRow | undefined> {
  return db
    .selectFrom('users')
    .selectAll()
    .where('domain_id', '=', domainId)
    .where('name', '=', name)
    .executeTakeFirst()
}

export async function findUsers(db: Db, ids: readonly string[]): Promise<UserRow[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('users')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute()
  return rows.map(called)
}

export function findGroup(db: Db, id: string): Promise<GroupRow | undefined> {
  return db.selectFrom('user_groups').selectAll().where('id', '=', id).executeTakeFirst()
}

export function findGroups(db: Db, ids: readonly string[]): Promise<GroupRow[]> {
  if (ids.length === 0) return Promise.resolve([])
  return db
    .selectFrom('user_groups')
    .selectAll()
    .where('id', 'in', [...ids])
    .orderBy('name')
    .execute()
}

export async function groupIdsOf(db: Db, userId: string): Promise<string[]> {
  const rows = await db.selectFrom('memberships').select('group_id').where('user_id', '=', userId).execute()
  return rows.map(row => row.group_id)
}

export async function memberIdsOf(db: Db, groupId: string): Promise<string[]> {
  const rows = await db.selectFrom('memberships').select('user_id').where('group_id', '=', groupId).execute()
  return rows.map(row => row.user_id)
}

/** By id, after one, so many at most; only those of a domain, and whose password expires then, where that is asked for. */
export function membersOf(
  db: Db,
  groupId: string,
  which: {
    readonly after: string
    readonly limit: number
    readonly domainId?: string
    readonly expires?: { readonly operator: '<' | '<=' | '>' | '>=' | '=' | '!='; readonly time: string }
  },
): Promise<UserRow[]> {
  const { after, limit, domainId, expires } = which
  let query = db
    .selectFrom('memberships')
    .innerJoin('users', 'users.id', 'memberships.user_id')
    .where('memberships.group_id', '=', groupId)
    .where('memberships.user_id', '>', after)
  if (domainId) query = query.where('users.domain_id', '=', domainId)
  if (expires) query = query.where('users.password_expires_at', expires.operator, expires.time)
  return query.selectAll('users').orderBy('memberships.user_id').limit(limit).execute()
}

export async function isMember(db: Db, userId: string, groupId: string): Promise<boolean> {
  const row = await db
    .selectFrom('memberships')
    .select('user_id')
    .where('user_id', '=', userId)
    .where('group_id', '=', groupId)
    .executeTakeFirst()
  return row !== undefined
}

/** True when it was not there before. */
export async function addMember(db: Db, userId: string, groupId: string): Promise<boolean> {
  if (await isMember(db, userId, groupId)) return false
  await db.insertInto('memberships').values({ user_id: userId, group_id: groupId }).execute()
  return true
}

export async function removeMember(db: Db, userId: string, groupId: string): Promise<void> {
  await db.deleteFrom('memberships').where('user_id', '=', userId).where('group_id', '=', groupId).execute()
}
