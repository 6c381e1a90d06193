/**
 * Trusts: a *trustor* lets a *trustee* act on one project with some of the trustor's roles, as the trustor (*impersonation*)
 * or as itself. A trust may let the trustee hand it on (*redelegate* it), a bounded number of times, never with more.
 */
import { roleReferences } from './application-credential.ts'
import type { Ref } from './token.ts'

/** How often a trust can be handed on at most. */
export const maxRedelegations = 3

const userId = { type: 'string', minLength: 1, maxLength: 64 }

export const trustSchema = {
  type: 'object',
  required: ['trust'],
  properties: {
    trust: {
      type: 'object',
      required: ['trustor_user_id', 'trustee_user_id', 'impersonation'],
      properties: {
        trustor_user_id: userId,
        trustee_user_id: userId,
        impersonation: { type: 'boolean' },
        project_id: { type: ['string', 'null'], maxLength: 64 },
        roles: roleReferences,
        expires_at: { type: ['string', 'null'] },
        remaining_uses: { type: ['integer', 'null'], minimum: 1, maximum: 2 ** 31 - 1 },
        allow_redelegation: { type: ['boolean', 'null'] },
        redelegation_count: { type: ['integer', 'null'], minimum: 0, maximum: 2 ** 31 - 1 },
      },
    },
  },
}

/** Body of `POST /v3/OS-TRUST/trusts`. */
export interface TrustRequest {
  readonly trust: {
    readonly trustor_user_id: string
    readonly trustee_user_id: string
    readonly impersonation: boolean
    readonly project_id?: string | null
    readonly roles?: readonly Ref[]
    readonly expires_at?: string | null
    /** Tokens that can be had by it; not together with redelegation. */
    readonly remaining_uses?: number | null
    readonly allow_redelegation?: boolean | null
    readonly redelegation_count?: number | null
  }
}
