/**
 * Fernet (github.com/fernet/spec): a message encrypted by AES-128-CBC and signed by HMAC-SHA256, with the time it was made.
 * A token is base64url of: version 0x80, time (64 bit seconds), IV (16 bytes), ciphertext, HMAC (32 bytes). A key is 32
 * bytes: the first half signs, the second encrypts.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto'

const version = 0x80
const head = 1 + 8 + 16
const tail = 32

export interface Fernet {
  readonly message: Buffer
  /** Milliseconds since 1970, whole seconds. */
  readonly madeAt: number
}

/** The 32 bytes of a key in base64url; undefined when it is none. */
export function parseKey(text: string): Uint8Array | undefined {
  const bytes = fromBase64Url(text.trim())
  return bytes?.length === 32 ? bytes : undefined
}

export function encrypt(options: {
  readonly key: Uint8Array
  readonly message: Uint8Array
  /** Milliseconds since 1970. */
  readonly now: number
  /** 16 random bytes, never used before with this key. */
  readonly iv: Uint8Array
}): string {
  const { key, message, now, iv } = options
  const cipher = createCipheriv('aes-128-cbc', halvesOf(key).encrypting, iv)
  const prefix = Buffer.alloc(9)
  prefix[0] = version
  prefix.writeBigUInt64BE(BigInt(Math.floor(now / 1000)), 1)
  const signed = Buffer.concat([prefix, iv, cipher.update(message), cipher.final()])
  const text = Buffer.concat([signed, sign(key, signed)]).toString('base64url')
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

/** What was encrypted with one of `keys`; undefined when the token is not of their making, or was tampered with. */
export function decrypt(keys: readonly Uint8Array[], token: string): Fernet | undefined {
  const bytes = fromBase64Url(token)
  if (!bytes || bytes.length < head + 16 + tail || bytes[0] !== version) return undefined
  const signed = bytes.subarray(0, -tail)
  const signature = bytes.subarray(-tail)
  const key = keys.find(one => timingSafeEqual(sign(one, signed), signature))
  if (!key || (signed.length - head) % 16 !== 0) return undefined
  const decipher = createDecipheriv('aes-128-cbc', halvesOf(key).encrypting, bytes.subarray(9, head))
  try {
    const message = Buffer.concat([decipher.update(signed.subarray(head)), decipher.final()])
    return { message, madeAt: Number(bytes.readBigUInt64BE(1)) * 1000 }
  } catch {
    // Only a holder of the key can get here, with padding that is wrong.
    return undefined
  }
}

const sign = (key: Uint8Array, signed: Uint8Array): Buffer =>
  createHmac('sha256', halvesOf(key).signing).update(signed).digest()

interface Halves {
  readonly signing: KeyObject
  readonly encrypting: KeyObject
}

/** Node prepares a key anew for each use of its bytes, which costs more than the use. */
const prepared = new WeakMap<Uint8Array, Halves>()

function halvesOf(key: Uint8Array): Halves {
  const known = prepared.get(key)
  if (known) return known
  const [signing, encrypting] = [createSecretKey(key.subarray(0, 16)), createSecretKey(key.subarray(16, 32))]
  const halves = { signing, encrypting }
  prepared.set(key, halves)
  return halves
}

/** Strict, unlike Buffer's own reader, which skips what it does not know: each token has one spelling, with or without `=`. */
function fromBase64Url(text: string): Buffer | undefined {
  const bare = text.replace(/={0,2}$/, '')
  if (!/^[A-Za-z0-9_-]*$/.test(bare) || bare.length % 4 === 1) return undefined
  const bytes = Buffer.from(bare, 'base64url')
  return bytes.toString('base64url') === bare ? bytes : undefined
}
