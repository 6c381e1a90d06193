/**
 * Users and groups of directories, as identity remembers them: which local id is behind which public one, and the rows that
 * stand for them in the tables of users and groups, with what the directory said last. Who was not found there any more is
 * *gone*: kept with roles and credentials, but disabled and shown to nobody, until found again.
 */
import { sql } from '@strata/toolkit/store'
import type { ActorType, Db, Tables } from './tables.ts'
import type { GroupRow, UserRow } from './user.ts'

export type IdMapping = Tables['id_mappings']

export function findMapping(db: Db, publicId: string): Promise<IdMapping | undefined> {
  return db.selectFrom('id_mappings').selectAll().where('public_id', '=', publicId).executeTakeFirst()
}

export function findMappings(db: Db, publicIds: readonly string[]): Promise<IdMapping[]> {
  if (publicIds.length === 0) return Promise.resolve([])
  return db
    .selectFrom('id_mappings')
    .selectAll()
    .where('public_id', 'in', [...publicIds])
    .execute()
}

/** Ids of groups of directories that have a role somewhere. */
export async function assignedGroupIds(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom('id_mappings')
    .select('public_id')
    .where('entity_type', '=', 'group')
    .where('gone', '=', 0)
    .where(eb =>
      eb.exists(
        eb
          .selectFrom('assignments')
          .select('actor_id')
          .whereRef('actor_id', '=', 'id_mappings.public_id')
          .where('actor_type', '=', 'group'),
      ),
    )
    .execute()
  return rows.map(row => row.public_id)
}

/** Rows of one statement: engines have a limit of values. */
const atOnce = 500

async function inParts<T>(all: readonly T[], act: (some: readonly T[]) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < all.length; at += atOnce) await act(all.slice(at, at + atOnce))
}

/** Adds those that are not there, and marks the others as there again. */
export async function keepMappings(db: Db, mappings: readonly Omit<IdMapping, 'gone'>[]): Promise<void> {
  await inParts(mappings, async some => {
    const ids = some.map(one => one.public_id)
    const known = new Set((await findMappings(db, ids)).map(one => one.public_id))
    const fresh = some.filter(one => !known.has(one.public_id)).map(one => ({ ...one, gone: 0 }))
    if (known.size > 0)
      await db
        .updateTable('id_mappings')
        .set({ gone: 0 })
        .where('public_id', 'in', [...known])
        .execute()
    if (fresh.length > 0) await db.insertInto('id_mappings').values(fresh).execute()
  })
}

export async function removeMapping(db: Db, publicId: string): Promise<void> {
  await db.deleteFrom('id_mappings').where('public_id', '=', publicId).execute()
}

const table = { user: 'users', group: 'user_groups' } as const

/** Its name becomes its id, which no other can have. */
export async function freeName(db: Db, type: ActorType, id: string): Promise<void> {
  await db.updateTable(table[type]).set({ name: id }).where('id', '=', id).execute()
}

/** Who has which of the names now: name → id. */
export async function holdersOf(
  db: Db,
  type: ActorType,
  domainId: string,
  names: readonly string[],
): Promise<Map<string, string>> {
  const holders = new Map<string, string>()
  await inParts(names, async some => {
    const rows = await db
      .selectFrom(table[type])
      .select(['id', 'name'])
      .where('domain_id', '=', domainId)
      .where('name', 'in', [...some])
      .execute()
    for (const { id, name } of rows) holders.set(name, id)
  })
  return holders
}

/** Marks it gone: disabled, in no group, and its name free. */
export async function markGone(db: Db, mapping: IdMapping): Promise<void> {
  const { public_id: id, entity_type: type } = mapping
  await db.updateTable('id_mappings').set({ gone: 1 }).where('public_id', '=', id).execute()
  await freeName(db, type, id)
  if (type === 'user') await db.updateTable('users').set({ enabled: 0 }).where('id', '=', id).execute()
  await db
    .deleteFrom('memberships')
    .where(type === 'user' ? 'user_id' : 'group_id', '=', id)
    .execute()
}

/** As `markGone`, all of a domain. */
export async function markAllGone(db: Db, domainId: string): Promise<void> {
  const mapped = (type: ActorType) =>
    db.selectFrom('id_mappings').select('public_id').where('domain_id', '=', domainId).where('entity_type', '=', type)
  await db.deleteFrom('memberships').where('user_id', 'in', mapped('user')).execute()
  await db.deleteFrom('memberships').where('group_id', 'in', mapped('group')).execute()
  await db
    .updateTable('users')
    .set({ enabled: 0, name: sql.ref('id') })
    .where('id', 'in', mapped('user'))
    .execute()
  await db
    .updateTable('user_groups')
    .set({ name: sql.ref('id') })
    .where('id', 'in', mapped('group'))
    .execute()
  await db.updateTable('id_mappings').set({ gone: 1 }).where('domain_id', '=', domainId).execute()
}

/** True when users or groups of the domain are identity's own. */
export async function hasOwnActors(db: Db, domainId: string): Promise<boolean> {
  const mapped = db.selectFrom('id_mappings').select('public_id').where('domain_id', '=', domainId)
  for (const name of ['users', 'user_groups'] as const) {
    const row = await db
      .selectFrom(name)
      .select('id')
      .where('domain_id', '=', domainId)
      .where('id', 'not in', mapped)
      .limit(1)
      .executeTakeFirst()
    if (row) return true
  }
  return false
}

export type UserImage = Pick<
  UserRow,
  'id' | 'name' | 'display_name' | 'domain_id' | 'enabled' | 'default_project_id' | 'extra'
>

export async function updateUser(db: Db, { id, ...values }: UserImage): Promise<void> {
  await db.updateTable('users').set(values).where('id', '=', id).execute()
}

export async function updateGroup(db: Db, { id, ...values }: GroupRow): Promise<void> {
  await db.updateTable('user_groups').set(values).where('id', '=', id).execute()
}

export const insertUsers = (db: Db, rows: readonly UserImage[]): Promise<void> =>
  inParts(rows, some =>
    db
      .insertInto('users')
      .values(some.map(row => ({ ...row, options: '{}', password_expires_at: null })))
      .execute(),
  )

export const insertGroups = (db: Db, rows: readonly GroupRow[]): Promise<void> =>
  inParts(rows, some =>
    db
      .insertInto('user_groups')
      .values([...some])
      .execute(),
  )

export const addMemberships = (db: Db, rows: readonly Tables['memberships'][]): Promise<void> =>
  inParts(rows, some =>
    db
      .insertInto('memberships')
      .values([...some])
      .execute(),
  )

export async function removeRow(db: Db, type: ActorType, id: string): Promise<void> {
  await db.deleteFrom(table[type]).where('id', '=', id).execute()
}
