/** Metadata of SAML: those of an identity provider, read; those of this cloud as a service provider, written. */
import { X509Certificate } from 'node:crypto'
import { bindings, ns } from './names.ts'
import {
  attribute,
  child,
  children,
  isElement,
  parseXml,
  refuse,
  textOf,
  type Xml,
  type XmlElement,
  xml,
} from './xml.ts'

export interface IdpMetadata {
  readonly entityId: string
  /** PEM; what the provider signs with. */
  readonly certificates: readonly string[]
  /** Where a browser is sent; a provider of other clouds alone has none. */
  readonly redirectUrl?: string
  readonly wantsSignedRequests: boolean
}

/** The provider of that name, or the only one. Throws `SamlError`. */
export function readIdpMetadata(text: string, entityId?: string): IdpMetadata {
  const providers = entitiesOf(parseXml(text, { comments: true })).filter(one => idpRole(one) !== undefined)
  const named = providers.filter(one => entityId === undefined || attribute(one, 'entityID') === entityId)
  const [entity, second] = named
  if (!entity) refuse(entityId === undefined ? 'they name no identity provider' : `they do not name ${entityId}`)
  if (second) refuse('they name several identity providers: idp_entity_id must say which one')
  const role = idpRole(entity!)!
  const certificates = signingCertificates(role)
  if (certificates.length === 0) refuse('they have no certificate for signatures')
  return {
    entityId: attribute(entity!, 'entityID') ?? refuse('the identity provider has no entityID'),
    certificates,
    redirectUrl: redirectUrlOf(role),
    wantsSignedRequests: attribute(role, 'WantAuthnRequestsSigned') === 'true',
  }
}

function entitiesOf(root: XmlElement): XmlElement[] {
  if (isElement(root, ns.metadata, 'EntityDescriptor')) return [root]
  if (!isElement(root, ns.metadata, 'EntitiesDescriptor')) return refuse('they are no metadata of SAML 2.0')
  const inner = children(root, ns.metadata, 'EntitiesDescriptor').flatMap(entitiesOf)
  return [...children(root, ns.metadata, 'EntityDescriptor'), ...inner]
}

const idpRole = (entity: XmlElement): XmlElement | undefined => child(entity, ns.metadata, 'IDPSSODescriptor')

function signingCertificates(role: XmlElement): string[] {
  const keys = children(role, ns.metadata, 'KeyDescriptor').filter(
    key => (attribute(key, 'use') ?? 'signing') === 'signing',
  )
  return keys
    .flatMap(key => children(key, ns.signature, 'KeyInfo'))
    .flatMap(info => children(info, ns.signature, 'X509Data'))
    .flatMap(data => children(data, ns.signature, 'X509Certificate'))
    .map(one => toPem(textOf(one)))
}

function toPem(base64: string): string {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64')).toString()
  } catch {
    return refuse('a certificate of theirs cannot be read')
  }
}

function redirectUrlOf(role: XmlElement): string | undefined {
  const services = children(role, ns.metadata, 'SingleSignOnService')
  const location = services.find(one => attribute(one, 'Binding') === bindings.redirect)
  const url = location && attribute(location, 'Location')
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    refuse('they send browsers to no web address')
  return url
}

/** The base64 text of a PEM certificate. */
export const certificateText = (pem: string): string => new X509Certificate(pem).raw.toString('base64')

const keyDescriptor = (use: string, certificate: string): Xml =>
  xml`<md:KeyDescriptor use="${use}"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>${certificateText(certificate)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>${
    use === 'encryption' ? encryptionMethods : undefined
  }</md:KeyDescriptor>`

const encryptionMethods: Xml = {
  xml: [
    'http://www.w3.org/2009/xmlenc11#aes256-gcm',
    'http://www.w3.org/2009/xmlenc11#aes128-gcm',
    'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
  ]
    .map(algorithm => `<md:EncryptionMethod Algorithm="${algorithm}"/>`)
    .join(''),
}

/** Metadata of this cloud for one identity provider: what an administrator there is given. */
export function serviceProviderMetadata(about: {
  readonly entityId: string
  readonly browserUrl: string
  readonly programUrl: string
  readonly signsRequests: boolean
  /** PEM. */
  readonly signing: string
  readonly encryption: string
}): string {
  return xml`<md:EntityDescriptor xmlns:md="${ns.metadata}" xmlns:ds="${ns.signature}" entityID="${about.entityId}"><md:SPSSODescriptor AuthnRequestsSigned="${String(about.signsRequests)}" WantAssertionsSigned="true" protocolSupportEnumeration="${ns.protocol}">${keyDescriptor('signing', about.signing)}${keyDescriptor('encryption', about.encryption)}<md:AssertionConsumerService Binding="${bindings.post}" Location="${about.browserUrl}" index="0" isDefault="true"/><md:AssertionConsumerService Binding="${bindings.paos}" Location="${about.programUrl}" index="1"/></md:SPSSODescriptor></md:EntityDescriptor>`
    .xml
}

export interface IdentityProviderAbout {
  readonly entityId: string
  readonly ssoUrl: string
  /** PEM. */
  readonly signing: string
  readonly lang: string
  readonly organization?: { readonly name: string; readonly displayName: string; readonly url: string }
  readonly contact?: {
    readonly type: string
    readonly company?: string
    readonly givenName?: string
    readonly surname?: string
    readonly email?: string
    readonly telephone?: string
  }
}

/** Metadata of this cloud as the identity provider of other clouds. */
export function identityProviderMetadata(about: IdentityProviderAbout): string {
  const { lang, organization, contact } = about
  return xml`<md:EntityDescriptor xmlns:md="${ns.metadata}" xmlns:ds="${ns.signature}" entityID="${about.entityId}"><md:IDPSSODescriptor protocolSupportEnumeration="${ns.protocol}">${keyDescriptor('signing', about.signing)}${
    organization &&
    xml`<md:Organization><md:OrganizationName xml:lang="${lang}">${organization.name}</md:OrganizationName><md:OrganizationDisplayName xml:lang="${lang}">${organization.displayName}</md:OrganizationDisplayName><md:OrganizationURL xml:lang="${lang}">${organization.url}</md:OrganizationURL></md:Organization>`
  }${
    contact &&
    xml`<md:ContactPerson contactType="${contact.type}">${optional('Company', contact.company)}${optional('GivenName', contact.givenName)}${optional('SurName', contact.surname)}${optional('EmailAddress', contact.email)}${optional('TelephoneNumber', contact.telephone)}</md:ContactPerson>`
  }<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat><md:SingleSignOnService Binding="${bindings.uri}" Location="${about.ssoUrl}"/></md:IDPSSODescriptor></md:EntityDescriptor>`
    .xml
}

const optional = (name: string, value: string | undefined): Xml | undefined =>
  value === undefined ? undefined : { xml: `<md:${name}>${xml`${value}`.xml}</md:${name}>` }
