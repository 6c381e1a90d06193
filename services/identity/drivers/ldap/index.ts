/**
 * Users and groups of an LDAP server or Active Directory, read and, where the options allow it, written. A *tree* is the part
 * of the directory where users (or groups) are; an entry is one of them when it is there and matches the *filter*: object
 * class, the operator's own filter, an id. See `contract/domain-config.ts` for the options.
 */
import type { Runtime } from '@strata/toolkit/runtime'
import { type LdapOptions, ldapOptions, readGroup } from '../../contract/domain-config.ts'
import type { DirectoryDriver } from '../../logic/ports/directory.ts'
import { childDn, parseDn } from './dn.ts'
import { groupProperties, userProperties } from './entry.ts'
import { all, equals, present, written } from './filters.ts'
import { type Kit, reading } from './read.ts'
import { createServer } from './server.ts'
import { writing } from './write.ts'

export const ldapDriver =
  ({ runtime }: { readonly runtime: Runtime }): DirectoryDriver =>
  (given, { domainId }) => {
    const options = readGroup(ldapOptions, given)
    const kit = kitOf(options, { runtime, server: createServer({ options, runtime, domainId }) })
    const read = reading(kit)
    return { ...read, ...writing(kit, read), close: async () => kit.server.close() }
  }

function kitOf(options: LdapOptions, rest: Pick<Kit, 'runtime' | 'server'>): Kit {
  const userTree = options.user_tree_dn || `ou=Users,${options.suffix}`
  const groupTree = options.group_tree_dn || `ou=UserGroups,${options.suffix}`
  for (const [name, dn] of Object.entries({ user_tree_dn: userTree, group_tree_dn: groupTree }))
    if (!parseDn(dn)) throw new Error(`${name} is no distinguished name`)
  const own = options.user_enabled_emulation_use_group_config
  return {
    ...rest,
    options,
    userTree,
    groupTree,
    enabledGroup: options.user_enabled_emulation
      ? {
          dn: options.user_enabled_emulation_dn || childDn('cn', 'enabled_users', userTree),
          member: own ? options.group_member_attribute : 'member',
          ids: own && options.group_members_are_ids,
        }
      : undefined,
    isUser: all(
      equals('objectClass', options.user_objectclass),
      present(options.user_id_attribute),
      ...written('user_filter', options.user_filter),
    ),
    isGroup: all(
      equals('objectClass', options.group_objectclass),
      present(options.group_id_attribute),
      ...written('group_filter', options.group_filter),
    ),
    userAttributes: [
      options.user_id_attribute,
      options.user_name_attribute,
      options.user_enabled_attribute,
      ...userProperties(options).values(),
    ],
    groupAttributes: [options.group_id_attribute, options.group_name_attribute, ...groupProperties(options).values()],
  }
}
