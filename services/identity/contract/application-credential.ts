/**
 * Application credentials: a user's own, by which programs log in to one project with some of the user's roles, without the
 * user's password. *Restricted* ones (the default) cannot make or delete others, nor trusts. *Access rules* limit them to
 * some requests; the rules are kept by user, and shared by those credentials that name the same.
 */
import type { AccessRule, Ref } from './token.ts'

const reference = {
  type: 'object',
  anyOf: [{ required: ['id'] }, { required: ['name'] }],
  properties: { id: { type: 'string', maxLength: 64 }, name: { type: 'string', maxLength: 255 } },
}
/** Roles by id, or by the name of a role that is of no domain. */
export const roleReferences = { type: 'array', items: reference, maxItems: 200 }

const accessRule = {
  type: 'object',
  anyOf: [{ required: ['id'] }, { required: ['service', 'method', 'path'] }],
  properties: {
    id: { type: 'string', maxLength: 64 },
    service: { type: 'string', minLength: 1, maxLength: 64 },
    method: { type: 'string', enum: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] },
    path: { type: 'string', maxLength: 128, pattern: '^/' },
  },
}

export const applicationCredentialSchema = {
  type: 'object',
  required: ['application_credential'],
  properties: {
    application_credential: {
      type: 'object',
      required: ['name'],
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 255, pattern: '\\S' },
        description: { type: ['string', 'null'] },
        secret: { type: ['string', 'null'], minLength: 1, maxLength: 4096 },
        expires_at: { type: ['string', 'null'] },
        roles: roleReferences,
        unrestricted: { type: ['boolean', 'null'] },
        // An empty list could be taken to forbid everything or nothing, so there is none.
        access_rules: { type: 'array', minItems: 1, maxItems: 100, items: accessRule },
      },
    },
  },
}

/** Body of `POST /v3/users/{id}/application_credentials`. */
export interface ApplicationCredentialRequest {
  readonly application_credential: {
    readonly name: string
    readonly description?: string | null
    readonly secret?: string | null
    readonly expires_at?: string | null
    /** All of the caller's token unless given. */
    readonly roles?: readonly Ref[]
    readonly unrestricted?: boolean | null
    readonly access_rules?: readonly Partial<AccessRule>[]
  }
}
