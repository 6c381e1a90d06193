import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromBase32, matchingStep, passcode, timeStep } from './totp.ts'

const secret = Buffer.from('12345678901234567890')

test('the vectors of RFC 4226, appendix D', () => {
  const codes = ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489']
  assert.deepEqual(
    codes.map((_, count) => passcode(secret, count)),
    codes,
  )
})

test('the vectors of RFC 6238, appendix B (SHA-1)', () => {
  const vectors: readonly (readonly [number, string])[] = [
    [59, '94287082'],
    [1111111109, '07081804'],
    [1111111111, '14050471'],
    [1234567890, '89005924'],
    [2000000000, '69279037'],
    [20000000000, '65353130'],
  ]
  for (const [seconds, code] of vectors) assert.equal(passcode(secret, timeStep(seconds * 1000), 8), code)
})

test('the present passcode fits, earlier ones as far as is allowed, later ones never', () => {
  const now = 1_800_000_015_000
  const step = timeStep(now)
  const at = (offset: number, previous: number) =>
    matchingStep(secret, passcode(secret, step + offset), { now, previous })
  assert.deepEqual(
    [at(0, 0), at(-1, 0), at(-1, 1), at(-2, 1), at(1, 1)],
    [step, undefined, step - 1, undefined, undefined],
  )
  for (const bad of ['', '12345', '1234567', 'abcdef'])
    assert.equal(matchingStep(secret, bad, { now, previous: 1 }), undefined)
})

test('the vectors of RFC 4648 for base32, with and without padding', () => {
  const vectors = { MY: 'f', MZXQ: 'fo', MZXW6: 'foo', MZXW6YQ: 'foob', MZXW6YTB: 'fooba', MZXW6YTBOI: 'foobar' }
  for (const [text, plain] of Object.entries(vectors)) {
    assert.equal(Buffer.from(fromBase32(text)!).toString(), plain)
    assert.equal(Buffer.from(fromBase32(`${text.toLowerCase()}======`)!).toString(), plain)
  }
  for (const bad of ['', '=', 'A', '1', 'MZXW6!', 'GEZDGNBV0']) assert.equal(fromBase32(bad), undefined, bad)
})

test('what base32 spells is read back', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const spell = (bytes: Uint8Array) => {
    const bits = [...bytes].map(byte => byte.toString(2).padStart(8, '0')).join('')
    return (bits.match(/.{1,5}/g) ?? []).map(five => alphabet[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), bytes => {
      assert.deepEqual(fromBase32(spell(bytes)), bytes)
    }),
  )
})
