/**
 * A certificate that vouches for itself (X.509, RFC 5280), around the public key of a pair. SAML takes from it the key alone;
 * trust comes from the metadata that carry it.
 */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'

const sha256WithRsa = der(0x30, oid(1, 2, 840, 113549, 1, 1, 11), der(0x05))
const commonName = oid(2, 5, 4, 3)
const basicConstraints = oid(2, 5, 29, 19)

/** PEM. Times are milliseconds since 1970; `serial` is 16 random bytes. */
export function selfSigned(about: {
  /** The private key of the pair (PEM, RSA). */
  readonly key: string
  readonly name: string
  readonly serial: Uint8Array
  readonly notBefore: number
  readonly notAfter: number
}): string {
  const key = createPrivateKey(about.key)
  const name = der(0x30, der(0x31, der(0x30, commonName, der(0x0c, Buffer.from(about.name, 'utf8')))))
  // The first bit would make it negative, a leading zero is not allowed.
  const serial = Buffer.from(about.serial)
  serial[0] = (serial[0]! & 0x7f) | 0x40
  const noAuthority = der(0x30, basicConstraints, der(0x01, Buffer.from([0xff])), der(0x04, der(0x30)))
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    sha256WithRsa,
    name,
    der(0x30, time(about.notBefore), time(about.notAfter)),
    name,
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, noAuthority)),
  )
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, key))
  const lines = der(0x30, body, sha256WithRsa, signature)
    .toString('base64')
    .match(/.{1,64}/g)!
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** Tag, length, value (X.690). */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts)
  if (value.length < 0x80) return Buffer.concat([Buffer.from([tag, value.length]), value])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(value.length)
  const significant = length.subarray(length.findIndex(byte => byte !== 0))
  return Buffer.concat([Buffer.from([tag, 0x80 | significant.length]), significant, value])
}

function oid(first: number, second: number, ...rest: readonly number[]): Buffer {
  const base128 = (number: number): number[] => {
    const bytes = [number & 0x7f]
    for (let left = number >>> 7; left > 0; left >>>= 7) bytes.unshift((left & 0x7f) | 0x80)
    return bytes
  }
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** Years from 2050 on have four digits, those before two. */
function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/\.\d+|[-:T]/g, '')
  return digits < '2050' ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits))
}
