/** What a login method gets, and what it finds out. Each method is a file of this folder, and a line of `index.ts`. */
import type { AuthRequest } from '../../../contract/token.ts'
import type { SentTo } from '../../oauth1/signed.ts'
import type { Parts } from '../../parts.ts'
import type { Delegation, Federation, TokenPayload, TokenScope } from '../../rules/token-payload.ts'

export interface Login {
  readonly auth: AuthRequest['auth']
  /** As it was sent; names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** IP address of the caller. */
  readonly clientAddress: string
  /** Address and parameters of the request, which consumers of OAuth 1.0 sign. */
  readonly sentTo?: SentTo
}

export interface Proof {
  readonly userId: string
  /** The token that was shown. */
  readonly from?: TokenPayload
  /** Binds the new token to that scope, and to no other. */
  readonly delegation?: Delegated
  /** Who vouched for the user, where that was an identity provider. */
  readonly federation?: Federation
}

export interface Delegated {
  readonly by: Delegation
  /** Whom the token acts as, where that is not who logged in. */
  readonly actsAs?: string
  readonly scope: TokenScope
  /** Milliseconds since 1970. */
  readonly notAfter?: number
}

/** Throws `loginFailed()`, in the same words whatever was wrong; a 400 for a request that makes no sense; a 404 for a bad token. */
export type Prove = (parts: Parts, login: Login) => Promise<Proof>
