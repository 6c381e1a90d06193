/** The form that tokens have: how what lies inside of one becomes its text, and what a text says. */
import type { TokenPayload } from '../rules/token-payload.ts'

export interface TokenFormat {
  /** The text of a new token. */
  seal(payload: TokenPayload): string
  /** Undefined when it is not of this form, or not of our making. Does not look at times. */
  open(text: string): TokenPayload | undefined
}

/** What is longer is no token that this service makes (federated users bring groups), and not worth a look. */
const longest = 8192

/** New tokens are of the first form, and tokens of all forms are read: those made before the form was changed, too. */
export function formatOf(first: TokenFormat, ...others: readonly TokenFormat[]): TokenFormat {
  const all = [first, ...others]
  return {
    seal: first.seal,
    open(text) {
      if (text.length > longest) return undefined
      for (const format of all) {
        const payload = format.open(text)
        if (payload) return payload
      }
      return undefined
    },
  }
}
