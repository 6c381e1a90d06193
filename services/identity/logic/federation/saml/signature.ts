/**
 * Signatures of SAML messages (XML Signature, enveloped). What a signature covers is read again from the very bytes that were
 * signed, and nothing else of the message is looked at afterwards: an element that was moved, copied or wrapped around the
 * signed one is not seen.
 */
import { SignedXml } from 'xml-crypto'
import { enveloped, exclusiveC14n, ns, rsaSha256, sha256 } from './names.ts'
import { attribute, child, children, isElement, parseXml, refuse, requireChild, type XmlElement } from './xml.ts'

const signatureMethods: readonly string[] = [
  rsaSha256,
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
]
const digestMethods: readonly string[] = [sha256, 'http://www.w3.org/2001/04/xmlenc#sha512']
const canonicalizations: readonly string[] = [exclusiveC14n, 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315']

export const isSigned = (element: XmlElement): boolean => children(element, ns.signature, 'Signature').length > 0

/**
 * What was signed of `element`, which carries the signature and is part of the document `text`, as a document of its own.
 * Throws `SamlError` unless one of the certificates (PEM) fits.
 */
export function verified(text: string, element: XmlElement, certificates: readonly string[]): XmlElement {
  const signature = requireChild(element, ns.signature, 'Signature')
  const id = attribute(element, 'ID') ?? refuse('what is signed has no ID')
  checkForm(signature, id)
  for (const certificate of certificates) {
    const signed = signedWith(text, signature, certificate)
    if (signed === undefined) continue
    const root = parseXml(signed)
    if (attribute(root, 'ID') !== id || !isElement(root, element.namespaceURI ?? '', element.localName))
      refuse('the signature is of another element')
    return root
  }
  return refuse('no certificate of the identity provider fits the signature')
}

function signedWith(text: string, signature: XmlElement, certificate: string): string | undefined {
  // Keys that the message itself brings along are never looked at.
  const verifier = new SignedXml({ publicCert: certificate, getCertFromKeyInfo: () => null })
  try {
    verifier.loadSignature(signature.toString())
    if (!verifier.checkSignature(text)) return undefined
  } catch {
    return undefined
  }
  const signed = verifier.getSignedReferences()
  return signed.length === 1 ? signed[0] : undefined
}

/** Only the one form that SAML knows (core, 5.4), with algorithms that are still worth something. */
function checkForm(signature: XmlElement, id: string): void {
  const info = requireChild(signature, ns.signature, 'SignedInfo')
  const algorithm = (parent: XmlElement, name: string) =>
    attribute(requireChild(parent, ns.signature, name), 'Algorithm') ?? ''
  const oneOf = (known: readonly string[], given: string) =>
    known.includes(given) || refuse(`the signature uses ${given || 'no algorithm'}, which is not accepted`)
  oneOf(canonicalizations, algorithm(info, 'CanonicalizationMethod'))
  oneOf(signatureMethods, algorithm(info, 'SignatureMethod'))
  const reference = requireChild(info, ns.signature, 'Reference')
  if (attribute(reference, 'URI') !== `#${id}`) refuse('the signature is not of the element that carries it')
  oneOf(digestMethods, algorithm(reference, 'DigestMethod'))
  const transforms = children(requireChild(reference, ns.signature, 'Transforms'), ns.signature, 'Transform')
  const [first, second, third] = transforms.map(one => attribute(one, 'Algorithm') ?? '')
  if (first !== enveloped || third !== undefined) refuse('the signature transforms what it signs')
  if (second !== undefined) oneOf(canonicalizations, second)
  if (child(signature, ns.signature, 'Object')) refuse('the signature has an object of its own')
}

export interface SigningKey {
  /** PEM. */
  readonly key: string
  readonly certificate: string
}

/** The document with its root signed; the signature follows the issuer, as SAML has it. */
export function signed(text: string, { key, certificate }: SigningKey): string {
  const signer = new SignedXml({
    privateKey: key,
    publicCert: certificate,
    signatureAlgorithm: rsaSha256,
    canonicalizationAlgorithm: exclusiveC14n,
    idAttribute: 'ID',
  })
  signer.addReference({ xpath: '/*', transforms: [enveloped, exclusiveC14n], digestAlgorithm: sha256 })
  signer.computeSignature(text, {
    prefix: 'ds',
    location: { reference: "/*/*[local-name(.)='Issuer']", action: 'after' },
  })
  return signer.getSignedXml()
}
