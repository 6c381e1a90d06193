/** Changes of users and groups that are of a directory: made there, and then seen in identity's rows. */
import { invalid, loginFailed, missing, otherDirectory } from '../../contract/errors.ts'
import { removeActor } from '../../store/assignment.ts'
import { assignedGroupIds, removeMapping, removeRow } from '../../store/id-mapping.ts'
import type { ActorType } from '../../store/tables.ts'
import { newId, type Parts } from '../parts.ts'
import type { UserChange } from '../ports/directory.ts'
import { findActor, shown } from './list.ts'
import type { DomainDirectory } from './registry.ts'
import { publicId } from './shadow.ts'

export type { ActorType }

type Values = Readonly<Record<string, unknown>>

export function peopleLogic(parts: Parts) {
  const { store, directories } = parts
  const { shadow } = directories
  const revoke = (userId: string) =>
    store.transaction(async (tx, afterCommit) => {
      await parts.tokens.revoke(tx, { userId })
      parts.changed(afterCommit)
    })
  const saveUser = async (found: DomainDirectory, entry: Parameters<typeof shadow.users>[1][number]) => {
    const [row] = await shadow.users(found.domainId, [entry])
    return row!
  }
  return {
    /** The row, or undefined: what policies ask about. */
    findActor: (type: ActorType, id: string) => findActor(store.db, type, id),
    async create(type: ActorType, found: DomainDirectory, body: Values): Promise<object> {
      const name = String(body['name']).trim()
      const about = { ...body, name, id: newId(parts.runtime) }
      const { directory, domainId } = found
      const [row] =
        type === 'user'
          ? [await saveUser(found, await directory.createUser({ ...userChange(about), id: about.id, name }))]
          : await shadow.groups(domainId, [await directory.createGroup({ ...groupChange(about), id: about.id, name })])
      return (await shown(parts, type, [row!]))[0]!
    },
    async update(type: ActorType, id: string, body: Values): Promise<object> {
      const found = await directories.behind(type, id)
      if (!found) throw missing(type, id)
      const { directory, domainId, localId } = found
      if (body['domain_id'] !== undefined && body['domain_id'] !== domainId)
        throw invalid('domain_id', 'cannot be changed')
      if (type === 'group') {
        const [row] = await shadow.groups(domainId, [await directory.updateGroup(localId, groupChange(body))])
        return (await shown(parts, type, [row!]))[0]!
      }
      const row = await saveUser(found, await directory.updateUser(localId, userChange(body)))
      if (body['password'] !== undefined || body['enabled'] === false) await revoke(id)
      return (await shown(parts, type, [row]))[0]!
    },
    async remove(type: ActorType, id: string): Promise<void> {
      const found = await directories.behind(type, id)
      if (!found) throw missing(type, id)
      await (type === 'user' ? found.directory.deleteUser(found.localId) : found.directory.deleteGroup(found.localId))
      await store.transaction(async (tx, afterCommit) => {
        await removeActor(tx, { type, id })
        await removeRow(tx, type, id)
        await removeMapping(tx, id)
        parts.changed(afterCommit)
      })
      directories.forget(id)
    },
    /** By the user itself, who knows the present password. */
    async changePassword(found: DomainDirectory & { localId: string }, passwords: { original: string; next: string }) {
      const { directory, domainId, localId } = found
      const user = await directory.authenticate({ id: localId }, passwords.original)
      if (!user?.enabled) throw loginFailed()
      await directory.updateUser(localId, { password: passwords.next })
      await revoke(publicId(domainId, 'user', localId))
    },
    /** The directory that both are of; undefined when neither is of any. Throws a 403 for what lies across. */
    async together(userId: string, groupId: string) {
      const user = await directories.behind('user', userId)
      const of = await directories.behind('group', groupId)
      if (!user && !of) return undefined
      if (!user || !of || user.domainId !== of.domainId) throw otherDirectory()
      return { directory: of.directory, user: user.localId, group: of.localId }
    },
    /** Asks about whom a list of assignments may name; `effective`: also about who is in the groups that have any. */
    async refreshAssigned(asked: { users: readonly string[]; groups: readonly string[]; effective: boolean }) {
      await directories.refreshAll('user', asked.users)
      // What a user is in was just asked.
      const all = asked.effective && asked.users.length === 0
      await directories.refreshAll('group', all ? await assignedGroupIds(store.db) : asked.groups)
    },
    /** After a change of who is in which group. */
    async membersChanged(userId: string, groupId: string): Promise<void> {
      for (const id of [userId, groupId]) directories.forget(id)
      await directories.refresh('user', userId)
    },
  }
}

const ownFields = new Set([
  'id',
  'name',
  'domain_id',
  'enabled',
  'default_project_id',
  'options',
  'password',
  'password_expires_at',
  'links',
])

const extraIn = (body: Values, own: ReadonlySet<string>): Values =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !own.has(name)))

function userChange(body: Values): UserChange {
  if (Object.keys((body['options'] as object | undefined) ?? {}).length > 0)
    throw invalid('options', 'is not for users of a directory')
  return {
    ...(body['name'] !== undefined && { name: String(body['name']).trim() }),
    ...(body['enabled'] !== undefined && { enabled: body['enabled'] === true }),
    ...(body['password'] !== undefined && { password: body['password'] as string | null }),
    ...(body['default_project_id'] !== undefined && { defaultProjectId: body['default_project_id'] as string | null }),
    extra: extraIn(body, ownFields),
  }
}

const groupFields = new Set(['id', 'name', 'domain_id', 'description', 'links'])

const groupChange = (body: Values) => ({
  ...(body['name'] !== undefined && { name: String(body['name']).trim() }),
  ...(body['description'] !== undefined && { description: body['description'] as string | null }),
  extra: extraIn(body, groupFields),
})
