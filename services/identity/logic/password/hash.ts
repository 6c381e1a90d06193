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
const mostRemembered = 1000

/** The cost for passwords that were made up by a machine: guessing them is hopeless however fast a guess is. */
export const randomPasswordCost = 10

export interface Passwords {
  /** `cost` is the binary logarithm of scrypt's N; the configured one unless given. `from`: as of `verify`. */
  hash(password: string, how?: { readonly cost?: number; readonly from?: string }): Promise<string>
  /**
   * True when the password has this hash. Without a hash (no such user, no password) it takes as long as a wrong password
   * and is false. `from` is who asks, by whatever name: those who ask take turns.
   */
  verify(userId: string, hash: string | undefined, password: string, from?: string): Promise<boolean>
  /** Whether the password has this hash; nothing is remembered, and no care is taken of the time. */
  matches(hash: string, password: string, from?: string): Promise<boolean>
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
  const turn = fairLimiter(atOnce)
  const processKey = runtime.bytes(32)
  const right = new Map<string, { readonly mac: Buffer; readonly until: number }>()
  const nobodys = (cost: number) =>
    format({ cost, salt: Buffer.from(runtime.bytes(16)), hash: Buffer.from(runtime.bytes(32)) })
  const [dear, cheap] = [nobodys(cost), nobodys(Math.min(cost, randomPasswordCost))]
  const macOf = (userId: string, hash: string, password: string) =>
    createHmac('sha256', processKey)
      .update(JSON.stringify([userId, hash, password]))
      .digest()
  const matches = async (hash: string, password: string, from = '') => {
    const known = parse(hash)
    if (!known) return false
    const derived = await turn(from, () => derive(password, known.salt, known.cost))
    return known.hash.length === derived.length && timingSafeEqual(known.hash, derived)
  }
  return {
    async hash(password, { cost: ownCost = cost, from = '' } = {}) {
      const salt = Buffer.from(runtime.bytes(16))
      return format({ cost: ownCost, salt, hash: await turn(from, () => derive(password, salt, ownCost)) })
    },
    matches,
    async verify(userId, hash, password, from) {
      const mac = macOf(userId, hash ?? '', password)
      const seen = hash === undefined ? undefined : right.get(userId)
      if (seen && seen.until > runtime.now() && timingSafeEqual(seen.mac, mac)) return true
      if (hash !== undefined && (await matches(hash, password, from))) {
        if (right.size >= mostRemembered) right.delete(right.keys().next().value!)
        right.set(userId, { mac, until: runtime.now() + remember })
        return true
      }
      // A wrong password must cost the same whoever's it is: one dear hash and one cheap one, whichever is its own.
      const own = parse(hash ?? '')?.cost
      if (own === undefined || own < cost) await matches(dear, password, from)
      if (own === undefined || own >= cost) await matches(cheap, password, from)
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

/**
 * Runs at most `most` of the given tasks at once. Those who ask take turns, each with its own in the order of asking: who asks
 * for much waits for it, and nobody else does.
 */
function fairLimiter(most: number): <T>(who: string, task: () => Promise<T>) => Promise<T> {
  let running = 0
  const waiting = new Map<string, (() => void)[]>()
  const next = () => {
    const [first] = waiting
    if (!first) {
      running--
      return
    }
    const [who, queue] = first
    const begin = queue.shift()!
    waiting.delete(who)
    if (queue.length > 0) waiting.set(who, queue)
    begin()
  }
  return async (who, task) => {
    if (running >= most)
      await new Promise<void>(resolve => {
        const queue = waiting.get(who) ?? []
        queue.push(resolve)
        waiting.set(who, queue)
      })
    else running++
    try {
      return await task()
    } finally {
      next()
    }
  }
}
