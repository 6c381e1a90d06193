/** Assertions of an identity provider that speaks SAML 2.0: this cloud as a service provider, for browsers and for programs (ECP). */
import { createHash } from 'node:crypto'
import { isoTime, toSeconds } from '@strata/toolkit/runtime'
import { reply } from '@strata/toolkit/service'
import { loginFailed } from '../../../contract/errors.ts'
import type { SamlProvider } from '../../../contract/federation-auth.ts'
import type { Assertion } from '../../../contract/mapping.ts'
import { useAssertion } from '../../../store/used-assertion.ts'
import type { Parts } from '../../parts.ts'
import { pendingLogins } from '../pending.ts'
import type { AssertionSource, Outcome, Place, SourceRequest } from '../sources.ts'
import { openEnvelope } from './envelope.ts'
import type { SamlKeys } from './keys.ts'
import { type IdpMetadata, serviceProviderMetadata } from './metadata.ts'
import { paosType } from './names.ts'
import { type AuthnRequest, ecpRequest, redirectTo, speaksEcp } from './request.ts'
import { type BelievedAssertion, readResponse } from './response.ts'
import { parseXml, refuse, SamlError, type XmlElement } from './xml.ts'

export interface SamlSource extends AssertionSource {
  /** XML, for the administrator of the identity provider. */
  metadata(): Promise<string>
}

export interface SamlSourceOptions {
  readonly parts: Parts
  readonly provider: SamlProvider
  readonly idp: IdpMetadata
  readonly place: Place
  readonly keys: SamlKeys
  /** Milliseconds. */
  readonly skew: number
  readonly timeout: number
}

export function samlSource(options: SamlSourceOptions): SamlSource {
  const { parts, provider, idp, place, keys } = options
  const { runtime, vault } = parts
  const entityId = provider.entity_id ?? place.metadataUrl
  const signs = provider.sign_requests ?? idp.wantsSignedRequests
  const pending = pendingLogins({ vault, runtime, place, timeout: options.timeout, byForm: true })

  const request = async (binding: 'post' | 'paos'): Promise<AuthnRequest> => ({
    // An id of XML does not begin with a digit.
    id: `_${Buffer.from(runtime.bytes(20)).toString('hex')}`,
    issuer: entityId,
    issueInstant: toSeconds(isoTime(runtime.now())),
    consumerUrl: binding === 'post' ? place.webssoUrl : place.authUrl,
    binding,
    ...(signs && { signing: await keys.signing() }),
  })
  const sendBrowser = async (origin: string | undefined): Promise<Outcome> => {
    if (idp.redirectUrl === undefined) throw loginFailed()
    const asked = await request('post')
    const { state, cookie } = pending.forBrowser({ origin, secrets: { request: asked.id } })
    const location = redirectTo({ ...asked, destination: idp.redirectUrl }, state)
    return reply(302, undefined, { location, 'set-cookie': cookie, 'cache-control': 'no-store' })
  }
  const believe = async (
    text: string,
    response: XmlElement,
    about: { readonly recipient: string; readonly inResponseTo: string | undefined },
  ): Promise<Assertion> => {
    const believed = await readResponse(text, response, {
      ...about,
      issuer: idp.entityId,
      certificates: idp.certificates,
      audience: entityId,
      requireAudience: !provider.keystone,
      decryptionKey: (await keys.encryption()).key,
      now: runtime.now(),
      skew: options.skew,
    })
    await useOnce(parts, believed)
    return attributesFor(believed, provider)
  }
  const fromProgram = async (envelope: string): Promise<Outcome> => {
    const { response, relayState } = openEnvelope(envelope)
    const begun = relayState === undefined ? undefined : pending.ofProgram(relayState)
    if (!begun && !provider.keystone) refuse('no request of ours is answered, or one of long ago')
    const inResponseTo = begun?.secrets['request']
    return { assertion: await believe(envelope, response, { recipient: place.authUrl, inResponseTo }) }
  }
  const fromBrowser = async (asked: SourceRequest): Promise<Outcome> => {
    const state = asked.form['RelayState'] ?? ''
    const begun = pending.ofBrowser(asked, state)
    if (!begun) return refuse('this browser began no login, or long ago')
    const text = decodeBase64(asked.form['SAMLResponse'] ?? '')
    const inResponseTo = begun.secrets['request']
    const assertion = await believe(text, parseXml(text), { recipient: place.webssoUrl, inResponseTo })
    return { assertion, origin: begun.origin, headers: pending.forget(state) }
  }
  return {
    atAuth: asked =>
      telling(asked, async () => {
        if (asked.envelope !== undefined) return fromProgram(asked.envelope)
        if (!speaksEcp(asked.headers)) return sendBrowser(undefined)
        const made = await request('paos')
        const envelope = ecpRequest(made, pending.forProgram({ request: made.id }))
        return reply(200, envelope, { 'content-type': paosType, 'cache-control': 'no-store' })
      }),
    atWebsso: (asked, origin) =>
      telling(asked, () => (asked.form['SAMLResponse'] === undefined ? sendBrowser(origin()) : fromBrowser(asked))),
    metadata: async () =>
      serviceProviderMetadata({
        entityId,
        browserUrl: place.webssoUrl,
        programUrl: place.authUrl,
        signsRequests: signs,
        signing: (await keys.signing()).certificate,
        encryption: (await keys.encryption()).certificate,
      }),
  }
}

/** The operator reads why; the caller learns only that it was refused. */
async function telling(asked: SourceRequest, work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work()
  } catch (thrown) {
    if (!(thrown instanceof SamlError)) throw thrown
    asked.log.warn({ problem: thrown.message, client: asked.clientAddress }, 'a message of SAML was refused')
    throw loginFailed()
  }
}

async function useOnce({ store, runtime }: Parts, { id, issuer, notOnOrAfter }: BelievedAssertion): Promise<void> {
  const key = createHash('sha256').update(`${issuer}\n${id}`).digest('hex')
  const first = await useAssertion(store.db, { id: key, expiresAt: notOnOrAfter }, runtime.now())
  if (!first) refuse('the assertion was used before')
}

function decodeBase64(text: string): string {
  const bytes = Buffer.from(text, 'base64')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return refuse('the response is not UTF-8')
  }
}

/**
 * Attributes under the names of the provider, and those that the operator gives them; and who vouches for them, under the names that
 * Apache's modules use. An attribute cannot pass itself off as one of the latter.
 */
function attributesFor({ attributes, nameId, issuer }: BelievedAssertion, provider: SamlProvider): Assertion {
  const renamed = Object.entries(provider.attribute_names ?? {}).flatMap(([from, to]) =>
    Object.hasOwn(attributes, from) ? [[to, attributes[from]!] as const] : [],
  )
  const own = Object.entries(attributes).filter(([name]) => !vouching.has(name))
  return {
    ...Object.fromEntries([...own, ...renamed]),
    ...(nameId !== undefined && { REMOTE_USER: [nameId], MELLON_NAME_ID: [nameId] }),
    MELLON_IDP: [issuer],
    'Shib-Identity-Provider': [issuer],
  }
}

const vouching = new Set(['REMOTE_USER', 'MELLON_NAME_ID', 'MELLON_IDP', 'Shib-Identity-Provider'])
