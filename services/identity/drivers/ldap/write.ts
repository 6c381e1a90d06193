/** Changing a directory: users, groups and members, as far as the options allow. */

import { Fault } from '@strata/toolkit/fault'
import {
  AlreadyExistsError,
  Attribute,
  Change,
  NoSuchAttributeError,
  NoSuchObjectError,
  TypeOrValueExistsError,
} from 'ldapts'
import type { LdapOptions } from '../../contract/domain-config.ts'
import { directoryReadOnly, directoryRefused, duplicate, missing } from '../../contract/errors.ts'
import type { Directory, DirectoryUser, GroupChange, UserChange } from '../../logic/ports/directory.ts'
import { childDn, dnKey, parseDn } from './dn.ts'
import { enabledValue, groupOf, groupProperties, isGuidAttribute, userProperties, valuesOf } from './entry.ts'
import { equals, present } from './filters.ts'
import { type FoundUser, type Kit, memberValues, type Reading } from './read.ts'

type Writing = Omit<Directory, keyof Reading | 'close'>

/** Attributes of an entry to be; an empty list removes one. */
type Attributes = Record<string, string[]>

export const writing = (kit: Kit, read: Reading): Writing => ({
  ...writingUsers(kit, read),
  ...writingGroups(kit, read),
})

function allow(allowed: boolean, what: string): void {
  if (!allowed) throw directoryReadOnly(what)
}

async function userEntry({ options }: Kit, read: Reading, id: string): Promise<FoundUser> {
  const found = (await read.userEntries(equals(options.user_id_attribute, id))).find(({ user }) => user.id === id)
  if (!found) throw missing('user', id)
  return found
}

async function groupEntry(read: Reading, id: string) {
  const found = await read.groupEntry(id)
  if (!found) throw missing('group', id)
  return found
}

function writingUsers(kit: Kit, read: Reading): Pick<Writing, 'createUser' | 'updateUser' | 'deleteUser'> {
  const { options, server } = kit
  return {
    async createUser({ id, ...values }) {
      allow(options.user_allow_create, 'have users created')
      const attributes = userAttributesOf(values, undefined, options)
      const naming = namingOf(options.user_id_attribute)
      const name = options.user_id_attribute === options.user_name_attribute || naming.free ? values.name : id
      const dn = childDn(naming.attribute, name, kit.userTree)
      await add(
        kit,
        dn,
        { ...personAttributes(options, values.name), ...attributes, [naming.attribute]: [name] },
        values.name,
      )
      const found = (await read.userEntries(equals(naming.attribute, name))).find(one => dnKey(one.dn) === dnKey(dn))
      if (!found) throw directoryRefused('what was created is not among its users')
      await setEnabled(kit, found, values.enabled ?? true)
      return await refreshed(read, found.user)
    },
    async updateUser(id, change) {
      allow(options.user_allow_update, 'have users changed')
      const found = await userEntry(kit, read, id)
      if (change.name !== undefined && change.name !== found.user.name)
        refuseNaming(found.dn, options.user_name_attribute)
      const before = valuesOf(found.entry, options.user_enabled_attribute)[0]
      await modify(kit, found.dn, userAttributesOf(change, before, options))
      if (change.enabled !== undefined) await setEnabled(kit, found, change.enabled)
      return await refreshed(read, found.user)
    },
    async deleteUser(id) {
      allow(options.user_allow_delete, 'have users deleted')
      const found = await userEntry(kit, read, id)
      for (const group of await read.groupsOf(id)) {
        const { dn } = await groupEntry(read, group.id)
        await leave(kit, { dn, attribute: options.group_member_attribute, value: memberOf(options, found) })
      }
      await setEnabled(kit, found, false)
      await server.change(client => client.del(found.dn))
    },
  }
}

