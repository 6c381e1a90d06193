/** Options of the identity service in `strata.yaml`. */
import { configSection } from '@strata/toolkit/config'
import { type LimitModel, limitModels } from './limit.ts'

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
})
