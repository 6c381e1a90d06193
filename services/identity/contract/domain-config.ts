/**
 * Configuration of single domains: which options may be set for a domain, their kinds and defaults, and the bodies of
 * `/v3/domains/{id}/config`. A *group* holds *options*; `identity.driver` says where the domain's users and groups come from
 * (`sql`: identity's own database; `ldap`, `pam`: a directory). Names and defaults are Keystone's where Keystone has one.
 */

export type OptionValue = string | number | boolean | readonly string[] | null

export interface Option<T extends OptionValue> {
  readonly default: T
  readonly description: string
  /** Taken, never shown. */
  readonly sensitive?: true
  /** The value as it is meant; undefined when it is none. `"true"`, `"5"` and `"a,b"` are taken as in configuration files. */
  read(given: unknown): T | undefined
}

type Kind<T extends OptionValue> = Pick<Option<T>, 'read'>

const text: Kind<string | null> = { read: given => (typeof given === 'string' ? given : undefined) }
const oneOf = <T extends string>(...choices: T[]): Kind<T> => ({
  read: given => choices.find(one => one === given),
})
const flag: Kind<boolean> = {
  read: given =>
    typeof given === 'boolean'
      ? given
      : /^(true|yes|on|1)$/i.test(String(given))
        ? true
        : /^(false|no|off|0)$/i.test(String(given))
          ? false
          : undefined,
}
const number = (minimum: number, whole = true): Kind<number> => ({
  read(given) {
    const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
    const fits = typeof value === 'number' && Number.isFinite(value) && value >= minimum
    return fits && (!whole || Number.isInteger(value)) ? value : undefined
  },
})
const list: Kind<readonly string[]> = {
  read(given) {
    const items = typeof given === 'string' ? given.split(',').map(one => one.trim()) : given
    if (!Array.isArray(items) || !items.every(one => typeof one === 'string')) return undefined
    return items.filter(one => one !== '')
  },
}

const option = <T extends OptionValue>(kind: Kind<T>, fallback: T, description: string): Option<T> => ({
  ...kind,
  default: fallback,
  description,
})
const filled = (fallback: string, description: string) => option(text as Kind<string>, fallback, description)
const maybe = (description: string) => option(text, null, description)

export const identityOptions = {
  driver: filled('sql', 'Where users and groups come from: sql, ldap or pam.'),
  list_limit: option(number(0) as Kind<number | null>, null, 'Users or groups of one page of a list, at most.'),
} as const

