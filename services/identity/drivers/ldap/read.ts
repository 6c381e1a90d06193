/** Finding users and groups in a directory. */
import type { Runtime } from '@strata/toolkit/runtime'
import type { Entry, Filter } from 'ldapts'
import type { LdapOptions } from '../../contract/domain-config.ts'
import {
  chooser,
  type Directory,
  type DirectoryGroup,
  type DirectoryQuery,
  type DirectoryUser,
} from '../../logic/ports/directory.ts'
import { childDn, dnKey, parseDn } from './dn.ts'
import { groupOf, userOf, valuesOf } from './entry.ts'
import { all, any, equals, inChain, named, present } from './filters.ts'
import type { LdapServer } from './server.ts'

/** What reading and writing share. */
export interface Kit {
  readonly options: LdapOptions
  readonly server: LdapServer
  readonly runtime: Runtime
  readonly userTree: string
  readonly groupTree: string
  /** The DN of the group of those who are enabled, where there is one, and how it names its members. */
  readonly enabledGroup: { readonly dn: string; readonly member: string; readonly ids: boolean } | undefined
  readonly isUser: Filter
  readonly isGroup: Filter
  readonly userAttributes: readonly string[]
  readonly groupAttributes: readonly string[]
}

/** A user with the DN of its entry. */
export interface FoundUser {
  readonly dn: string
  readonly entry: Entry
  readonly user: DirectoryUser
}

export interface Reading
  extends Pick<
    Directory,
    'authenticate' | 'findUser' | 'listUsers' | 'findGroup' | 'listGroups' | 'groupsOf' | 'membersOf'
  > {
  userEntries(filter: Filter | undefined): Promise<FoundUser[]>
  groupEntry(id: string): Promise<{ dn: string; group: DirectoryGroup } | undefined>
}

export function reading(kit: Kit): Reading {
  const { options, server, userTree, groupTree, isUser, isGroup } = kit
  const scope = options.query_scope
  const searchUsers = async (filter: Filter | undefined, take: (found: FoundUser) => void) => {
    const enabled = await enabledMembers(kit)
    const attributes = kit.userAttributes
    await server.search({ base: userTree, scope, filter: filter ? all(isUser, filter) : isUser, attributes }, entry => {
      const user = userOf(entry, options, enabled)
      if (user) take({ dn: entry.dn, entry, user })
    })
  }
  const userEntries = async (filter: Filter | undefined) => {
    const found: FoundUser[] = []
    await searchUsers(filter, one => void found.push(one))
    return found
  }
  const oneUser = async (id: string) =>
    (await userEntries(equals(options.user_id_attribute, id))).find(({ user }) => user.id === id)
  const searchGroups = async (filter: Filter | undefined, take: (group: DirectoryGroup, dn: string) => void) => {
    const attributes = kit.groupAttributes
    await server.search(
      { base: groupTree, scope, filter: filter ? all(isGroup, filter) : isGroup, attributes },
      entry => {
        const group = groupOf(entry, options)
        if (group) take(group, entry.dn)
      },
    )
  }
  const groupEntry = async (id: string) => {
    const found: { dn: string; group: DirectoryGroup }[] = []
    await searchGroups(equals(options.group_id_attribute, id), (group, dn) => void found.push({ dn, group }))
    return found.find(({ group }) => group.id === id)
  }
  return {
    userEntries,
    groupEntry,
    findUser: async id => (await oneUser(id))?.user,
    findGroup: async id => (await groupEntry(id))?.group,
    async authenticate(who, password) {
      const byName =
        'name' in who && who.name !== '' ? await userEntries(equals(options.user_name_attribute, who.name)) : []
      const found = 'id' in who ? await oneUser(who.id) : byName.length === 1 ? byName[0] : undefined
      const nobody = childDn('cn', Buffer.from(kit.runtime.bytes(12)).toString('hex'), userTree)
      const right = await server.bind(found?.dn ?? nobody, password)
      return found && right ? found.user : undefined
    },
    async listUsers(query) {
      const chosen = chooser<DirectoryUser>(query)
      await searchUsers(namesIn(query, options.user_name_attribute), ({ user }) => chosen.offer(user))
      return chosen.chosen()
    },
    async listGroups(query) {
      const chosen = chooser<DirectoryGroup>(query)
      await searchGroups(namesIn(query, options.group_name_attribute), group => chosen.offer(group))
      return chosen.chosen()
    },
    async groupsOf(userId) {
      const found = await oneUser(userId)
      if (!found) return []
      const groups: DirectoryGroup[] = []
      const { group_member_attribute: attribute, group_members_are_ids: ids, group_ad_nesting: nested } = options
      const filter = nested ? inChain('member', found.dn) : equals(attribute, ids ? userId : found.dn)
      await searchGroups(filter, group => void groups.push(group))
      return groups
    },
    async membersOf(groupId) {
      const group = await groupEntry(groupId)
      if (!group) return []
      const found = options.group_ad_nesting
        ? await userEntries(inChain('memberOf', group.dn))
        : await members(kit, await memberValues(kit, group.dn, options.group_member_attribute), userEntries)
      return found.map(({ user }) => user)
    },
  }
}

