/** Requests of this cloud to an identity provider (`AuthnRequest`), as a browser or a program takes them there. */
import { createSign } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { bindings, ns, paosType, rsaSha256 } from './names.ts'
import { type SigningKey, signed } from './signature.ts'
import { type Xml, xml } from './xml.ts'

export interface AuthnRequest {
  readonly id: string
  readonly issuer: string
  /** `2026-11-20T12:34:56Z`. */
  readonly issueInstant: string
  /** Where the answer goes, and by which binding. */
  readonly consumerUrl: string
  readonly binding: 'post' | 'paos'
  /** Where the request goes, if that is known. */
  readonly destination?: string
  /** When given, it is signed. */
  readonly signing?: SigningKey
}

function authnRequest(about: AuthnRequest): string {
  const { destination } = about
  return xml`<samlp:AuthnRequest xmlns:samlp="${ns.protocol}" xmlns:saml="${ns.assertion}" ID="${about.id}" Version="2.0" IssueInstant="${about.issueInstant}"${
    destination === undefined ? undefined : xml` Destination="${destination}"`
  } ProtocolBinding="${bindings[about.binding]}" AssertionConsumerServiceURL="${about.consumerUrl}"><saml:Issuer>${about.issuer}</saml:Issuer><samlp:NameIDPolicy AllowCreate="true"/></samlp:AuthnRequest>`
    .xml
}

/** The address that a browser is sent to (bindings, 3.4: deflated, and signed beside the XML). */
export function redirectTo(about: AuthnRequest & { readonly destination: string }, relayState: string): string {
  const url = new URL(about.destination)
  const message = deflateRawSync(authnRequest(about)).toString('base64')
  const query = new URLSearchParams({ SAMLRequest: message, RelayState: relayState })
  if (about.signing) {
    query.set('SigAlg', rsaSha256)
    query.set('Signature', createSign('sha256').update(query.toString()).sign(about.signing.key, 'base64'))
  }
  for (const [name, value] of query) url.searchParams.set(name, value)
  return url.href
}

/** The envelope that a program takes to its identity provider (ECP, 2.3). */
export function ecpRequest(about: AuthnRequest, relayState: string): string {
  const request = authnRequest(about)
  const body: Xml = { xml: about.signing ? signed(request, about.signing) : request }
  return xml`<S:Envelope xmlns:S="${ns.soap}"><S:Header><paos:Request xmlns:paos="${ns.paos}" S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next" responseConsumerURL="${about.consumerUrl}" service="${ns.ecp}"/><ecp:Request xmlns:ecp="${ns.ecp}" S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next" IsPassive="0"><saml:Issuer xmlns:saml="${ns.assertion}">${about.issuer}</saml:Issuer></ecp:Request><ecp:RelayState xmlns:ecp="${ns.ecp}" S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next">${relayState}</ecp:RelayState></S:Header><S:Body>${body}</S:Body></S:Envelope>`
    .xml
}

/** True when the request says that its sender can carry an envelope to an identity provider. */
export function speaksEcp(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  const accept = String(headers['accept'] ?? '')
  const paos = String(headers['paos'] ?? '')
  return accept.includes(paosType) && paos.includes(ns.paos) && paos.includes(ns.ecp)
}
