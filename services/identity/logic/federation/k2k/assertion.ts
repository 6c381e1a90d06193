/**
 * What a token says, as an assertion of SAML for another cloud (*service provider*) that believes this one (Keystone to Keystone).
 */
import type { TokenInfo } from '@strata/toolkit/context'
import { isoTime, toSeconds } from '@strata/toolkit/runtime'
import { bearer, ns, success } from '../saml/names.ts'
import { type SigningKey, signed } from '../saml/signature.ts'
import { type Xml, xml } from '../saml/xml.ts'

export interface CloudAssertion {
  readonly token: TokenInfo & { readonly project: NonNullable<TokenInfo['project']> }
  readonly groups: readonly { readonly name: string; readonly domain: string }[]
  /** Who says so. */
  readonly issuer: string
  /** The one address at which it may be used. */
  readonly recipient: string
  /** Milliseconds since 1970. */
  readonly now: number
  readonly notOnOrAfter: number
  /** Three ids that are used once: of the response, the assertion and the session. */
  readonly ids: readonly [string, string, string]
  readonly signing: SigningKey
}

/** A `Response`, its assertion signed. It names no audience: the other cloud's name is not known, its address is. */
export function cloudResponse(about: CloudAssertion): string {
  const { issuer, recipient } = about
  const [responseId] = about.ids
  const assertion: Xml = { xml: signed(assertionOf(about), about.signing) }
  return xml`<samlp:Response xmlns:samlp="${ns.protocol}" ID="${responseId}" Version="2.0" IssueInstant="${seconds(about.now)}" Destination="${recipient}">${issuerOf(issuer)}<samlp:Status><samlp:StatusCode Value="${success}"/></samlp:Status>${assertion}</samlp:Response>`
    .xml
}

const seconds = (at: number): string => toSeconds(isoTime(at))

const issuerOf = (issuer: string): Xml =>
  xml`<saml:Issuer xmlns:saml="${ns.assertion}" Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">${issuer}</saml:Issuer>`

function assertionOf(about: CloudAssertion): string {
  const { token, issuer, recipient } = about
  const [, id, session] = about.ids
  const now = seconds(about.now)
  const end = isoTime(about.notOnOrAfter)
  return xml`<saml:Assertion xmlns:saml="${ns.assertion}" ID="${id}" Version="2.0" IssueInstant="${now}">${issuerOf(issuer)}<saml:Subject><saml:NameID>${token.user.name}</saml:NameID><saml:SubjectConfirmation Method="${bearer}"><saml:SubjectConfirmationData NotOnOrAfter="${end}" Recipient="${recipient}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotOnOrAfter="${end}"/><saml:AuthnStatement AuthnInstant="${seconds(Date.parse(token.issuedAt))}" SessionIndex="${session}" SessionNotOnOrAfter="${end}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef><saml:AuthenticatingAuthority>${issuer}</saml:AuthenticatingAuthority></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>${attributesOf(about)}</saml:AttributeStatement></saml:Assertion>`
    .xml
}

function attributesOf({ token, groups }: CloudAssertion): Xml[] {
  const asJson = groups.map(({ name, domain }) => `JSON:${JSON.stringify({ name, domain: { name: domain } })}`)
  const attributes: readonly (readonly [string, readonly string[]])[] = [
    ['openstack_user', [token.user.name]],
    ['openstack_roles', token.roles.map(role => role.name)],
    ['openstack_project', [token.project.name]],
    ['openstack_project_domain', [token.project.domain.name]],
    ['openstack_user_domain', [token.user.domain.name]],
    ['openstack_groups', asJson],
  ]
  return attributes
    .filter(([, values]) => values.length > 0)
    .map(
      ([name, values]) =>
        xml`<saml:Attribute Name="${name}">${values.map(value => xml`<saml:AttributeValue>${value}</saml:AttributeValue>`)}</saml:Attribute>`,
    )
}
