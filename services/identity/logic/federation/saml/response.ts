/**
 * The answer of an identity provider (`Response`), believed or refused as SAML's profiles for browsers and for programs ask
 * (profiles, 4.1.4 and 4.2.4). Nothing here depends on anything but the arguments.
 */
import { decrypted } from './encryption.ts'
import { bearer, ns, success } from './names.ts'
import { isSigned, verified } from './signature.ts'
import {
  attribute,
  child,
  children,
  isElement,
  parseXml,
  refuse,
  requireChild,
  textOf,
  type XmlElement,
} from './xml.ts'

export interface Expectation {
  /** Who may have sent it, and the certificates (PEM) it signs with. */
  readonly issuer: string
  readonly certificates: readonly string[]
  /** This cloud's name there. */
  readonly audience: string
  /** The address at which it arrived. */
  readonly recipient: string
  /** The request that it must answer; undefined where none was made, and then it must answer none. */
  readonly inResponseTo: string | undefined
  /** False for other clouds, which do not know this one's name. */
  readonly requireAudience: boolean
  /** PEM; for encrypted assertions. */
  readonly decryptionKey?: string
  /** Milliseconds since 1970. */
  readonly now: number
  /** Milliseconds. */
  readonly skew: number
}

export interface BelievedAssertion {
  readonly id: string
  readonly issuer: string
  /** Milliseconds since 1970: from then on it is refused by itself. */
  readonly notOnOrAfter: number
  readonly nameId?: string
  readonly attributes: Readonly<Record<string, readonly string[]>>
}

/** `response` is part of the document `text`. Throws `SamlError`, whose words are for the log alone. */
export async function readResponse(
  text: string,
  response: XmlElement,
  expected: Expectation,
): Promise<BelievedAssertion> {
  if (!isElement(response, ns.protocol, 'Response')) refuse('the message is no response')
  const trusted = isSigned(response) ? verified(text, response, expected.certificates) : undefined
  const root = trusted ?? response
  checkResponse(root, expected)
  const assertion = await signedAssertion(trusted === undefined ? text : root.toString(), root, trusted, expected)
  return readAssertion(assertion, expected)
}

function checkResponse(root: XmlElement, expected: Expectation): void {
  if (attribute(root, 'Version') !== '2.0') refuse('the response is not of SAML 2.0')
  const issuer = child(root, ns.protocol, 'Issuer') ?? child(root, ns.assertion, 'Issuer')
  if (issuer && textOf(issuer) !== expected.issuer) refuse('the response is of another issuer')
  const destination = attribute(root, 'Destination')
  if (destination !== undefined && destination !== expected.recipient) refuse('the response is for another address')
  const answers = attribute(root, 'InResponseTo')
  if (answers !== undefined && answers !== expected.inResponseTo) refuse('the response answers another request')
  const status = requireChild(requireChild(root, ns.protocol, 'Status'), ns.protocol, 'StatusCode')
  if (attribute(status, 'Value') !== success)
    refuse(`the identity provider answered ${(attribute(status, 'Value') ?? 'nothing').slice(0, 100)}`)
}

/** The one assertion of the response, as it was signed, alone or with the whole response. */
async function signedAssertion(
  text: string,
  root: XmlElement,
  trusted: XmlElement | undefined,
  { certificates, decryptionKey }: Expectation,
): Promise<XmlElement> {
  const encrypted = child(root, ns.assertion, 'EncryptedAssertion')
  const plain = child(root, ns.assertion, 'Assertion')
  if (encrypted && plain) refuse('there are several assertions')
  const inner = encrypted && (await decrypted(encrypted, decryptionKey))
  const assertion = inner === undefined ? plain : parseXml(inner)
  if (!assertion || !isElement(assertion, ns.assertion, 'Assertion')) return refuse('there is no assertion')
  if (isSigned(assertion)) return verified(inner ?? text, assertion, certificates)
  return trusted ? assertion : refuse('neither the response nor the assertion is signed')
}

