/** Options of the identity service in `strata.yaml`. */
import { configSection } from '@strata/toolkit/config'
import { type DomainConfig, domainsSchema } from './domain-config.ts'
import { type LimitModel, limitModels } from './limit.ts'
import { type SchemaVersion, schemaVersions } from './mapping.ts'
import { type OAuthConfig, oauthOptions } from './oauth-config.ts'

export interface IdentityConfig extends OAuthConfig {
  readonly token_expiration: number
  readonly allow_expired_window: number
  readonly token_cache_seconds: number
  readonly max_active_keys: number
  readonly key_rotation_hours: number
  readonly credential_key_rotation_hours: number
  readonly password_hash_cost: number
  readonly password_cache_seconds: number
  readonly disable_user_account_days_inactive: number
  readonly lockout_failure_attempts: number
  readonly lockout_duration: number
  readonly password_expires_days: number
  readonly unique_last_password_count: number
  readonly minimum_password_age: number
  readonly password_regex: string
  readonly password_regex_description: string
  readonly change_password_upon_first_use: boolean
  readonly receipt_expiration: number
  readonly included_previous_windows: number
  readonly login_failures_per_account: number
  readonly login_failures_per_address: number
  readonly reverse_proxies: readonly string[]
  readonly max_list_limit: number
  readonly domains: Readonly<Record<string, DomainConfig>>
  readonly directory_cache_seconds: number
  readonly pam: { readonly socket: string; readonly service: string; readonly minimum_uid: number }
  readonly limit_enforcement_model: LimitModel
  readonly notification_format: 'basic' | 'cadf'
  readonly notification_opt_out: readonly string[]
  readonly default_publisher_id: string
  readonly notification_log_megabytes: number
  readonly notification_log_files: number
  readonly default_authorization_ttl: number
  readonly remote_id_attribute: string
  readonly attribute_mapping_default_schema_version: SchemaVersion
  readonly trusted_proxies: readonly string[]
  readonly assertion_prefix: string
}

const integer = (description: string, value: number, minimum: number, maximum = 2 ** 31) => ({
  type: 'integer',
  description,
  default: value,
  minimum,
  maximum,
})