function writingGroups(
  kit: Kit,
  read: Reading,
): Pick<Writing, 'createGroup' | 'updateGroup' | 'deleteGroup' | 'addMember' | 'removeMember'> {
  const { options, server } = kit
  const change = async (act: typeof join, groupId: string, userId: string) => {
    allow(options.group_allow_update, 'have groups changed')
    const [{ dn }, found] = [await groupEntry(read, groupId), await userEntry(kit, read, userId)]
    await act(kit, { dn, attribute: options.group_member_attribute, value: memberOf(options, found) })
  }
  return {
    async createGroup({ id, ...values }) {
      allow(options.group_allow_create, 'have groups created')
      const naming = namingOf(options.group_id_attribute)
      const name = options.group_id_attribute === options.group_name_attribute || naming.free ? values.name : id
      const dn = childDn(naming.attribute, name, kit.groupTree)
      await add(
        kit,
        dn,
        {
          objectClass: [options.group_objectclass],
          // Some classes must have a member: a group of nobody is one of itself.
          ...(/^groupOf(Unique)?Names$/i.test(options.group_objectclass) && { [options.group_member_attribute]: [dn] }),
          ...groupAttributesOf(values, options),
          [naming.attribute]: [name],
        },
        values.name,
      )
      return await readGroup(kit, dn)
    },
    async updateGroup(id, change) {
      allow(options.group_allow_update, 'have groups changed')
      const { dn, group } = await groupEntry(read, id)
      if (change.name !== undefined && change.name !== group.name) refuseNaming(dn, options.group_name_attribute)
      await modify(kit, dn, groupAttributesOf(change, options))
      return (await groupEntry(read, id)).group
    },
    async deleteGroup(id) {
      allow(options.group_allow_delete, 'have groups deleted')
      const { dn } = await groupEntry(read, id)
      await server.change(client => client.del(dn))
    },
    addMember: (groupId, userId) => change(join, groupId, userId),
    removeMember: (groupId, userId) => change(leave, groupId, userId),
  }
}

/** Where a group says who is enabled, by that group; it is made when there is someone in it. */
async function setEnabled(kit: Kit, found: FoundUser, enabled: boolean): Promise<void> {
  if (!kit.enabledGroup || found.user.enabled === enabled) return
  const { dn, member, ids } = kit.enabledGroup
  const one = { dn, attribute: member, value: ids ? found.user.id : found.dn }
  if (!enabled) return leave(kit, one)
  try {
    await join(kit, one)
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.cause instanceof NoSuchObjectError)) throw thrown
    await addEnabledGroup(kit, one)
  }
}

const memberOf = (options: LdapOptions, { dn, user }: FoundUser): string =>
  options.group_members_are_ids ? user.id : dn

const refreshed = async (read: Reading, user: DirectoryUser): Promise<DirectoryUser> => {
  const found = await read.findUser(user.id)
  if (!found) throw missing('user', user.id)
  return found
}

async function readGroup({ server, options, groupAttributes }: Kit, dn: string) {
  const [entry] = await server.entries({
    base: dn,
    scope: 'base',
    filter: present('objectClass'),
    attributes: groupAttributes,
  })
  const group = entry && groupOf(entry, options)
  if (!group) throw directoryRefused('what was created is not among its groups')
  return group
}

/** By which attribute entries are named; `free`: the server chooses the id, so that any name will do. */
function namingOf(idAttribute: string): { attribute: string; free: boolean } {
  const assigned = isGuidAttribute(idAttribute) || /^(entryUUID|objectSid|uSNCreated)$/i.test(idAttribute)
  return assigned ? { attribute: 'cn', free: true } : { attribute: idAttribute, free: false }
}

/** A name by which the entry is called in its DN is a matter of who keeps the directory. */
function refuseNaming(dn: string, attribute: string): void {
  if (dn.toLowerCase().startsWith(`${attribute.toLowerCase()}=`))
    throw directoryRefused('names by which entries are known cannot be changed')
}

/** Persons must have a name in common use and a family name. */
function personAttributes(options: LdapOptions, name: string): Attributes {
  const classes = { objectClass: [options.user_objectclass] }
  return /person|^user$/i.test(options.user_objectclass) ? { ...classes, cn: [name], sn: [name] } : classes
}

function userAttributesOf(change: UserChange, enabledBefore: string | undefined, options: LdapOptions): Attributes {
  const attributes: Attributes = {}
  if (change.name !== undefined) attributes[options.user_name_attribute] = [change.name]
  if (change.password !== undefined)
    attributes[options.user_pass_attribute] = change.password === null ? [] : [change.password]
  const emulated = options.user_enabled_emulation || options.user_attribute_ignore.includes('enabled')
  if (change.enabled === false && options.user_attribute_ignore.includes('enabled') && !options.user_enabled_emulation)
    throw directoryRefused('users cannot be disabled: their attribute for it is ignored')
  if (change.enabled !== undefined && !emulated) {
    const value = enabledValue(change.enabled, enabledBefore, options)
    if (value !== enabledBefore && value !== undefined) attributes[options.user_enabled_attribute] = [value]
  }
  const properties = userProperties(options)
  const extra: Record<string, unknown> = { ...change.extra }
  if (change.defaultProjectId !== undefined) extra['default_project_id'] = change.defaultProjectId
  return { ...attributes, ...mapped(extra, properties) }
}