function readAssertion(assertion: XmlElement, expected: Expectation): BelievedAssertion {
  if (attribute(assertion, 'Version') !== '2.0') refuse('the assertion is not of SAML 2.0')
  if (textOf(requireChild(assertion, ns.assertion, 'Issuer')) !== expected.issuer)
    refuse('the assertion is of another issuer')
  const made = timeIn(assertion, 'IssueInstant') ?? refuse('the assertion does not say when it was made')
  if (made > expected.now + expected.skew) refuse('the assertion is of the future')
  const subject = requireChild(assertion, ns.assertion, 'Subject')
  const end = confirmedUntil(subject, expected)
  checkConditions(child(assertion, ns.assertion, 'Conditions'), expected)
  checkStatements(assertion, expected)
  const nameId = child(subject, ns.assertion, 'NameID')
  return {
    id: attribute(assertion, 'ID') ?? refuse('the assertion has no ID'),
    issuer: expected.issuer,
    notOnOrAfter: end + expected.skew,
    ...(nameId && { nameId: textOf(nameId) }),
    attributes: attributesOf(assertion),
  }
}

/** Whoever brings it is the subject (*bearer*): here, now, and in answer to that request. */
function confirmedUntil(subject: XmlElement, { recipient, inResponseTo, now, skew }: Expectation): number {
  const ends = children(subject, ns.assertion, 'SubjectConfirmation')
    .filter(one => attribute(one, 'Method') === bearer)
    .flatMap(one => children(one, ns.assertion, 'SubjectConfirmationData'))
    .filter(data => attribute(data, 'Recipient') === recipient && attribute(data, 'InResponseTo') === inResponseTo)
    .filter(data => isNow(data, now, skew))
    .map(data => timeIn(data, 'NotOnOrAfter'))
    .filter(end => end !== undefined)
  if (ends.length === 0) refuse('the assertion is not for this address, this request and this time')
  return Math.max(...ends)
}

const isNow = (element: XmlElement, now: number, skew: number): boolean => {
  const start = timeIn(element, 'NotBefore')
  const end = timeIn(element, 'NotOnOrAfter')
  return (start === undefined || start <= now + skew) && (end === undefined || now - skew < end)
}

/** What the core of SAML says of one-time use and of proxies asks nothing of this cloud: each assertion is used once. */
const knownConditions = new Set(['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction'])

function checkConditions(conditions: XmlElement | undefined, expected: Expectation): void {
  const { audience, requireAudience, now, skew } = expected
  const restrictions = conditions ? children(conditions, ns.assertion, 'AudienceRestriction') : []
  if (requireAudience && restrictions.length === 0) refuse('the assertion names no audience')
  for (const one of restrictions)
    if (!children(one, ns.assertion, 'Audience').some(named => textOf(named) === audience))
      refuse('the assertion is for another audience')
  if (!conditions) return
  if (!isNow(conditions, now, skew)) refuse('the assertion is not of this time')
  for (const one of Array.from(conditions.childNodes))
    if (one.nodeType === 1 && !knownConditions.has((one as XmlElement).localName))
      refuse('the assertion has a condition that is not known')
}

function checkStatements(assertion: XmlElement, { now, skew }: Expectation): void {
  const logins = children(assertion, ns.assertion, 'AuthnStatement')
  if (logins.length === 0) refuse('the assertion does not say that somebody logged in')
  for (const one of logins) {
    const end = timeIn(one, 'SessionNotOnOrAfter')
    if (end !== undefined && end <= now - skew) refuse('the session at the identity provider is over')
  }
}

/** Under their names, and under the names that people read where they have such. */
function attributesOf(assertion: XmlElement): Record<string, readonly string[]> {
  const found = new Map<string, string[]>()
  const given = children(assertion, ns.assertion, 'AttributeStatement').flatMap(one =>
    children(one, ns.assertion, 'Attribute'),
  )
  for (const one of given) {
    const values = children(one, ns.assertion, 'AttributeValue').map(textOf)
    const names = new Set([attribute(one, 'Name'), attribute(one, 'FriendlyName')])
    for (const name of names) if (name) found.set(name, [...(found.get(name) ?? []), ...values])
  }
  return Object.fromEntries(found)
}

const utc = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/

/** Milliseconds since 1970. Times of SAML are UTC (core, 1.3.3). */
function timeIn(element: XmlElement, name: string): number | undefined {
  const text = attribute(element, name)
  if (text === undefined) return undefined
  const at = utc.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? refuse(`${name} is no time`) : at
}
