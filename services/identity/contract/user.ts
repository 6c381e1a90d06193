/** Users: each belongs to a domain, in which its name is unique. */
import { resource } from '@strata/toolkit/resource'
import { json, text } from '@strata/toolkit/schema'
import { domainId, enabled, extra, id, longName } from './names.ts'

/** What is different for this user; null takes an option away. */
export interface UserOptions {
  readonly ignore_change_password_upon_first_use?: boolean | null
  readonly ignore_password_expiry?: boolean | null
  readonly ignore_lockout_failure_attempts?: boolean | null
  readonly ignore_user_inactivity?: boolean | null
  /** The user cannot change its own password. */
  readonly lock_password?: boolean | null
  readonly multi_factor_auth_enabled?: boolean | null
  /** Lists of login methods: all of one of them must be used. See `logic/rules/mfa.ts`. */
  readonly multi_factor_auth_rules?: readonly (readonly string[])[] | null
}

const flag = { type: ['boolean', 'null'] }
const options = json<UserOptions>({
  type: 'object',
  additionalProperties: false,
  properties: {
    ignore_change_password_upon_first_use: flag,
    ignore_password_expiry: flag,
    ignore_lockout_failure_attempts: flag,
    ignore_user_inactivity: flag,
    lock_password: flag,
    multi_factor_auth_enabled: flag,
    multi_factor_auth_rules: {
      type: ['array', 'null'],
      maxItems: 50,
      uniqueItems: true,
      items: {
        type: 'array',
        minItems: 1,
        maxItems: 20,
        uniqueItems: true,
        items: { type: 'string', maxLength: 255 },
      },
    },
  } satisfies Record<keyof UserOptions, object>,
}).defaultTo({})

/** Names by which an identity provider knows a user. */
export interface FederatedIdentity {
  readonly idp_id: string
  readonly protocols: readonly { readonly protocol_id: string; readonly unique_id: string }[]
}

const federated = () =>
  json<readonly FederatedIdentity[]>({
    type: 'array',
    maxItems: 100,
    items: {
      type: 'object',
      required: ['idp_id', 'protocols'],
      properties: {
        idp_id: { type: 'string' },
        protocols: {
          type: 'array',
          minItems: 1,
          maxItems: 100,
          items: {
            type: 'object',
            required: ['protocol_id', 'unique_id'],
            properties: {
              protocol_id: { type: 'string' },
              unique_id: { type: 'string', minLength: 1, maxLength: 255 },
            },
          },
        },
      },
    },
  })

export const user = resource({
  name: 'user',
  plural: 'users',
  path: '/v3/users',
  table: 'users',
  fields: {
    id: id(),
    name: longName(),
    domain_id: domainId(),
    enabled: enabled(),
    default_project_id: text({ maxLength: 64 }).nullable(),
    options,
    /** Taken, never shown. */
    password: text({ minLength: 1, maxLength: 4096 }).nullable().computed(),
    /** As `shownTime` writes it; null: never. */
    password_expires_at: text().nullable().readOnly(),
    /** How the user may log in from elsewhere; shown of one user, where there is such a way. */
    federated: federated().optional().computed(),
    extra: extra(),
  },
  policy: {
    list: 'identity:list_users',
    show: 'identity:get_user',
    create: 'identity:create_user',
    update: 'identity:update_user',
    delete: 'identity:delete_user',
  },
  extra: 'extra',
  defaultSort: [{ field: 'name', direction: 'asc' }],
})

export const passwordChangeSchema = {
  type: 'object',
  required: ['user'],
  properties: {
    user: {
      type: 'object',
      additionalProperties: false,
      required: ['original_password', 'password'],
      properties: {
        original_password: { type: 'string', maxLength: 4096 },
        password: { type: 'string', minLength: 1, maxLength: 4096 },
      },
    },
  },
}

/** Body of `POST /v3/users/{id}/password`. */
export interface PasswordChange {
  readonly user: { readonly original_password: string; readonly password: string }
}