function namesIn(query: DirectoryQuery, attribute: string): Filter | undefined {
  const filters = query.names.flatMap(match => named(attribute, match) ?? [])
  return filters.length > 0 ? all(...filters) : undefined
}

/** How many entries one search asks for by name. */
const atOnce = 100

async function members(
  { options }: Kit,
  values: readonly string[],
  userEntries: Reading['userEntries'],
): Promise<FoundUser[]> {
  const found: FoundUser[] = []
  for (let at = 0; at < values.length; at += atOnce) {
    const some = values.slice(at, at + atOnce)
    if (options.group_members_are_ids) {
      const wanted = new Set(some)
      const users = await userEntries(any(...some.map(id => equals(options.user_id_attribute, id))))
      found.push(...users.filter(({ user }) => wanted.has(user.id)))
      continue
    }
    const wanted = new Set(some.map(dnKey))
    const names = some.flatMap(dn => parseDn(dn)?.[0]?.[0] ?? [])
    if (names.length === 0) continue
    // Others elsewhere may be named alike: the whole DN decides.
    const users = await userEntries(any(...names.map(({ attribute, value }) => equals(attribute, value))))
    found.push(...users.filter(({ dn }) => wanted.has(dnKey(dn))))
  }
  return found
}

/** All values of an attribute of one entry; Active Directory gives long lists in parts (`member;range=0-1499`). */
export async function memberValues({ server }: Kit, dn: string, attribute: string): Promise<string[]> {
  const read = async (asked: string) =>
    (await server.entries({ base: dn, scope: 'base', filter: present('objectClass'), attributes: [asked] }))[0]
  const values: string[] = []
  let entry = await read(attribute)
  for (;;) {
    if (!entry) return values
    values.push(...valuesOf(entry, attribute))
    const part = Object.keys(entry).find(name => name.toLowerCase().startsWith(`${attribute.toLowerCase()};range=`))
    const end = part && /;range=\d+-(\d+|\*)$/i.exec(part)?.[1]
    if (!part || end === undefined) return values
    values.push(...valuesOf(entry, part))
    if (end === '*') return values
    entry = await read(`${attribute};range=${Number(end) + 1}-*`)
  }
}

/** Tells who is enabled, where a group does. */
async function enabledMembers(kit: Kit): Promise<((entry: Entry, id: string) => boolean) | undefined> {
  const { enabledGroup } = kit
  if (!enabledGroup) return undefined
  const values = await memberValues(kit, enabledGroup.dn, enabledGroup.member)
  const known = new Set(enabledGroup.ids ? values : values.map(dnKey))
  return (entry, id) => known.has(enabledGroup.ids ? id : dnKey(entry.dn))
}
