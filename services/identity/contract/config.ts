/** Options of the identity service in `strata.yaml`. */
import { configSection } from '@strata/toolkit/config'
import { type LimitModel, limitModels } from './limit.ts'
import { type SchemaVersion, schemaVersions } from './mapping.ts'

export interface IdentityConfig {
  readonly token_expiration: number
  readonly allow_expired_window: number
  readonly token_cache_seconds: number
  readonly max_active_keys: number
  readonly key_rotation_hours: number
  readonly credential_key_rotation_hours: number
  readonly password_hash_cost: number
  readonly password_cache_seconds: number
  readonly max_list_limit: number
  readonly limit_enforcement_model: LimitModel
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
  max_list_limit: integer('Resources of one page of a list, at most.', 10_000, 1),
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
})
