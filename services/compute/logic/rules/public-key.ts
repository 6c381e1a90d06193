/**
 * Public keys as SSH writes them on one line, `ssh-ed25519 AAAA… comment` (RFC 4253 §6.6, RFC 8709, RFC 5656), and X.509
 * certificates in PEM. A key is taken only when it can be one: its parts have their lengths, its point lies on its curve.
 */
import { Buffer } from 'node:buffer'
import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'

/** Thrown with words for the caller. */
export class KeyError extends Error {
  override readonly name = 'KeyError'
}

/** MD5 of the key's binary form: `aa:bb:…`, as `ssh-keygen -l -E md5` tells it. Throws `KeyError`. */
export function sshFingerprint(line: string): string {
  const [type, base64] = line.trim().split(/\s+/)
  if (/[\r\n]/.test(line.trim())) throw new KeyError('it has more than one line')
  if (type === undefined || base64 === undefined) throw new KeyError('it is not of the form "type base64 comment"')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new KeyError('its second word is not base64')
  const blob = Buffer.from(base64, 'base64')
  const parts = split(blob)
  if (parts[0]?.toString('latin1') !== type)
    throw new KeyError('it does not hold a key of the type that it begins with')
  checkParts(type, parts.slice(1))
  return colons(createHash('md5').update(blob).digest('hex'))
}

/** SHA-1 of the certificate. Throws `KeyError`. */
export function x509Fingerprint(pem: string): string {
  try {
    return new X509Certificate(pem).fingerprint.toLowerCase()
  } catch {
    throw new KeyError('it is not a certificate in PEM')
  }
}

/** The line of an RSA key. */
export function sshLine(key: KeyObject, comment: string): string {
  const { n, e } = key.export({ format: 'jwk' })
  const blob = Buffer.concat([Buffer.from('ssh-rsa'), mpint(e!), mpint(n!)].map(lengthPrefixed))
  return `ssh-rsa ${blob.toString('base64')} ${comment}`
}

/** A positive number as RFC 4251 writes it: with a zero byte before a first bit that is set. */
function mpint(base64url: string): Buffer {
  const bytes = Buffer.from(base64url, 'base64url')
  return bytes[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes
}

function lengthPrefixed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

const colons = (hex: string): string => hex.match(/../g)!.join(':')

/** The blob's strings, each with its length before it. */
function split(blob: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < blob.length; ) {
    const end = at + 4 <= blob.length ? at + 4 + blob.readUInt32BE(at) : Number.POSITIVE_INFINITY
    if (end > blob.length) throw new KeyError('it is cut off')
    parts.push(blob.subarray(at + 4, end))
    at = end
  }
  return parts
}

const curves: Readonly<Record<string, readonly [jwk: string, bytes: number]>> = {
  nistp256: ['P-256', 32],
  nistp384: ['P-384', 48],
  nistp521: ['P-521', 66],
}

function checkParts(type: string, parts: readonly Buffer[]): void {
  const [, curve] = /^ecdsa-sha2-(nistp256|nistp384|nistp521)$/.exec(type) ?? []
  if (type === 'ssh-rsa') checkRsa(parts)
  else if (type === 'ssh-ed25519') expectParts(parts, 1, parts[0]?.length === 32)
  else if (type === 'sk-ssh-ed25519@openssh.com') expectParts(parts, 2, parts[0]?.length === 32)
  else if (curve !== undefined) checkPoint(curve, parts, 2)
  else if (type === 'sk-ecdsa-sha2-nistp256@openssh.com') checkPoint('nistp256', parts, 3)
  else if (type === 'ssh-dss') expectParts(parts, 4, parts[0]?.length === 129)
  else throw new KeyError(`keys of type ${type.slice(0, 64)} are not known`)
}

function expectParts(parts: readonly Buffer[], count: number, right: boolean): void {
  if (parts.length !== count || !right) throw new KeyError('it is damaged')
}

function checkRsa(parts: readonly Buffer[]): void {
  const [exponent, modulus] = parts
  const bits = ((modulus?.length ?? 0) - 1) * 8
  const odd = (number: Buffer | undefined) => (number?.at(-1) ?? 0) % 2 === 1
  expectParts(parts, 2, odd(exponent) && odd(modulus))
  if (bits < 1016) throw new KeyError('an RSA key of fewer than 1024 bits is not safe')
}

function checkPoint(curve: string, parts: readonly Buffer[], count: number): void {
  const [name, point] = parts
  const [crv, bytes] = curves[curve]!
  expectParts(parts, count, name?.toString('latin1') === curve && point?.length === 2 * bytes + 1 && point[0] === 4)
  const [x, y] = [point!.subarray(1, bytes + 1), point!.subarray(bytes + 1)].map(part => part.toString('base64url'))
  try {
    createPublicKey({ key: { kty: 'EC', crv, x: x!, y: y! }, format: 'jwk' })
  } catch {
    throw new KeyError(`its point is not on the curve ${curve}`)
  }
}
