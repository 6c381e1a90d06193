import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { systemRuntime } from '@strata/toolkit/runtime'
import type { TokenPayload } from '../rules/token-payload.ts'
import { jwsFormat } from './format-jws.ts'
import { openJwsKeys } from './jws-keys.ts'

let base: string
const open = (keepFor = 0) => openJwsKeys({ folder: join(base, 'keys'), runtime: systemRuntime, maxActive: 3, keepFor })
const files = (folder: string) => readdirSync(join(base, 'keys', folder)).sort()
const payload: TokenPayload = {
  userId: 'u',
  scope: { type: 'unscoped' },
  methods: ['password'],
  issuedAt: 1,
  expiresAt: 2,
  auditIds: ['AAAAAAAAAAAAAAAAAAAAAA'],
}
const pem = (curve = 'P-256') =>
  generateKeyPairSync('ec', { namedCurve: curve }).publicKey.export({ type: 'spki', format: 'pem' })

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'strata-jws-'))
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

test('a new folder gets two pairs of keys that only the owner can read, and keeps them', () => {
  const { kid } = open().signing()
  assert.deepEqual(
    [files('private'), files('public')],
    [
      ['private.pem', 'staged.pem'],
      ['1.pem', '2.pem'],
    ],
  )
  assert.equal(statSync(join(base, 'keys', 'private', 'private.pem')).mode & 0o777, 0o600)
  assert.equal(open().signing().kid, kid)
})

test('a replica that has not heard of a change reads the tokens made after it, and of several changes, too', () => {
  const [one, other] = [open(), open()]
  const [formatOne, formatOther] = [jwsFormat(one), jwsFormat(other)]
  const first = formatOne.seal(payload)
  for (let n = 0; n < 3; n++) {
    assert.equal(one.rotate(), true)
    assert.deepEqual(formatOther.open(formatOne.seal(payload)), payload)
  }
  // It made way for others: three are kept.
  assert.equal(files('public').length, 3)
  assert.equal(formatOne.open(first), undefined)
})

test('a key is kept while tokens that it signed may live', () => {
  const keys = open(60_000)
  const format = jwsFormat(keys)
  const first = format.seal(payload)
  for (let n = 0; n < 5; n++) keys.rotate()
  assert.deepEqual(format.open(first), payload)
  assert.deepEqual(
    keys.list().map(key => key.state),
    ['staged', 'primary', 'secondary', 'secondary', 'secondary', 'secondary', 'secondary'],
  )
})

test('public keys of others are believed and left alone; one of another kind is named', () => {
  const keys = open()
  writeFileSync(join(base, 'keys', 'public', 'elsewhere.pem'), pem())
  assert.equal(keys.reloadIfChanged(), true)
  assert.equal(keys.publicKeys({}).length, 3)
  for (let n = 0; n < 4; n++) keys.rotate()
  assert.deepEqual(keys.list().find(key => key.state === 'foreign')?.file, 'public/elsewhere.pem')
  writeFileSync(join(base, 'keys', 'public', 'wrong.pem'), pem('P-384'))
  assert.throws(() => open(), /public\/wrong\.pem does not hold a key of the curve P-256/)
})

test('a change that was cut off is completed', () => {
  const keys = open()
  const sealed = jwsFormat(keys).seal(payload)
  // As it is left between the new key's signing and the next one's being made.
  rmSync(join(base, 'keys', 'private', 'staged.pem'))
  assert.deepEqual(jwsFormat(open()).open(sealed), payload)
  assert.deepEqual(files('private'), ['private.pem', 'staged.pem'])
})