/** For the driver `ldap`. */
export const ldapOptions = {
  url: filled('ldap://localhost', 'Servers, tried in turn: ldap:// or ldaps:// URLs with commas between them.'),
  randomize_urls: option(flag, false, 'Try the servers in any order.'),
  user: maybe('DN as which the directory is searched; none: anonymously.'),
  password: { ...maybe('Password of that DN.'), sensitive: true as const },
  suffix: filled('cn=example,cn=com', 'Base of what is below unless given: ou=Users and ou=UserGroups.'),
  query_scope: option(oneOf('one', 'sub'), 'one', 'Look directly below the trees (one) or at any depth (sub).'),
  page_size: option(number(0), 0, 'Entries of one answer of the server (paged results); 0: all in one.'),
  alias_dereferencing: option(
    oneOf('never', 'searching', 'always', 'finding', 'default'),
    'default',
    'When aliases are followed.',
  ),
  debug_level: option(number(-1) as Kind<number | null>, null, 'Taken for compatibility; has no effect.'),
  chase_referrals: option(flag as Kind<boolean | null>, null, 'Taken for compatibility: referrals are never followed.'),
  user_tree_dn: maybe('Where users are.'),
  user_filter: maybe('Filter that users must match, too.'),
  user_objectclass: filled('inetOrgPerson', 'Object class of users.'),
  user_id_attribute: filled('cn', 'What a user is known by for ever. Of several values the first counts.'),
  user_name_attribute: filled('sn', 'Name that a user logs in with.'),
  user_description_attribute: filled('description', 'Description of a user.'),
  user_mail_attribute: filled('mail', 'Mail address of a user.'),
  user_pass_attribute: filled('userPassword', 'Where a new password is written.'),
  user_enabled_attribute: filled('enabled', 'Whether a user is enabled.'),
  user_enabled_invert: option(flag, false, 'The attribute says that the user is disabled.'),
  user_enabled_mask: option(number(0), 0, 'Bit of a number that is set for disabled users (Active Directory: 2).'),
  user_enabled_default: filled('True', 'What the attribute is taken for where it is missing (Active Directory: 512).'),
  user_attribute_ignore: option(list, ['default_project_id'], 'Properties of users that are neither read nor written.'),
  user_default_project_id_attribute: maybe('Default project of a user.'),
  user_enabled_emulation: option(flag, false, 'Users are enabled who are members of a group.'),
  user_enabled_emulation_dn: maybe('That group; cn=enabled_users below the tree of users unless given.'),
  user_enabled_emulation_use_group_config: option(flag, false, 'That group is as the options of groups say.'),
  user_additional_attribute_mapping: option(list, [], 'More properties: attribute:property.'),
  user_allow_create: option(flag, false, 'Users may be created in the directory.'),
  user_allow_update: option(flag, false, 'Users of the directory may be changed.'),
  user_allow_delete: option(flag, false, 'Users of the directory may be deleted.'),
  group_tree_dn: maybe('Where groups are.'),
  group_filter: maybe('Filter that groups must match, too.'),
  group_objectclass: filled('groupOfNames', 'Object class of groups.'),
  group_id_attribute: filled('cn', 'What a group is known by for ever.'),
  group_name_attribute: filled('ou', 'Name of a group.'),
  group_member_attribute: filled('member', 'Members of a group.'),
  group_members_are_ids: option(flag, false, 'Members are ids of users, not DNs.'),
  group_desc_attribute: filled('description', 'Description of a group.'),
  group_attribute_ignore: option(list, [], 'Properties of groups that are neither read nor written.'),
  group_additional_attribute_mapping: option(list, [], 'More properties: attribute:property.'),
  group_ad_nesting: option(flag, false, 'Members of groups in groups count (Active Directory).'),
  group_allow_create: option(flag, false, 'Groups may be created in the directory.'),
  group_allow_update: option(flag, false, 'Groups of the directory, and their members, may be changed.'),
  group_allow_delete: option(flag, false, 'Groups of the directory may be deleted.'),
  tls_cacertfile: maybe('File with certificates of authorities that are trusted.'),
  tls_cacertdir: maybe('Folder of such files.'),
  use_tls: option(flag, false, 'Encrypt connections to ldap:// servers (StartTLS).'),
  tls_req_cert: option(oneOf('demand', 'never', 'allow'), 'demand', 'Whether the server’s certificate must be good.'),
  connection_timeout: option(number(-1), -1, 'Seconds to wait for the server; -1: five.'),
  use_pool: option(flag, true, 'Keep connections for searches.'),
  pool_size: option(number(1), 10, 'Connections for searches, at most.'),
  pool_retry_max: option(number(1), 3, 'Rounds through all servers before one gives up.'),
  pool_retry_delay: option(number(0, false), 0.1, 'Seconds between them.'),
  pool_connection_timeout: option(number(-1), -1, 'Seconds to wait for a connection; -1: five.'),
  pool_connection_lifetime: option(number(1), 600, 'Seconds after which a connection is replaced.'),
  use_auth_pool: option(flag, true, 'Keep connections for logins.'),
  auth_pool_size: option(number(1), 100, 'Connections for logins, at most.'),
  auth_pool_connection_lifetime: option(number(1), 60, 'Seconds after which one of them is replaced.'),
} as const

type Values<G> = { readonly [K in keyof G]: G[K] extends Option<infer T> ? T : never }
export type LdapOptions = Values<typeof ldapOptions>

type Group = Readonly<Record<string, Option<OptionValue>>>
/** Groups of options that a domain can have. */
export const domainOptions: Readonly<Record<string, Group>> = { identity: identityOptions, ldap: ldapOptions }

/** Group → option → value, as the API takes and shows it. */
export type DomainConfig = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** The option; undefined where a domain cannot have it. */
export const optionOf = (group: string, name: string): Option<OptionValue> | undefined =>
  Object.hasOwn(domainOptions, group) && Object.hasOwn(domainOptions[group]!, name)
    ? domainOptions[group]![name]
    : undefined

export const groupKnown = (group: string): boolean => Object.hasOwn(domainOptions, group)

/** All options of a group; those not given (or null) have their defaults. Throws an `Error` that names the option at fault. */
export function readGroup<G extends Group>(group: G, given: Readonly<Record<string, unknown>>): Values<G> {
  const read = Object.entries(group).map(([name, one]) => {
    const value = given[name] === undefined || given[name] === null ? one.default : one.read(given[name])
    if (value === undefined) throw new Error(`the value of ${name} is none that it can have`)
    return [name, value] as const
  })
  return Object.fromEntries(read) as Values<G>
}

/** For `strata.yaml`: the configuration of domains, by their names. */
export const domainsSchema = {
  type: 'object',
  description: 'Configuration of domains by name, as /v3/domains/{id}/config takes it; the API cannot change these.',
  default: {},
  additionalProperties: {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(domainOptions).map(([group, options]) => [
        group,
        {
          type: 'object',
          additionalProperties: false,
          properties: Object.fromEntries(
            Object.entries(options).map(([name, { description }]) => [name, { description }]),
          ),
        },
      ]),
    ),
  },
}

/** Body of the changing operations. */
export const domainConfigSchema = { type: 'object', properties: { config: { type: 'object' } } }
