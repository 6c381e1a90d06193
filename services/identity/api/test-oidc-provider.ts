/** For tests: an identity provider of OpenID Connect (the package `oidc-provider`) on a port of this machine, whose user is always ann. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type KoaContextWithOIDC } from 'oidc-provider'

/** The clients it knows: the cloud, and programs of users. */
export const cloudClient = { client_id: 'cloud', client_secret: 'cloud-secret-0123456789' }
export const programClient = { client_id: 'program', client_secret: 'program-secret-0123456789' }
/** The resource for which access tokens are JSON Web Tokens. */
export const resource = 'https://cloud.example/api'

const claims = { email: 'ann@example.org', groups: ['staff', 'night'], preferred_username: 'ann' }

export async function startOidcProvider(redirectUris: readonly string[]) {
  let answer: ((request: IncomingMessage, response: ServerResponse) => unknown) | undefined
  const server = createServer((request, response) => void answer?.(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A test that fails before it closes the provider must not wait for ever.
  server.unref()
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = { redirect_uris: [...redirectUris], response_types: ['code' as const] }
  const provider = new Provider(issuer, {
    clients: [
      { ...cloudClient, ...client, grant_types: ['authorization_code'] },
      { ...programClient, ...client, grant_types: ['client_credentials', 'password', 'authorization_code'] },
    ],
    claims: { openid: ['sub'], profile: ['preferred_username', 'groups'], email: ['email'] },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId, ...claims }) }),
    // Nobody is asked: who comes is ann, and has agreed.
    loadExistingGrant: async ctx => {
      const grant = new provider.Grant({ accountId: 'ann', clientId: ctx.oidc.client!.clientId })
      grant.addOIDCScope('openid profile email')
      await grant.save()
      return grant
    },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    cookies: { keys: ['a secret of tests'] },
    ttl: { AccessToken: 600, ClientCredentials: 600, IdToken: 600, Interaction: 600, Session: 600, Grant: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, audience) => ({
          audience,
          scope: 'openid profile email',
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  })
  provider.registerGrantType('password', ctx => byPassword(provider, ctx), [
    'username',
    'password',
    'scope',
    'resource',
  ])
  const callback = provider.callback()
  answer = async (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return callback(request, response)
    return provider.interactionFinished(request, response, { login: { accountId: 'ann' } })
  }
  const ask = async (form: Readonly<Record<string, string>>, as = programClient) => {
    const authorization = `Basic ${btoa(`${as.client_id}:${as.client_secret}`)}`
    const got = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form),
    })
    return (await got.json()) as { access_token: string; id_token?: string; error?: string }
  }
  return {
    issuer,
    /** Asks for tokens as a program of a user does. */
    tokens: ask,
    /** Follows the provider's own redirects as a browser does; the address that it ends with is elsewhere. */
    browse: (url: string) => browse(url, issuer),
    close: () => new Promise(resolve => server.close(resolve).closeAllConnections()),
  }
}

async function byPassword(provider: Provider, ctx: KoaContextWithOIDC): Promise<void> {
  const { username, password, scope } = ctx.oidc.params as Record<string, string | undefined>
  const client = ctx.oidc.client!
  if (username !== 'ann' || password !== 'wonderland') {
    ctx.status = 400
    ctx.body = { error: 'invalid_grant' }
    return
  }
  const grant = new provider.Grant({ accountId: 'ann', clientId: client.clientId })
  grant.addOIDCScope(scope ?? 'openid')
  const token = new provider.AccessToken({
    accountId: 'ann',
    client,
    grantId: await grant.save(),
    gty: 'password',
    scope: scope ?? 'openid',
  } as ConstructorParameters<Provider['AccessToken']>[0])
  ctx.body = { access_token: await token.save(), token_type: 'Bearer', expires_in: 600, scope }
}

async function browse(url: string, issuer: string): Promise<URL> {
  const cookies = new Map<string, string>()
  let next = new URL(url)
  for (let hops = 0; hops < 10 && next.origin === issuer; hops++) {
    const cookie = [...cookies].map(pair => pair.join('=')).join('; ')
    const answer = await fetch(next, { redirect: 'manual', headers: { cookie } })
    for (const one of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]*)=([^;]*)/.exec(one)!
      cookies.set(name!, value!)
    }
    const location = answer.headers.get('location')
    if (!location) throw new Error(`${answer.status} at ${next}: ${await answer.text()}`)
    next = new URL(location, next)
  }
  return next
}
