/** Assertions of an identity provider that speaks OpenID Connect: this cloud as a relying party (browsers) and a resource (programs). */

import { Fault, unavailable } from '@strata/toolkit/fault'
import { reply } from '@strata/toolkit/service'
import * as client from 'openid-client'
import { loginFailed } from '../../../contract/errors.ts'
import type { OidcProvider } from '../../../contract/federation-auth.ts'
import type { Parts } from '../../parts.ts'
import { pendingLogins } from '../pending.ts'
import type { AssertionSource, Outcome, Place, SourceRequest } from '../sources.ts'
import { claimsOfAccessToken, RefusedToken } from './access-token.ts'
import { assertionOf, type Claims } from './claims.ts'
import { openProvider, type Provider } from './provider.ts'

export interface OidcSourceOptions {
  readonly parts: Parts
  readonly provider: OidcProvider
  readonly secret: string | undefined
  readonly place: Place
  /** Milliseconds. */
  readonly skew: number
  readonly timeout: number
}

const defaultScope = 'openid profile email'

export function oidcSource(options: OidcSourceOptions): AssertionSource {
  const { parts, provider, place, secret } = options
  const { runtime, vault } = parts
  const skew = Math.ceil(options.skew / 1000)
  const pending = pendingLogins({ vault, runtime, place, timeout: options.timeout, byForm: false })
  let opened: Promise<Provider> | undefined
  /** The first login opens it, so that a cloud starts without its providers; after a failure the next one tries again. */
  const open = () => {
    opened ??= openProvider({ provider, secret, skew }).catch(thrown => {
      opened = undefined
      throw thrown
    })
    return opened
  }
  const sendBrowser = async (origin: string | undefined): Promise<Outcome> => {
    const { configuration } = await open()
    const verifier = client.randomPKCECodeVerifier()
    const nonce = client.randomNonce()
    const { state, cookie } = pending.forBrowser({ origin, secrets: { verifier, nonce } })
    const location = client.buildAuthorizationUrl(configuration, {
      redirect_uri: place.webssoUrl,
      scope: provider.scope ?? defaultScope,
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    return reply(302, undefined, { location: location.href, 'set-cookie': cookie, 'cache-control': 'no-store' })
  }
  const fromBrowser = async (asked: SourceRequest, state: string): Promise<Outcome> => {
    const begun = pending.ofBrowser(asked, state)
    if (!begun) throw new RefusedToken('this browser began no login, or long ago')
    const { configuration } = await open()
    const tokens = await client.authorizationCodeGrant(configuration, returnUrl(place, asked), {
      expectedState: state,
      expectedNonce: begun.secrets['nonce'],
      pkceCodeVerifier: begun.secrets['verifier'],
      idTokenExpected: true,
    })
    const claims = tokens.claims()!
    const more = await userinfo(configuration, tokens.access_token, claims.sub)
    const assertion = assertionOf({ ...more, ...claims, iss: provider.issuer } as Claims)
    return { assertion, origin: begun.origin, headers: pending.forget(state) }
  }
  const fromProgram = async (token: string): Promise<Outcome> => {
    const found = await open()
    const claims = await claimsOfAccessToken(found, token, {
      issuer: provider.issuer,
      audience: [provider.client_id, ...(provider.audience ?? [])],
      now: runtime.now(),
      skew,
    })
    const scopes = String(claims.scope ?? '').split(' ')
    const knowsUser = claims.sub !== undefined && scopes.includes('openid')
    const more = knowsUser ? await userinfo(found.configuration, token, claims.sub) : {}
    return { assertion: assertionOf({ ...more, ...claims } as Claims) }
  }
  /** What the provider tells of the user beside what its tokens say. */
  const userinfo = async (configuration: client.Configuration, token: string, subject: string): Promise<object> => {
    if (provider.userinfo === false || configuration.serverMetadata().userinfo_endpoint === undefined) return {}
    return client.fetchUserInfo(configuration, token, subject)
  }
  return {
    atAuth: asked =>
      telling(asked, () => {
        const token = bearerOf(asked)
        return token === undefined ? sendBrowser(undefined) : fromProgram(token)
      }),
    atWebsso: (asked, origin) =>
      telling(asked, () => {
        const { state } = asked.query
        return typeof state === 'string' ? fromBrowser(asked, state) : sendBrowser(origin())
      }),
  }
}

function bearerOf({ headers }: SourceRequest): string | undefined {
  return /^Bearer +([\w.~+/=-]+)$/i.exec(String(headers['authorization'] ?? ''))?.[1]
}

/** The address that the browser came back to, as the provider was given it. */
function returnUrl({ webssoUrl }: Place, { query }: SourceRequest): URL {
  const url = new URL(webssoUrl)
  for (const [name, value] of Object.entries(query)) if (typeof value === 'string') url.searchParams.set(name, value)
  return url
}

const unreachable = new Set(['OAUTH_TIMEOUT', 'ERR_JWKS_TIMEOUT', 'OAUTH_RESPONSE_IS_NOT_CONFORM'])

/** The operator reads why; the caller learns only that it was refused, or that the provider does not answer. */
async function telling(asked: SourceRequest, work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work()
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown
    const { name, message, code, error } = thrown as Error & { code?: string; error?: string }
    // An error of the libraries may carry the answer that it is about, and so tokens: its words are enough.
    asked.log.warn({ problem: `${name}: ${message}`, code, error, client: asked.clientAddress }, 'a login was refused')
    if (message === 'fetch failed' || unreachable.has(code ?? ''))
      throw unavailable('The identity provider does not answer.')
    throw loginFailed()
  }
}
