/**
 * The rows that stand for users and groups of a directory in identity's own tables, so that roles, names and credentials are
 * looked up as for everyone else. They say what the directory said when it was last asked.
 */
import { hash } from 'node:crypto'
import { type AfterCommit, isUniqueViolation } from '@strata/toolkit/store'
import {
  addMemberships,
  findMappings,
  freeName,
  holdersOf,
  type IdMapping,
  insertGroups,
  insertUsers,
  keepMappings,
  markGone,
  type UserImage,
  updateGroup,
  updateUser,
} from '../../store/id-mapping.ts'
import type { ActorType, Db, IdentityStore } from '../../store/tables.ts'
import { findGroups, findUsers, type GroupRow, groupIdsOf, memberIdsOf, type UserRow } from '../../store/user.ts'
import type { DirectoryGroup, DirectoryUser } from '../ports/directory.ts'

/** The id by which clients know it, the same for ever; made as Keystone makes it. */
export const publicId = (domainId: string, type: ActorType, localId: string): string =>
  hash('sha256', `${domainId}${type}${localId}`, 'hex')

/** Others have ids of another form, mostly: who has not this one is of no directory. */
export const mayBeMapped = (id: string): boolean => /^[0-9a-f]{64}$/.test(id)

export interface Shadow {
  users(domainId: string, entries: readonly DirectoryUser[]): Promise<UserRow[]>
  groups(domainId: string, entries: readonly DirectoryGroup[]): Promise<GroupRow[]>
  setGroupsOf(userId: string, groupIds: readonly string[]): Promise<void>
  setMembersOf(groupId: string, userIds: readonly string[]): Promise<void>
  gone(mapping: IdMapping): Promise<void>
}

export function createShadow(options: {
  readonly store: IdentityStore
  /** Once the transaction is through, what was known of tokens is forgotten. */
  changed(afterCommit: AfterCommit): void
}): Shadow {
  const { store, changed } = options
  const members = async (
    now: readonly string[],
    before: (db: Db) => Promise<string[]>,
    rowOf: (id: string) => { user_id: string; group_id: string },
  ) => {
    if (same(now, await before(store.db))) return
    await store.transaction(async (tx, afterCommit) => {
      const known = new Set(await before(tx))
      const wanted = new Set(now)
      await addMemberships(tx, [...wanted].filter(id => !known.has(id)).map(rowOf))
      for (const id of known) {
        const { user_id, group_id } = rowOf(id)
        if (!wanted.has(id))
          await tx.deleteFrom('memberships').where('user_id', '=', user_id).where('group_id', '=', group_id).execute()
      }
      changed(afterCommit)
    })
  }
  return {
    users: (domainId, entries) =>
      keep<DirectoryUser, UserRow, UserImage>({
        ...options,
        domainId,
        entries,
        type: 'user',
        find: findUsers,
        image: (entry, id) => ({
          id,
          name: entry.name,
          display_name: null,
          domain_id: domainId,
          enabled: entry.enabled ? 1 : 0,
          default_project_id: entry.defaultProjectId ?? null,
          extra: JSON.stringify(entry.extra),
        }),
        unnamed: row => ({ ...row, name: row.id, display_name: row.name }),
        readUnnamed: row => ({ ...row, display_name: row.name }),
        update: updateUser,
        insert: insertUsers,
      }),
    groups: (domainId, entries) =>
      keep<DirectoryGroup, GroupRow, GroupRow>({
        ...options,
        domainId,
        entries,
        type: 'group',
        find: findGroups,
        image: (entry, id) => ({
          id,
          name: entry.name,
          domain_id: domainId,
          description: entry.description ?? '',
          extra: JSON.stringify(entry.extra),
        }),
        unnamed: row => ({ ...row, name: row.id }),
        readUnnamed: row => ({ ...row, name: row.id }),
        update: updateGroup,
        insert: insertGroups,
      }),
    setGroupsOf: (userId, groupIds) =>
      members(
        groupIds,
        db => groupIdsOf(db, userId),
        id => ({ user_id: userId, group_id: id }),
      ),
    setMembersOf: (groupId, userIds) =>
      members(
        userIds,
        db => memberIdsOf(db, groupId),
        id => ({ user_id: id, group_id: groupId }),
      ),
    async gone(mapping) {
      if (mapping.gone) return
      await store.transaction(async (tx, afterCommit) => {
        await markGone(tx, mapping)
        changed(afterCommit)
      })
    },
  }
}

