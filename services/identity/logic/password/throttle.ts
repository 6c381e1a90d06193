/**
 * Slows the guessing of passwords, passcodes and secrets. Failed attempts are counted in three *buckets*, which leak: a
 * minute after the last failure an empty one is as good as new, so that nothing is ever locked out for longer than the
 * guessing goes on.
 *
 * - of an account from one address: few failures. Guessing somebody's password elsewhere does not keep the owner out.
 * - of an account from everywhere: more. It bounds guessing that comes from many addresses.
 * - of an address, whatever the account: more still. It bounds trying one password on many accounts.
 *
 * An account that logged in from an address before is *known* there, and only its own bucket counts: whoever shares
 * the address with an attacker, or is guessed at by many, goes on as before. What is over a bucket's limit is refused with
 * 429 and the time to wait, before any work is done for it; a 401 would tell a user with the right password that it is wrong.
 *
 * An account is what the request calls it, not what is found under that name, so that who exists cannot be told. Attempts
 * under way count as failures until they have ended; others wait for them. A login that is right is never counted. All is in
 * the memory of the process, and bounded: with several replicas each permits its own number. `lockout_failure_attempts`
 * counts in the database; where it is set, attempts on one account are also made in turn, so that no more of them are looked
 * at than it permits.
 */
import { hash } from 'node:crypto'
import { Fault } from '@strata/toolkit/fault'
import { formatAddress, parseAddress, prefixOf } from '@strata/toolkit/ip'
import type { Runtime } from '@strata/toolkit/runtime'
import { tooManyLogins } from '../../contract/errors.ts'

export interface Attempt {
  /** Whatever the request calls the accounts by; none: nothing is guessed, and nothing counted. */
  readonly accounts: readonly unknown[]
  /** IP address of the caller. */
  readonly address: string
  /** How much a failure counts; 1 unless given. */
  readonly weight?: number
}

export interface Throttle {
  /** Does what `prove` does; where accounts are named, a 401 of it counts as a failure. Throws `tooManyLogins` without calling it. */
  attempt<T>(about: Attempt, prove: () => Promise<T>): Promise<T>
}

interface Bucket {
  readonly limit: number
  /** One attempt at a time. */
  readonly inTurn: boolean
  /** Failures, as of `at`. */
  level: number
  at: number
  /** Weight of the attempts under way. */
  pending: number
  known: boolean
  waiting: (() => void)[]
}

const minute = 60_000
const mostBuckets = 30_000
const mostWaiting = 1000

export function createThrottle(options: {
  readonly runtime: Runtime
  /** Failures a minute; 0: any number. */
  readonly perAccount: number
  readonly perAddress: number
  /** Attempts on one account are made one after the other, so that each sees what came of those before it. */
  readonly inTurn: boolean
}): Throttle {
  const { runtime, perAccount, perAddress, inTurn } = options
  const buckets = new Map<string, Bucket>()
  let waiting = 0
  const bucketOf = (of: Pick<Bucket, 'limit' | 'inTurn'>, ...name: readonly unknown[]): Bucket => {
    const key = hash('sha256', JSON.stringify(name), 'base64')
    const bucket = buckets.get(key) ?? { ...of, level: 0, at: 0, pending: 0, known: false, waiting: [] }
    // The least recently used come first, and go first.
    buckets.delete(key)
    buckets.set(key, bucket)
    if (buckets.size > mostBuckets) dropOldest(buckets)
    return bucket
  }
  const bucketsOf = ({ accounts, address }: Attempt): readonly Bucket[] => {
    const place = placeOf(address)
    const here = accounts.map(account => bucketOf({ limit: perAccount, inTurn }, 'account at address', account, place))
    if (here.every(one => one.known)) return here
    return [
      ...here,
      ...accounts.map(account => bucketOf({ limit: 5 * perAccount, inTurn }, 'account', account)),
      bucketOf({ limit: perAddress, inTurn: false }, 'address', place),
    ]
  }
  /** How far one more failure would be above the limit, if those under way fail too, or without these. */
  const excess = (bucket: Bucket, weight: number, pending: number) =>
    bucket.limit === 0 ? 0 : levelOf(bucket, runtime.now()) + pending + Math.min(weight, bucket.limit) - bucket.limit
  const enter = async (about: Attempt): Promise<readonly Bucket[]> => {
    const weight = about.weight ?? 1
    for (;;) {
      const all = bucketsOf(about)
      const full = all.find(one => excess(one, weight, 0) > 0)
      if (full) throw tooManyLogins(Math.ceil((excess(full, weight, 0) * minute) / full.limit / 1000))
      const busy = all.find(one => one.pending > 0 && (one.inTurn || excess(one, weight, one.pending) > 0))
      if (!busy) {
        for (const bucket of all) bucket.pending += weight
        return all
      }
      if (waiting >= mostWaiting) throw tooManyLogins(1)
      waiting++
      await new Promise<void>(resolve => busy.waiting.push(resolve))
      waiting--
    }
  }
  const leave = (all: readonly Bucket[], weight: number, failed: boolean) => {
    const now = runtime.now()
    for (const bucket of all) {
      bucket.pending -= weight
      if (failed) Object.assign(bucket, { level: levelOf(bucket, now) + weight, at: now })
      for (const wake of bucket.waiting.splice(0)) wake()
    }
  }
  return {
    async attempt(about, prove) {
      if (about.accounts.length === 0) return prove()
      const all = await enter(about)
      const weight = about.weight ?? 1
      try {
        const result = await prove()
        for (const bucket of all.slice(0, about.accounts.length)) bucket.known = true
        leave(all, weight, false)
        return result
      } catch (thrown) {
        leave(all, weight, isFailure(thrown))
        throw thrown
      }
    },
  }
}

const levelOf = ({ limit, level, at }: Bucket, now: number): number =>
  Math.max(0, level - (Math.max(0, now - at) * limit) / minute)

/** Of a password that was right, but is to be changed, nobody needs to be kept. */
const isFailure = (thrown: unknown): boolean =>
  thrown instanceof Fault && thrown.status === 401 && thrown.code !== 'PasswordExpired'

/** Whoever has one IPv6 address has all of its /64. */
function placeOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  const parsed = parseAddress(mapped ?? address)
  if (!parsed) return address
  const { first } = prefixOf(parsed, parsed.version === 4 ? 32 : 64)
  return formatAddress({ version: parsed.version, value: first })
}

function dropOldest(buckets: Map<string, Bucket>): void {
  for (const [key, bucket] of buckets)
    if (bucket.pending === 0 && bucket.waiting.length === 0) {
      buckets.delete(key)
      return
    }
}
