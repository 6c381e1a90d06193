/** Claims of OpenID Connect as the attributes of an assertion, under the names that mappings know from Apache's mod_auth_openidc. */
import type { Assertion } from '../../../contract/mapping.ts'

export interface Claims {
  readonly iss: string
  /** Absent for programs that act for nobody. */
  readonly sub?: string
  readonly [name: string]: unknown
}

/**
 * A claim `preferred_username` is both `OIDC-preferred_username` and `HTTP_OIDC_PREFERRED_USERNAME`. A list has its values
 * one by one; an object is JSON.
 */
export function assertionOf(claims: Claims): Assertion {
  const { iss, sub, ...others } = claims
  const found: Record<string, readonly string[]> = {}
  // Who vouches, and for whom, is written last: no other claim can take those names.
  for (const [name, value] of [...Object.entries(others), ['iss', iss] as const, ['sub', sub] as const]) {
    const values = valuesOf(value)
    if (values === undefined) continue
    found[`OIDC-${name}`] = values
    found[`HTTP_OIDC_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`] = values
  }
  return { ...found, ...(sub !== undefined && { REMOTE_USER: [sub] }) }
}

function valuesOf(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  return Array.isArray(value) ? value.map(textOf) : [textOf(value)]
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
