/**
 * The rows that stand for users and groups of a directory in identity's own tables, so that roles, names and credentials are
 * looked up as for everyone else. They say what the directory said when it was last asked.
 */
import { hash } from 'node:crypto'
import { type AfterCommit, isUniqueViolation } from '@strata/toolkit/store'
import {
  findMappings,
  freeName,
  holderOf,
  type IdMapping,
  keepMapping,
  markGone,
  type UserImage,
  writeGroup,
  writeUser,
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
      for (const id of wanted) if (!known.has(id)) await tx.insertInto('memberships').values(rowOf(id)).execute()
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
        write: writeUser,
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
        write: writeGroup,
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
  write(db: Db, row: I, known: boolean): Promise<void>
}

/** Brings the rows up to what the entries say; in the order of the entries. Nothing is written when nothing is new. */
async function keep<
  E extends { id: string; name: string },
  R extends { id: string; name: string },
  I extends R | UserImage,
>(kit: Keeping<E, R, I>): Promise<R[]> {
  const { store, domainId, type, entries } = kit
  const ids = entries.map(entry => publicId(domainId, type, entry.id))
  const rowsIn = async (db: Db) => new Map((await kit.find(db, ids)).map(row => [row.id, row]))
  const stale = async (db: Db) => {
    const rows = await rowsIn(db)
    const gone = new Set((await findMappings(db, ids)).filter(one => one.gone).map(one => one.public_id))
    const changedOnes = entries.filter((entry, at) => {
      const id = ids[at]!
      return gone.has(id) || !says(rows.get(id), kit.image(entry, id), kit.readUnnamed)
    })
    return { rows, changedOnes }
  }
  const before = await stale(store.db)
  if (before.changedOnes.length === 0) return inOrder(ids, before.rows)
  const write = () =>
    store.transaction(async (tx, afterCommit) => {
      const { rows, changedOnes } = await stale(tx)
      const keeps = new Set(ids)
      for (const entry of changedOnes) {
        const id = publicId(domainId, type, entry.id)
        await keepMapping(tx, { public_id: id, domain_id: domainId, entity_type: type, local_id: entry.id })
        const holder = await holderOf(tx, type, domainId, entry.name)
        // Whose name it was will be asked for under its new one; who was just named so, or is no one of the directory's, keeps it.
        const mine = holder === undefined || holder === id || (mayBeMapped(holder) && !keeps.has(holder))
        if (mine && holder !== undefined && holder !== id) await freeName(tx, type, holder)
        const image = kit.image(entry, id)
        await kit.write(tx, mine ? image : kit.unnamed(image), rows.has(id))
      }
      if (changedOnes.some(entry => rows.has(publicId(domainId, type, entry.id)))) kit.changed(afterCommit)
      return inOrder(ids, await rowsIn(tx))
    })
  // Where transactions run side by side, another login may have written the same meanwhile: look again, once.
  return write().catch(thrown => {
    if (!isUniqueViolation(thrown)) throw thrown
    return write()
  })
}

/** True when the row has the values of the image, or those that it has while another has its name. */
function says<I extends object>(row: object | undefined, image: I, unnamed: (image: I) => I): boolean {
  if (!row) return false
  const has = (values: I) =>
    Object.entries(values).every(([name, value]) => (row as Record<string, unknown>)[name] === value)
  return has(image) || has(unnamed(image))
}

const inOrder = <R>(ids: readonly string[], rows: ReadonlyMap<string, R>): R[] =>
  [...new Set(ids)].flatMap(id => rows.get(id) ?? [])

const same = (one: readonly string[], other: readonly string[]): boolean => {
  const set = new Set(one)
  return set.size === other.length && other.every(id => set.has(id))
}