function groupAttributesOf(change: GroupChange, options: LdapOptions): Attributes {
  const extra = {
    ...change.extra,
    ...(change.description !== undefined && { description: change.description || null }),
  }
  return {
    ...(change.name !== undefined && { [options.group_name_attribute]: [change.name] }),
    ...mapped(extra, groupProperties(options)),
  }
}

/** Properties by the attributes that hold them. Throws a 400 for one that none holds. */
function mapped(given: Readonly<Record<string, unknown>>, properties: ReadonlyMap<string, string>): Attributes {
  const attributes: Attributes = {}
  for (const [property, value] of Object.entries(given)) {
    const attribute = properties.get(property)
    if (attribute === undefined && (value === null || value === undefined)) continue
    if (attribute === undefined) throw directoryRefused(`it has no place for ${property}`)
    if (value !== null && typeof value !== 'string') throw directoryRefused(`${property} must be text`)
    attributes[attribute] = value === null || value === '' ? [] : [value]
  }
  return attributes
}

/** Values as they are sent: Active Directory wants passwords in quotes and UTF-16. */
function attributeOf(type: string, values: readonly string[]): Attribute {
  if (/^unicodePwd$/i.test(type))
    return new Attribute({ type, values: values.map(value => Buffer.from(`"${value}"`, 'utf16le')) })
  return new Attribute({ type, values: [...values] })
}

async function add(kit: Kit, dn: string, attributes: Attributes, name: string): Promise<void> {
  const given = Object.entries(attributes).filter(([, values]) => values.length > 0)
  await kit.server.change(async client => {
    try {
      await client.add(
        dn,
        given.map(([type, values]) => attributeOf(type, values)),
      )
    } catch (thrown) {
      if (thrown instanceof AlreadyExistsError) throw duplicate('entry', `name ${name}`)
      throw thrown
    }
  })
}

async function modify(kit: Kit, dn: string, attributes: Attributes): Promise<void> {
  const changes = Object.entries(attributes).map(
    ([type, values]) => new Change({ operation: 'replace', modification: attributeOf(type, values) }),
  )
  if (changes.length > 0) await kit.server.change(client => client.modify(dn, changes))
}

/** The group of those who are enabled, with its first member. */
async function addEnabledGroup(kit: Kit, { dn, attribute, value }: Member): Promise<void> {
  const named = parseDn(dn)?.[0]?.[0]
  const { options } = kit
  const objectClass = options.user_enabled_emulation_use_group_config ? options.group_objectclass : 'groupOfNames'
  if (named)
    await add(
      kit,
      dn,
      { objectClass: [objectClass], [named.attribute]: [named.value], [attribute]: [value] },
      named.value,
    )
}

/** One member of one group. */
interface Member {
  readonly dn: string
  readonly attribute: string
  readonly value: string
}

const memberChange = (operation: 'add' | 'delete', attribute: string, value: string) =>
  new Change({ operation, modification: attributeOf(attribute, [value]) })

const join = ({ server }: Kit, { dn, attribute, value }: Member): Promise<void> =>
  server.change(async client => {
    try {
      await client.modify(dn, memberChange('add', attribute, value))
    } catch (thrown) {
      if (!(thrown instanceof TypeOrValueExistsError)) throw thrown
    }
  })

/** The last member's place is taken by the group itself, where a group must have one. */
async function leave(kit: Kit, { dn, attribute, value }: Member): Promise<void> {
  const values = await memberValues(kit, dn, attribute)
  const last = values.length === 1 && /^groupOf(Unique)?Names$/i.test(kit.options.group_objectclass) && value !== dn
  const changes = [...(last ? [memberChange('add', attribute, dn)] : []), memberChange('delete', attribute, value)]
  await kit.server.change(async client => {
    try {
      await client.modify(dn, changes)
    } catch (thrown) {
      if (!(thrown instanceof NoSuchAttributeError)) throw thrown
    }
  })
}
