/** One-time passwords by time (RFC 6238 over RFC 4226): HMAC-SHA1, six digits, a new one every thirty seconds. */
import { createHmac, timingSafeEqual } from 'node:crypto'

const period = 30_000
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The number of the period in which this time (milliseconds since 1970) lies. */
export const timeStep = (at: number): number => Math.floor(at / period)

export function passcode(secret: Uint8Array, step: number, digits = 6): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const number = mac.readUInt32BE(mac.at(-1)! & 0xf) & 0x7fffffff
  return String(number % 10 ** digits).padStart(digits, '0')
}

/** The step, of the present one and `previous` before it, whose passcode this is. All are compared, whichever fits. */
export function matchingStep(
  secret: Uint8Array,
  given: string,
  { now, previous }: { readonly now: number; readonly previous: number },
): number | undefined {
  const present = timeStep(now)
  const steps = Array.from({ length: previous + 1 }, (_, back) => present - back)
  return steps.filter(step => isSame(passcode(secret, step), given))[0]
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Base32 (RFC 4648), with or without its padding, in either case; undefined when it is none. */
export function fromBase32(text: string): Uint8Array | undefined {
  const bare = text.trim().replace(/=+$/, '').toUpperCase()
  if (!/^[A-Z2-7]+$/.test(bare)) return undefined
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const letter of bare) {
    held = ((held << 5) | alphabet.indexOf(letter)) & 0xffff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push((held >> bits) & 0xff)
    }
  }
  return bytes.length === 0 ? undefined : Uint8Array.from(bytes)
}
