import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { loadConfig } from '@strata/toolkit/config'
import { systemRuntime as runtime } from '@strata/toolkit/runtime'
import { identityConfig } from '../../contract/config.ts'
import type { TokenPayload } from '../rules/token-payload.ts'
import { openRings, ringsIn } from './rings.ts'

let folder: string
const open = (options: object = {}) =>
  openRings({
    folder,
    runtime,
    config: loadConfig({ known: [identityConfig], overrides: { identity: { ...options } } }).section(identityConfig),
  })
const payload: TokenPayload = {
  userId: 'u',
  scope: { type: 'system' },
  methods: ['token'],
  issuedAt: 1_700_000_000_001,
  expiresAt: 1_700_000_000_002,
  auditIds: ['AAAAAAAAAAAAAAAAAAAAAA'],
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strata-rings-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('tokens of either form outlive a change of the form, there and back', () => {
  const fernet = open().format.seal(payload)
  assert.deepEqual(ringsIn(folder), ['tokens', 'receipts', 'credentials'])
  const signing = open({ token_provider: 'jws' })
  assert.deepEqual(ringsIn(folder), ['tokens', 'jws', 'receipts', 'credentials'])
  const jws = signing.format.seal(payload)
  assert.equal(jws.split('.').length, 3)
  for (const format of [signing.format, open().format])
    for (const text of [fernet, jws]) assert.deepEqual(format.open(text), payload)
  assert.equal(open().format.seal(payload).includes('.'), false)
})

test('garbage is no token, however long', () => {
  const { format } = open({ token_provider: 'jws' })
  for (const text of ['', '.', '..', 'gAAAA', 'x'.repeat(100_000), `${'x'.repeat(9000)}.y.z`])
    assert.equal(format.open(text), undefined)
})
