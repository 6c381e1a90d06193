/**
 * Federated log-in: where programs and browsers meet identity providers (`…/auth`, `…/websso`), and where tokens become assertions for
 * other clouds (`/v3/auth/OS-FEDERATION/saml2`). None of it needs a token in the header.
 */
import { Readable } from 'node:stream'
import { tooLarge } from '@strata/toolkit/fault'
import { type ApiRequest, type Method, type Operation, operation, type Reply, reply } from '@strata/toolkit/service'
import { loginFailed, missing } from '../contract/errors.ts'
import { type AssertionRequest, assertionRequestSchema } from '../contract/federation-auth.ts'
import type { ConfiguredSources } from '../logic/federation/configured.ts'
import type { CloudProvider } from '../logic/federation/k2k/index.ts'
import { unscopedFederatedToken, vouching } from '../logic/federation/login.ts'
import { idpNamedByProxy, proxySource } from '../logic/federation/proxy-source.ts'
import { paosType } from '../logic/federation/saml/names.ts'
import type { AssertionSource, Outcome, SourceRequest } from '../logic/federation/sources.ts'
import { choicePage, tokenPage, trustedOrigin } from '../logic/federation/websso.ts'
import type { Parts } from '../logic/parts.ts'
import { loginReply } from './auth.ts'

export interface FederationAuth {
  readonly sources: ConfiguredSources
  readonly cloud: CloudProvider
  readonly trustedDashboards: readonly string[]
}

const ofProtocol = 'identity_providers/:idp_id/protocols/:protocol_id'
/** Answers of identity providers carry certificates and long lists of groups. */
const bodyLimit = 512 * 1024

export function federationAuthOperations(parts: Parts, auth: FederationAuth): Operation[] {
  return [...loginOperations(parts, auth), ...dashboardOperations(parts, auth), ...cloudOperations(auth)]
}

function loginOperations(parts: Parts, { sources, trustedDashboards }: FederationAuth): Operation[] {
  const meet =
    (ask: (source: AssertionSource, asked: SourceRequest, request: ApiRequest) => Promise<Outcome>) =>
    async (request: ApiRequest): Promise<Reply> => {
      const idpId = request.params['idp_id']!
      const protocolId = request.params['protocol_id']!
      await vouching(parts.store.db, idpId, protocolId)
      const source = sources.find(idpId, protocolId)?.source ?? proxySource(parts, { idpId, protocolId })
      const outcome = await ask(source, await sourceRequest(request), request)
      if ('reply' in outcome) return outcome
      const token = await unscopedFederatedToken(parts, { idpId, protocolId, assertion: outcome.assertion })
      const { origin, headers } = outcome
      if (origin !== undefined && !('receipt' in token))
        return tokenPage({ origin: trustedOrigin(origin, trustedDashboards), token: token.text, headers })
      const answer = loginReply(token, request)
      return { ...answer, headers: { ...answer.headers, ...headers, 'cache-control': 'no-store' } }
    }
  const atAuth = meet((source, asked) => source.atAuth(asked))
  const atWebsso = meet((source, asked, { query }) =>
    source.atWebsso(asked, () => trustedOrigin(query['origin'], trustedDashboards)),
  )
  return (['GET', 'POST'] as const).flatMap(method => [
    open(method, `/v3/OS-FEDERATION/${ofProtocol}/auth`, atAuth),
    open(method, `/v3/auth/OS-FEDERATION/${ofProtocol}/websso`, atWebsso),
    // The API reference spells it so.
    open(method, `/v3/auth/OS-FEDERATION/${ofProtocol.replace('/protocols/', '/protocol/')}/websso`, atWebsso),
  ])
}

function dashboardOperations(parts: Parts, { sources, trustedDashboards }: FederationAuth): Operation[] {
  /** To the identity provider that a proxy names, or the only one that is configured; among several the user chooses. */
  const choose = async ({ params, query, headers, clientAddress }: ApiRequest): Promise<Reply> => {
    const origin = trustedOrigin(query['origin'], trustedDashboards)
    const protocolId = params['protocol_id']!
    const named = await idpNamedByProxy(parts, protocolId, { headers, clientAddress })
    const places = named === undefined ? sources.ofProtocol(protocolId) : [sources.placeOf(named, protocolId)]
    const links = places.map(place => ({
      name: place.idpId,
      url: `${place.webssoUrl}?${new URLSearchParams({ origin })}`,
    }))
    const [only, second] = links
    if (!only) throw loginFailed()
    if (second) return choicePage(links)
    return reply(302, undefined, { location: only.url, 'cache-control': 'no-store' })
  }
  return [
    ...(['GET', 'POST'] as const).map(method => open(method, '/v3/auth/OS-FEDERATION/websso/:protocol_id', choose)),
    open('GET', `/v3/OS-FEDERATION/${ofProtocol}/saml2/metadata`, async ({ params }) => {
      const found = sources.find(params['idp_id']!, params['protocol_id']!)?.saml
      if (!found) throw missing('federation_protocol', params['protocol_id']!)
      return xmlReply(await found.metadata(), 'application/samlmetadata+xml')
    }),
  ]
}

function cloudOperations({ cloud }: FederationAuth): Operation[] {
  const vouch = (path: string, ecp: boolean) =>
    operation<AssertionRequest>({
      method: 'POST',
      path,
      auth: 'none',
      body: assertionRequestSchema,
      async handler({ body: { auth } }) {
        const token = auth.identity.token.id
        const made = await cloud.vouch({ token, serviceProvider: auth.scope.service_provider.id, ecp })
        return xmlReply(made.text, 'text/xml', { 'x-sp-url': made.spUrl, 'x-auth-url': made.authUrl })
      },
    })
  return [
    vouch('/v3/auth/OS-FEDERATION/saml2', false),
    vouch('/v3/auth/OS-FEDERATION/saml2/ecp', true),
    open('GET', '/v3/OS-FEDERATION/saml2/metadata', async () => xmlReply(await cloud.metadata(), 'text/xml')),
  ]
}

const open = (method: Method, path: string, handler: (request: ApiRequest) => Promise<Reply> | Reply): Operation =>
  operation({
    method,
    path,
    auth: 'none',
    handler,
    ...(method === 'POST' && { form: true, stream: [paosType], bodyLimit }),
  })

const xmlReply = (text: string, type: string, headers: Readonly<Record<string, string>> = {}): Reply =>
  reply(200, text, { 'content-type': type, 'cache-control': 'no-store', ...headers })

async function sourceRequest(request: ApiRequest): Promise<SourceRequest> {
  const { headers, query, body, clientAddress, context } = request
  const isEnvelope = body instanceof Readable
  return {
    headers,
    query,
    form: isEnvelope ? {} : stringsOf(body),
    ...(isEnvelope && { envelope: await readText(body) }),
    clientAddress,
    log: context.log,
  }
}

/** A JSON body, which nobody has asked for, may hold anything. */
const stringsOf = (body: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries((body ?? {}) as object).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )

async function readText(body: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += (chunk as Buffer).length
    if (size > bodyLimit) throw tooLarge('Request body too large.')
    chunks.push(chunk as Buffer)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw loginFailed()
  }
}
