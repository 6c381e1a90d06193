/**
 * Time, ids and randomness, injected so that a whole cloud can run under a seeded simulation.
 *
 * Nothing outside this module (and drivers, tools, tests) may call `Date.now`, `new Date()`, `Math.random` or `randomUUID`.
 */
import { createHash, randomBytes, randomFillSync, randomUUID } from 'node:crypto'

export interface Runtime {
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Milliseconds of a clock that never goes back; only differences mean something. */
  monotonic(): number
  /** A new random UUID (version 4) in its canonical form, with hyphens. */
  uuid(): string
  /** A number in [0, 1). */
  random(): number
  /** `length` random bytes, fit for secrets. */
  bytes(length: number): Uint8Array
  /** Resolves after `ms`; rejects with the signal's reason when aborted before. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `fn` once after `ms`; the result cancels it. Never keeps the process alive. */
  timer(ms: number, fn: () => void): () => void
}

/** Random bytes that nobody has had yet: asking the system for a few costs as much as for a page of them. */
const stock = new Uint8Array(4096)
let used = stock.length

function randomOnes(length: number): Uint8Array {
  if (length > 64) return randomBytes(length)
  if (used + length > stock.length) {
    randomFillSync(stock)
    used = 0
  }
  const taken = stock.slice(used, used + length)
  // What was handed out lies nowhere else.
  stock.fill(0, used, used + length)
  used += length
  return taken
}

export const systemRuntime: Runtime = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  uuid: () => randomUUID(),
  random: () => Math.random(),
  bytes: randomOnes,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        clearTimeout(handle)
        reject(signal?.reason)
      }
      const handle = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }, ms)
      signal?.addEventListener('abort', onAbort, { once: true })
    }),
  timer(ms, fn) {
    const handle = setTimeout(fn, ms)
    handle.unref()
    return () => clearTimeout(handle)
  },
}

/** `2026-11-20T12:34:56.789Z`: how times are stored; sorts as text. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** `2026-11-20T12:34:56Z`: a stored time as most OpenStack services show it. */
export function toSeconds(stored: string): string {
  return `${stored.slice(0, 19)}Z`
}

/** `2026-11-20T12:34:56.789000Z`: a stored time as Keystone shows it. */
export function toMicroseconds(stored: string): string {
  return `${stored.slice(0, 23)}000Z`
}

/** `2026-11-20T12:34:56.789000`, without a zone: a stored time as Nova shows it outside of `servers`. */
export function toNaive(stored: string): string {
  return `${stored.slice(0, 23)}000`
}

/** A UUID made from a name (RFC 9562 version 5), the same for the same name: ids of idempotent calls. */
export function uuidFromName(name: string): string {
  const hash = createHash('sha1').update('strata:').update(name).digest()
  hash[6] = (hash[6]! & 0x0f) | 0x50
  hash[8] = (hash[8]! & 0x3f) | 0x80
  const hex = hash.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
