/**
 * Logins that went well a moment ago. Programs log in for every command, and what is looked up for a login (who it is, what it
 * may, where) is the same each time; so another login with the same words gets another token without looking again. It is
 * forgotten with all that is known of tokens (`forget`), so that it is as fresh as a token that was just checked.
 *
 * What was sent is kept as an HMAC under a key that only this process knows and that dies with it. Guesses are counted all the
 * same, before this is asked; and where failures lock accounts or idleness disables them, nothing is remembered.
 */
import { createHmac, createSecretKey } from 'node:crypto'
import type { Runtime } from '@strata/toolkit/runtime'
import type { IdentityConfig } from '../../contract/config.ts'
import type { AuthRequest } from '../../contract/token.ts'
import { trustIn } from './scope.ts'
import type { IssuedToken } from './tokens.ts'

export interface LoginMemory {
  /** What the login is remembered by; undefined where it must be looked at anew each time. */
  keyOf(login: AuthRequest & { readonly headers: Readonly<Record<string, unknown>> }): string | undefined
  /** Another token for the same login. */
  recall(key: string, issuedAt: number): IssuedToken | undefined
  /** To be asked before a login is looked at: what it gives keeps the token, unless something has changed meanwhile. */
  rememberer(): (key: string, token: IssuedToken) => void
  forget(): void
}

/** Of others the proof is good once, or rests on more than what is sent. */
const rememberable: ReadonlySet<string> = new Set(['password', 'token', 'application_credential'])
const mostRemembered = 1000

export function createLoginMemory(options: {
  readonly runtime: Runtime
  readonly config: IdentityConfig
}): LoginMemory {
  const { runtime, config } = options
  const processKey = createSecretKey(runtime.bytes(32))
  const keep = Math.min(config.password_cache_seconds, config.token_cache_seconds) * 1000
  const off = keep === 0 || config.lockout_failure_attempts > 0 || config.disable_user_account_days_inactive > 0
  let entries = new Map<string, { readonly token: IssuedToken; readonly until: number }>()
  let generation = 0
  return {
    keyOf({ auth, headers }) {
      if (off || headers['openstack-auth-receipt'] !== undefined || trustIn(auth) !== undefined) return undefined
      if (!auth.identity.methods.every(method => rememberable.has(method))) return undefined
      return createHmac('sha256', processKey).update(JSON.stringify(auth)).digest('base64')
    },
    recall(key, issuedAt) {
      const known = entries.get(key)
      return known && known.until > runtime.now() ? known.token.again?.make(issuedAt) : undefined
    },
    rememberer() {
      const asked = generation
      return (key, token) => {
        if (asked !== generation || !token.again) return
        if (entries.size >= mostRemembered) entries.delete(entries.keys().next().value!)
        entries.set(key, { token, until: Math.min(runtime.now() + keep, token.again.until) })
      }
    },
    forget() {
      generation++
      entries = new Map()
    },
  }
}
