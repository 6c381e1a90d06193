/**
 * Passwords: hashed by scrypt (RFC 7914) in the thread pool, a few at a time, and kept as
 * `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`, so that each says itself how it was made.
 *
 * A password that was just found right is remembered for a short time, so that a service that logs in again and again costs
 * one hash. What is remembered is an HMAC under a key that only this process knows and that dies with it.
 */
import { createHmac, scrypt, timingSafeEqual } from 'node:crypto'
import type { Runtime } from '@strata/toolkit/runtime'

const blockSize = 8
const atOnce = 2

/** The cost for passwords that were made up by a machine: guessing them is hopeless however fast a guess is. */
export const randomPasswordCost = 10

export interface Passwords {
  /** `cost` is the binary logarithm of scrypt's N; the configured one unless given. */
  hash(password: string, cost?: number): Promise<string>
  /**
   * True when the password has this hash. Without a hash (no such user, no password) it takes as long as a wrong password
   * and is false.
   */
  verify(userId: string, hash: string | undefined, password: string): Promise<boolean>
  /** Forgets the passwords that were found right. */
  forget(): void
}

export function createPasswords(options: {
  readonly runtime: Runtime
  readonly cost: number
  /** Milliseconds for which a right password is remembered. */
  readonly remember: number
}): Passwords {
  const { runtime, cost, remember } = options
  const turn = limiter(atOnce)
  const processKey = runtime.bytes(32)
  const right = new Map<string, { readonly mac: Buffer; readonly until: number }>()
  const nobodys = format({ cost, salt: Buffer.from(runtime.bytes(16)), hash: Buffer.from(runtime.bytes(32)) })
  const macOf = (userId: string, hash: string, password: string) =>
    createHmac('sha256', processKey)
      .update(JSON.stringify([userId, hash, password]))
      .digest()
  const matches = async (hash: string, password: string) => {
    const known = parse(hash)
    if (!known) return false
    const derived = await turn(() => derive(password, known.salt, known.cost))
    return known.hash.length === derived.length && timingSafeEqual(known.hash, derived)
  }
  return {
    async hash(password, ownCost = cost) {
      const salt = Buffer.from(runtime.bytes(16))
      return format({ cost: ownCost, salt, hash: await turn(() => derive(password, salt, ownCost)) })
    },
    async verify(userId, hash, password) {
      const mac = macOf(userId, hash ?? '', password)
      const seen = hash === undefined ? undefined : right.get(userId)
      if (seen && seen.until > runtime.now() && timingSafeEqual(seen.mac, mac)) return true
      if (hash !== undefined && (await matches(hash, password))) {
        if (right.size >= 1000) right.clear()
        right.set(userId, { mac, until: runtime.now() + remember })
        return true
      }
      // A wrong password must cost the same whoever's it is, so a cheap or absent hash is made up for.
      if ((parse(hash ?? '')?.cost ?? 0) < cost) await matches(nobodys, password)
      return false
    },
    forget: () => right.clear(),
  }
}

interface Parts {
  readonly cost: number
  readonly salt: Buffer
  readonly hash: Buffer
}

const unpadded = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')
const format = ({ cost, salt, hash }: Parts) =>
  `$scrypt$ln=${cost},r=${blockSize},p=1$${unpadded(salt)}$${unpadded(hash)}`

function parse(text: string): Parts | undefined {
  const [, cost, salt, hash] = /^\$scrypt\$ln=(\d{1,2}),r=8,p=1\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(text) ?? []
  if (!cost || !salt || !hash) return undefined
  return { cost: Number(cost), salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
}

function derive(password: string, salt: Buffer, cost: number): Promise<Buffer> {
  const N = 2 ** cost
  return new Promise((resolve, reject) =>
    scrypt(password.normalize('NFC'), salt, 32, { N, r: blockSize, p: 1, maxmem: 256 * N * blockSize }, (err, key) =>
      err ? reject(err) : resolve(key),
    ),
  )
}

/** Runs at most `most` of the given tasks at once, the others in the order of asking. */
function limiter(most: number): <T>(task: () => Promise<T>) => Promise<T> {
  let running = 0
  const waiting: (() => void)[] = []
  return async task => {
    if (running >= most) await new Promise<void>(resolve => waiting.push(resolve))
    else running++
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
