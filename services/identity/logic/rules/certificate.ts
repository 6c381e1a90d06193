/**
 * Client certificates (RFC 8705): the names in them, and the *thumbprint* that binds a token to one. The thumbprint is that of
 * Keystone, which those who check tokens outside of this cloud compare with: a hash of the PEM text, not of the bytes in it.
 */
import { createHash, X509Certificate } from 'node:crypto'

/**
 * What a proxy put into a header: the bytes in Base64, bare (HAProxy), between colons (RFC 9440), or as PEM whose line ends
 * became blanks (Apache) or were escaped (nginx). Undefined when it is no certificate.
 */
export function readCertificate(value: string): X509Certificate | undefined {
  try {
    const text = value.includes('%') ? decodeURIComponent(value) : value
    const base64 = text.replace(/-----(BEGIN|END) CERTIFICATE-----|^:|:$/g, '').replace(/\s/g, '')
    return new X509Certificate(Buffer.from(base64, 'base64'))
  } catch {
    return undefined
  }
}

export function thumbprintOf(certificate: X509Certificate): string {
  const digest = createHash('sha256').update(certificate.toString()).digest('base64')
  return digest.replaceAll('+', '-').replaceAll('/', '_')
}

/** `SSL_CLIENT_SUBJECT_DN_CN` and the like, for mappings. Of an attribute that is there twice, the last one counts. */
export function namesIn(certificate: X509Certificate): Record<string, readonly string[]> {
  const { subject, issuer } = certificate.toLegacyObject() as Record<
    'subject' | 'issuer',
    Record<string, string | string[]>
  >
  const names = (who: string, dn: Record<string, string | string[]>) =>
    Object.entries(dn).map(([key, value]) => [`SSL_CLIENT_${who}_DN_${key.toUpperCase()}`, [value].flat().slice(-1)])
  return Object.fromEntries([...names('SUBJECT', subject), ...names('ISSUER', issuer)])
}
