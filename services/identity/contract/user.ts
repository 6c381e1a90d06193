/** Users: each belongs to a domain, in which its name is unique. */
import { resource } from '@strata/toolkit/resource'
import { text } from '@strata/toolkit/schema'
import { domainId, enabled, extra, id, longName, userOptions } from './names.ts'

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
    options: userOptions(),
    /** Taken, never shown. */
    password: text({ minLength: 1, maxLength: 4096 }).nullable().computed(),
    password_expires_at: text().nullable().readOnly(),
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
