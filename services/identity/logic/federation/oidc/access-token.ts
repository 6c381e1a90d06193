/**
 * Access tokens that a program got from its identity provider and shows here (RFC 6750): a JSON Web Token is checked by the keys of
 * the provider (RFC 9068), any other by asking it (RFC 7662). Either way it must have been issued for this cloud.
 */
import { decodeProtectedHeader, type JWTPayload, jwtVerify, type ProtectedHeaderParameters } from 'jose'
import * as client from 'openid-client'
import type { Claims } from './claims.ts'
import type { Provider } from './provider.ts'

/** The token is not believed; the words are for the log. */
export class RefusedToken extends Error {
  override readonly name = 'RefusedToken'
}

export interface TokenExpectation {
  readonly issuer: string
  /** One of these must be among its audiences. */
  readonly audience: readonly string[]
  /** Milliseconds since 1970, and seconds. */
  readonly now: number
  readonly skew: number
}

/** With a symmetric algorithm, or none, whoever knows the provider's public key could make one. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

/** Not every token that a provider signs says that its bearer may come in: one that tells of a logout does not. */
const types = new Set(['', 'jwt', 'at+jwt', 'application/at+jwt'])

/** What it says of its bearer. Throws `RefusedToken`, or what the provider's not answering threw. */
export async function claimsOfAccessToken(
  provider: Provider,
  token: string,
  expected: TokenExpectation,
): Promise<Claims & { readonly scope?: unknown }> {
  const header = headerOf(token)
  const claims = header ? await verify(provider, token, header, expected) : await introspect(provider, token, expected)
  if (claims['cnf'] !== undefined) throw new RefusedToken('the token is bound to a key, which its bearer did not show')
  if (claims['events'] !== undefined) throw new RefusedToken('the token tells of events, not of a login')
  const { sub, client_id: asker } = claims
  // A program that acts for nobody may have no subject; its name is not made one, since a user could have the same.
  if (!isName(sub) && !(sub === undefined && isName(asker)))
    throw new RefusedToken('the token does not say whose it is')
  return { ...claims, iss: expected.issuer, sub }
}

const isName = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** Undefined for a token that is no JSON Web Token. */
function headerOf(token: string): ProtectedHeaderParameters | undefined {
  if (token.split('.').length !== 3) return undefined
  try {
    return decodeProtectedHeader(token)
  } catch {
    return undefined
  }
}

async function verify(
  { keys }: Provider,
  token: string,
  { typ = '' }: ProtectedHeaderParameters,
  { issuer, audience, now, skew }: TokenExpectation,
): Promise<JWTPayload> {
  if (!types.has(typ.toLowerCase())) throw new RefusedToken('the token is not of a type that lets its bearer in')
  const verified = await jwtVerify(token, keys, {
    issuer,
    audience: [...audience],
    algorithms,
    requiredClaims: ['exp', 'sub'],
    currentDate: new Date(now),
    clockTolerance: skew,
  })
  return verified.payload
}

async function introspect(
  { configuration }: Provider,
  token: string,
  { issuer, audience, now, skew }: TokenExpectation,
): Promise<Record<string, unknown>> {
  if (configuration.serverMetadata().introspection_endpoint === undefined)
    throw new RefusedToken('the token is no JSON Web Token, and the provider does not say where to ask about it')
  const { active, ...claims } = await client.tokenIntrospection(configuration, token, {
    token_type_hint: 'access_token',
  })
  if (!active) throw new RefusedToken('the provider says that the token is not valid')
  if (claims.iss !== undefined && claims.iss !== issuer) throw new RefusedToken('the token is of another issuer')
  if (claims.exp !== undefined && claims.exp * 1000 <= now - skew * 1000) throw new RefusedToken('the token has ended')
  if (claims.nbf !== undefined && claims.nbf * 1000 > now + skew * 1000)
    throw new RefusedToken('the token is too early')
  // Providers that name no audience tell at least which client asked for it.
  const audiences = claims.aud === undefined ? [claims.client_id] : [claims.aud].flat()
  if (!audiences.some(one => one !== undefined && audience.includes(one)))
    throw new RefusedToken('the token was issued for somebody else')
  return claims
}