export const identityConfig = configSection<IdentityConfig>('identity', {
  token_expiration: integer('Seconds that a token is valid.', 3600, 1),
  allow_expired_window: integer(
    'Seconds after its end in which a service may still ask what a token said, to finish what was begun with it.',
    172_800,
    0,
  ),
  token_cache_seconds: integer('Seconds for which a token that was checked is not checked again.', 10, 0),
  max_active_keys: integer('Keys kept for tokens: the staged one, the primary one and secondary ones.', 3, 3, 1000),
  key_rotation_hours: integer(
    'Hours after which the key of new tokens is changed; 0 leaves it to the operator.',
    168,
    0,
  ),
  credential_key_rotation_hours: integer(
    'Hours after which the key that credentials are encrypted with is changed; 0 leaves it to the operator.',
    2160,
    0,
  ),
  password_hash_cost: integer('Cost of hashing a password: the binary logarithm of scrypt’s N.', 15, 4, 20),
  password_cache_seconds: integer('Seconds for which a password that was right is not hashed again.', 60, 0),
  disable_user_account_days_inactive: integer(
    'Days without a login after which a user counts as disabled, until an administrator enables it again; 0: never.',
    0,
    0,
  ),
  lockout_failure_attempts: integer(
    'Failed logins after which an account is locked for lockout_duration; 0: it never is.',
    0,
    0,
  ),
  lockout_duration: integer(
    'Seconds since the last failed login for which an account stays locked; 0: until an administrator enables it.',
    1800,
    0,
  ),
  password_expires_days: integer('Days for which a new password is good; 0: for ever.', 0, 0, 36_500),
  unique_last_password_count: integer(
    'Last passwords of a user that its next one may not be; 0: it may be any.',
    0,
    0,
    100,
  ),
  minimum_password_age: integer(
    'Days for which a user must keep a password that it chose; should be below password_expires_days.',
    0,
    0,
    36_500,
  ),
  password_regex: {
    type: 'string',
    description: 'Regular expression (of JavaScript) that the beginning of each new password must match; empty: none.',
    default: '',
  },
  password_regex_description: {
    type: 'string',
    description: 'What password_regex asks for, told to those whose password does not match it.',
    default: '',
  },
  change_password_upon_first_use: {
    type: 'boolean',
    description: 'Whether users must change a password that an administrator gave them before they can log in with it.',
    default: false,
  },
  receipt_expiration: integer(
    'Seconds in which a login by several methods must be completed after one of them.',
    300,
    1,
    86_400,
  ),
  included_previous_windows: integer('Passcodes (TOTP) before the present one that are still taken.', 1, 0, 10),
  login_failures_per_account: integer(
    'Failed logins a minute to one account from one address beyond which more are refused for a while; from all addresses together it is five times that. 0: any number.',
    10,
    0,
  ),
  login_failures_per_address: integer(
    'Failed logins a minute from one address, whatever the account, beyond which more are refused for a while; 0: any number.',
    100,
    0,
  ),
  reverse_proxies: {
    type: 'array',
    description:
      'Addresses and prefixes of the proxies before this service that tell in X-Forwarded-For where a request comes from, for counting failed logins.',
    default: [],
    items: {
      anyOf: [
        { type: 'string', format: 'ip' },
        { type: 'string', format: 'cidr' },
      ],
    },
  },
  max_list_limit: integer('Resources of one page of a list, at most.', 10_000, 1),
  domains: domainsSchema,
  directory_cache_seconds: integer(
    'Seconds for which what a directory said of someone is not asked again.',
    30,
    0,
    3600,
  ),
  pam: {
    type: 'object',
    description: 'Domains whose driver is pam: their users are those of this machine.',
    additionalProperties: false,
    default: {},
    properties: {
      socket: {
        type: 'string',
        description: 'Socket of a saslauthd that asks PAM; empty: there is no driver pam.',
        default: '',
      },
      service: { type: 'string', description: 'Name of the PAM service.', default: 'strata' },
      minimum_uid: integer('Users and groups below this number are not seen.', 1000, 1),
    },
  },
  notification_format: {
    type: 'string',
    description: 'What notifications say: cadf: who did what to what; basic: to what.',
    default: 'cadf',
    enum: ['basic', 'cadf'],
  },
  notification_opt_out: {
    type: 'array',
    description: 'Events of which nobody is told: identity.user.created; of logins, identity.authenticate.failure.',
    default: ['identity.authenticate.success', 'identity.authenticate.pending'],
    items: { type: 'string', pattern: '^identity\\.' },
  },
  default_publisher_id: {
    type: 'string',
    description: 'Host that notifications name as theirs, after “identity.”; empty: the name of this host.',
    default: '',
  },
  notification_log_megabytes: integer(
    'Size at which the log of notifications in the state folder is put aside for a new one; 0: there is no such log.',
    10,
    0,
    2 ** 20,
  ),
  notification_log_files: integer('Logs of notifications that are kept beside the current one.', 9, 0, 1000),
  limit_enforcement_model: {
    type: 'string',
    description: 'How limits of projects and domains relate: flat, or strict_two_level.',
    default: 'flat',
    enum: Object.keys(limitModels),
  },
  default_authorization_ttl: integer(
    'Minutes for which users of identity providers stay in the groups that a login brought; 0: as long as its tokens.',
    0,
    0,
    5_256_000,
  ),
  remote_id_attribute: {
    type: 'string',
    description: 'Attribute that tells which identity provider vouches for a user, where a protocol names none.',
    default: '',
  },
  attribute_mapping_default_schema_version: {
    type: 'string',
    description: 'Schema version of mappings that are made without one.',
    default: '1.0',
    enum: [...schemaVersions],
  },
  trusted_proxies: {
    type: 'array',
    description:
      'Addresses and prefixes of proxies that log users in and say in headers who they are (mod_auth_openidc, mod_shib, mod_auth_mellon); none: such headers are not heeded. A proxy must remove headers of that kind that come from outside.',
    default: [],
    items: {
      anyOf: [
        { type: 'string', format: 'ip' },
        { type: 'string', format: 'cidr' },
      ],
    },
  },
  assertion_prefix: {
    type: 'string',
    description: 'How the headers begin in which trusted_proxies say who a user is.',
    default: 'X-Federation-',
    minLength: 1,
  },
  ...oauthOptions,
})
