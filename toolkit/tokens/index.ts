/**
 * Checking tokens on every request of every service. The identity service is asked over its API once per token and `ttl`;
 * in between the answer is kept, and thrown away the moment identity announces (topic `identity.tokens`) that something
 * about tokens, users, projects or roles changed. A lost announcement costs at most `ttl`.
 */
import { hash } from 'node:crypto'
import type { TokenInfo } from '../context/index.ts'
import type { Eventual } from '../eventual/index.ts'
import type { Bus } from '../messaging/index.ts'
import type { Runtime } from '../runtime/index.ts'

export { type AccessRule, permits } from './access-rules.ts'

export const tokensChanged = 'identity.tokens'

/** What a token says, or undefined when it is not valid (any more); at once where that is known already. */
export type TokenVerifier = (token: string) => Eventual<TokenInfo | undefined>

interface Entry {
  readonly info: TokenInfo
  readonly until: number
}

export function cachingVerifier(options: {
  readonly fetch: TokenVerifier
  readonly runtime: Runtime
  readonly bus?: Bus
  /** Milliseconds that an answer is believed; 10 s unless set. */
  readonly ttl?: number
  /** Tokens kept at most; 10,000 unless set. */
  readonly capacity?: number
}): TokenVerifier {
  const { fetch, runtime, ttl = 10_000, capacity = 10_000 } = options
  let entries = new Map<string, Entry>()
  let generation = 0
  options.bus?.subscribe(tokensChanged, () => {
    generation++
    entries = new Map()
  })
  const ask = async (token: string, key: string): Promise<TokenInfo | undefined> => {
    const asked = generation
    const info = await fetch(token)
    if (!info) {
      entries.delete(key)
      return undefined
    }
    // An answer that was under way while something changed may be of before the change: it serves this request only.
    if (asked === generation) {
      if (entries.size >= capacity) entries.delete(entries.keys().next().value!)
      entries.set(key, { info, until: Math.min(runtime.now() + ttl, Date.parse(info.expiresAt)) })
    }
    return info
  }
  return token => {
    // Tokens are kept by their hash, so that memory dumps show none.
    const key = hash('sha256', token, 'base64')
    const known = entries.get(key)
    return known && known.until > runtime.now() ? known.info : ask(token, key)
  }
}
