/** An identity provider of OpenID Connect as it is reached: what it says of itself, or what the operator says of it, and its keys. */
import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose'
import * as client from 'openid-client'
import type { OidcProvider } from '../../../contract/federation-auth.ts'

export interface Provider {
  readonly configuration: client.Configuration
  /** Its keys, fetched when they are needed and again when an unknown one turns up. */
  readonly keys: JWTVerifyGetKey
}

/** Seconds to wait for an answer of the provider. */
const patience = 10

/** Asks the provider about itself, unless the operator has said all of it. Throws when it cannot be reached, or contradicts. */
export async function openProvider(options: {
  readonly provider: OidcProvider
  readonly secret: string | undefined
  /** Seconds. */
  readonly skew: number
}): Promise<Provider> {
  const { provider, secret } = options
  const known = endpointsOf(provider)
  const isComplete = known.authorization_endpoint && known.token_endpoint && known.jwks_uri
  const server = isComplete ? { issuer: provider.issuer, ...known } : { ...(await discover(provider)), ...known }
  const supported = server.token_endpoint_auth_methods_supported
  const proof =
    secret === undefined
      ? client.None()
      : supported && !supported.includes('client_secret_basic')
        ? client.ClientSecretPost(secret)
        : client.ClientSecretBasic(secret)
  const metadata = { client_secret: secret, [client.clockTolerance]: options.skew }
  const configuration = new client.Configuration(server, provider.client_id, metadata, proof)
  configuration.timeout = patience
  // Id tokens are signed: that TLS was used to fetch one is not taken instead.
  client.enableNonRepudiationChecks(configuration)
  if (provider.allow_http) client.allowInsecureRequests(configuration)
  if (server.jwks_uri === undefined) throw new Error(`${provider.issuer} does not say where its keys are`)
  const keys = createRemoteJWKSet(new URL(server.jwks_uri), { timeoutDuration: patience * 1000 })
  return { configuration, keys }
}

async function discover({ issuer, client_id, allow_http }: OidcProvider): Promise<client.ServerMetadata> {
  const execute = allow_http ? [client.allowInsecureRequests] : []
  const found = await client.discovery(new URL(issuer), client_id, undefined, client.None(), {
    execute,
    timeout: patience,
  })
  return found.serverMetadata()
}

function endpointsOf(provider: OidcProvider): Partial<client.ServerMetadata> {
  const { authorization_endpoint, token_endpoint, userinfo_endpoint, introspection_endpoint, jwks_uri } = provider
  const given = { authorization_endpoint, token_endpoint, userinfo_endpoint, introspection_endpoint, jwks_uri }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
