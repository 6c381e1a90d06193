/**
 * A token with what is known of it, and its answer, made when it is asked for and then kept. What tokens of one login have in
 * common is made once: a *stamp* of it puts the times and audit ids of each in.
 */
import type { TokenInfo } from '@strata/toolkit/context'
import { isoTime, toMicroseconds } from '@strata/toolkit/runtime'
import type { CatalogEntry } from '../../contract/token.ts'
import type { TokenPayload } from '../rules/token-payload.ts'
import { bodyOf, infoOf, type Surroundings, type TokenFacts } from './describe.ts'

export interface CheckedToken {
  readonly payload: TokenPayload
  readonly info: TokenInfo
  /** The answer, as it is sent; kept, since a token that is asked about is asked about again. */
  readonly body: Buffer
  readonly bodyWithoutCatalog: Buffer
  /** The same as text, which is not kept: for the answer that brings a new token. */
  answer(catalog: boolean): string
}

/** Makes tokens of the same user, scope and methods as those of the facts. */
export type Stamp = (payload: TokenPayload) => CheckedToken

export function stampOf(facts: TokenFacts, shown: Surroundings & { readonly entries: () => CatalogEntry[] }): Stamp {
  let whole: string | undefined
  let short: string | undefined
  const withCatalog = () => {
    whole ??= common(facts, { ...shown, entries: shown.entries() })
    return whole
  }
  const without = () => {
    short ??= common(facts, { ...shown, entries: undefined })
    return short
  }
  return payload => new Stamped(payload, facts, withCatalog, without)
}

/** Text of what does not differ from token to token: the rest of the object `token`, without its first brace. */
function common(facts: TokenFacts, shown: Surroundings & { readonly entries?: readonly CatalogEntry[] }): string {
  const { audit_ids: _, expires_at: __, issued_at: ___, ...rest } = bodyOf(facts, shown).token
  return JSON.stringify(rest).slice(1)
}

class Stamped implements CheckedToken {
  readonly payload: TokenPayload
  readonly #facts: TokenFacts
  readonly #whole: () => string
  readonly #short: () => string
  #info: TokenInfo | undefined = undefined
  #body: Buffer | undefined = undefined
  #bodyWithoutCatalog: Buffer | undefined = undefined

  constructor(payload: TokenPayload, facts: TokenFacts, whole: () => string, short: () => string) {
    this.payload = payload
    this.#facts = facts
    this.#whole = whole
    this.#short = short
  }

  get info(): TokenInfo {
    this.#info ??= infoOf({ ...this.#facts, payload: this.payload })
    return this.#info
  }

  get body(): Buffer {
    this.#body ??= Buffer.from(this.answer(true))
    return this.#body
  }

  get bodyWithoutCatalog(): Buffer {
    this.#bodyWithoutCatalog ??= Buffer.from(this.answer(false))
    return this.#bodyWithoutCatalog
  }

  answer(catalog: boolean): string {
    const rest = catalog ? this.#whole() : this.#short()
    const { auditIds, issuedAt, expiresAt } = this.payload
    const [issued, expires] = [toMicroseconds(isoTime(issuedAt)), toMicroseconds(isoTime(expiresAt))]
    // Audit ids are base64url and times are digits: nothing of them needs an escape.
    const ids = auditIds.map(id => `"${id}"`).join(',')
    return `{"token":{"audit_ids":[${ids}],"expires_at":"${expires}","issued_at":"${issued}",${rest}}`
  }
}
