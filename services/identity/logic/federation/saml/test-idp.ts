/** For tests: an identity provider of SAML 2.0 that signs whatever it is told to, well or badly. */
import { generateKeyPairSync } from 'node:crypto'
import { SignedXml } from 'xml-crypto'
import { type EncryptOptions, encrypt } from 'xml-encryption'
import { selfSigned } from './certificate.ts'
import { certificateText } from './metadata.ts'

export interface SigningForm {
  readonly method?: string
  readonly digest?: string
  readonly transforms?: readonly string[]
  readonly canonicalization?: string
  /** Which element is signed, and after which the signature stands. */
  readonly reference?: string
  readonly location?: string
  /** Anything but RSA: the secret of an HMAC. */
  readonly secret?: string
}

export interface AssertionForm {
  readonly id?: string
  readonly issuer?: string
  readonly audience?: string | null
  readonly recipient?: string
  readonly inResponseTo?: string | null
  readonly notBefore?: number
  readonly notOnOrAfter?: number
  readonly nameId?: string
  readonly attributes?: Readonly<Record<string, readonly string[]>>
  readonly issueInstant?: number
  readonly confirmation?: string
  readonly conditions?: string
  readonly login?: string
}

const at = (ms: number) => new Date(ms).toISOString()
const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const envelopedSignature = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
export const saml = 'urn:oasis:names:tc:SAML:2.0:assertion'
export const samlp = 'urn:oasis:names:tc:SAML:2.0:protocol'

export function createTestIdp(entityId = 'https://idp.example/saml') {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const now = Date.now()
  const certificate = selfSigned({
    key,
    name: 'idp',
    serial: new Uint8Array(16).fill(7),
    notBefore: now - 1000,
    notAfter: now + 864e5,
  })
  let ids = 0
  const newId = () => `_id${++ids}-${Math.random().toString(36).slice(2)}`

  const assertion = (form: AssertionForm & { readonly recipient: string; readonly audience: string | null }) => {
    const made = form.issueInstant ?? Date.now()
    const end = at(form.notOnOrAfter ?? Date.now() + 60_000)
    const answers = form.inResponseTo ? ` InResponseTo="${form.inResponseTo}"` : ''
    const audience =
      form.audience === null
        ? ''
        : `<saml:AudienceRestriction><saml:Audience>${form.audience}</saml:Audience></saml:AudienceRestriction>`
    const attributes = Object.entries(form.attributes ?? { mail: ['ann@example.org'] })
      .map(
        ([name, values]) =>
          `<saml:Attribute Name="${name}">${values.map(value => `<saml:AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">${value}</saml:AttributeValue>`).join('')}</saml:Attribute>`,
      )
      .join('')
    const start = form.notBefore === undefined ? '' : ` NotBefore="${at(form.notBefore)}"`
    return `<saml:Assertion xmlns:saml="${saml}" ID="${form.id ?? newId()}" Version="2.0" IssueInstant="${at(made)}"><saml:Issuer>${form.issuer ?? entityId}</saml:Issuer><saml:Subject><saml:NameID>${form.nameId ?? 'ann'}</saml:NameID>${form.confirmation ?? `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${end}" Recipient="${form.recipient}"${answers}/></saml:SubjectConfirmation>`}</saml:Subject>${form.conditions ?? `<saml:Conditions${start} NotOnOrAfter="${end}">${audience}</saml:Conditions>`}${form.login ?? `<saml:AuthnStatement AuthnInstant="${at(made)}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`}<saml:AttributeStatement>${attributes}</saml:AttributeStatement></saml:Assertion>`
  }

  const sign = (xml: string, form: SigningForm = {}): string => {
    const signer = new SignedXml({
      privateKey: form.secret ?? key,
      ...(form.secret === undefined && { publicCert: certificate }),
      signatureAlgorithm: form.method ?? 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
      canonicalizationAlgorithm: form.canonicalization ?? exclusive,
      idAttribute: 'ID',
    })
    if (form.secret !== undefined) signer.enableHMAC()
    signer.addReference({
      xpath: form.reference ?? "//*[local-name(.)='Assertion']",
      transforms: [...(form.transforms ?? [envelopedSignature, exclusive])],
      digestAlgorithm: form.digest ?? 'http://www.w3.org/2001/04/xmlenc#sha256',
    })
    const reference = form.location ?? "//*[local-name(.)='Assertion']/*[local-name(.)='Issuer']"
    signer.computeSignature(xml, { prefix: 'ds', location: { reference, action: 'after' } })
    return signer.getSignedXml()
  }

  const response = (
    inner: string,
    form: {
      destination?: string
      inResponseTo?: string | null
      status?: string
      issuer?: string
    } = {},
  ) =>
    `<samlp:Response xmlns:samlp="${samlp}" xmlns:saml="${saml}" ID="${newId()}" Version="2.0" IssueInstant="${at(Date.now())}"${form.destination ? ` Destination="${form.destination}"` : ''}${form.inResponseTo ? ` InResponseTo="${form.inResponseTo}"` : ''}><saml:Issuer>${form.issuer ?? entityId}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${form.status ?? 'Success'}"/></samlp:Status>${inner}</samlp:Response>`

  const encrypted = (
    xml: string,
    options: {
      readonly for: string
      readonly cipher?: EncryptOptions['encryptionAlgorithm']
      readonly wrap?: EncryptOptions['keyEncryptionAlgorithm']
    },
  ) =>
    new Promise<string>((resolve, reject) =>
      encrypt(
        xml,
        {
          rsa_pub: options.for,
          pem: options.for,
          encryptionAlgorithm: options.cipher ?? 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
          keyEncryptionAlgorithm: options.wrap ?? 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
          disallowEncryptionWithInsecureAlgorithm: false,
          warnInsecureAlgorithm: false,
        },
        (failed, text) =>
          failed ? reject(failed) : resolve(`<saml:EncryptedAssertion>${text}</saml:EncryptedAssertion>`),
      ),
    )

  return {
    entityId,
    key,
    certificate,
    assertion,
    sign,
    response,
    encrypted,
    metadata: `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entityId}"><!-- ours --><IDPSSODescriptor protocolSupportEnumeration="${samlp}"><KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${certificateText(certificate)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso?tenant=1"/></IDPSSODescriptor></EntityDescriptor>`,
  }
}

export type TestIdp = ReturnType<typeof createTestIdp>