interface Keeping<E, R, I> {
  readonly store: IdentityStore
  changed(afterCommit: AfterCommit): void
  readonly domainId: string
  readonly type: ActorType
  readonly entries: readonly E[]
  find(db: Db, ids: readonly string[]): Promise<R[]>
  /** The row that the entry should have. */
  image(entry: E, id: string): I
  /** The same for one whose name another has. */
  unnamed(row: I): I
  /** And as such a row is read. */
  readUnnamed(row: I): I
  update(db: Db, row: I): Promise<void>
  insert(db: Db, rows: readonly I[]): Promise<void>
}

/** Brings the rows up to what the entries say; in the order of the entries. Nothing is written when nothing is new. */
async function keep<
  E extends { id: string; name: string },
  R extends { id: string; name: string },
  I extends R | UserImage,
>(kit: Keeping<E, R, I>): Promise<R[]> {
  const { store, domainId, type } = kit
  const entries = new Map(kit.entries.map(entry => [publicId(domainId, type, entry.id), entry]))
  const ids = [...entries.keys()]
  const look = async (db: Db) => {
    const rows = new Map((await kit.find(db, ids)).map(row => [row.id, row]))
    const gone = new Set((await findMappings(db, ids)).filter(one => one.gone).map(one => one.public_id))
    const images = [...entries].map(([id, entry]) => kit.image(entry, id))
    return { rows, stale: images.filter(image => gone.has(image.id) || !says(rows.get(image.id), image, kit)) }
  }
  const inOrder = (rows: ReadonlyMap<string, R>) => ids.flatMap(id => rows.get(id) ?? [])
  const { rows, stale } = await look(store.db)
  if (stale.length === 0) return inOrder(rows)
  const write = () =>
    store.transaction(async (tx, afterCommit) => {
      const { rows, stale } = await look(tx)
      await keepMappings(
        tx,
        stale.map(({ id }) => ({
          public_id: id,
          domain_id: domainId,
          entity_type: type,
          local_id: entries.get(id)!.id,
        })),
      )
      const [known, fresh] = [stale.filter(({ id }) => rows.has(id)), stale.filter(({ id }) => !rows.has(id))]
      for (const { id } of known) await freeName(tx, type, id)
      const named = await nameable(tx, kit, stale, id => entries.has(id))
      for (const image of known) await kit.update(tx, named(image))
      await kit.insert(tx, fresh.map(named))
      if (known.length > 0) kit.changed(afterCommit)
      return inOrder((await look(tx)).rows)
    })
  // Where transactions run side by side, another login may have written the same meanwhile: look again, once.
  return write().catch(thrown => {
    if (!isUniqueViolation(thrown)) throw thrown
    return write()
  })
}

/** Tells how each is to be written: with its name, or without where another has it. */
async function nameable<I extends { id: string; name: string }>(
  tx: Db,
  kit: Pick<Keeping<never, never, I>, 'domainId' | 'type' | 'unnamed'>,
  images: readonly I[],
  current: (id: string) => boolean,
): Promise<(image: I) => I> {
  const { domainId, type } = kit
  const holders = await holdersOf(
    tx,
    type,
    domainId,
    images.map(image => image.name),
  )
  const taken = new Set<string>()
  // Who had the name before will be asked for under its new one; who has it now, or is no one of the directory's, keeps it.
  for (const [name, holder] of holders)
    if (current(holder) || !mayBeMapped(holder)) taken.add(name)
    else await freeName(tx, type, holder)
  return image => {
    if (taken.has(image.name)) return kit.unnamed(image)
    taken.add(image.name)
    return image
  }
}

/** True when the row has the values of the image, or those that it has while another has its name. */
function says<I extends object>(
  row: object | undefined,
  image: I,
  { readUnnamed }: { readUnnamed(image: I): I },
): boolean {
  if (!row) return false
  const has = (values: I) =>
    Object.entries(values).every(([name, value]) => (row as Record<string, unknown>)[name] === value)
  return has(image) || has(readUnnamed(image))
}

const same = (one: readonly string[], other: readonly string[]): boolean => {
  const set = new Set(one)
  return set.size === other.length && other.every(id => set.has(id))
}
