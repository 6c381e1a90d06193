import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { changeKeys, keysOf } from './keys.ts'

test('keys are shown and changed, one ring or all, where there is a cloud', async () => {
  const state = mkdtempSync(join(tmpdir(), 'strata-keys-'))
  assert.throws(() => keysOf({ state }), { name: 'ConfigError', message: /no cloud was started there/ })
  await assert.rejects(changeKeys({ state }), { name: 'ConfigError' })
  for (const ring of ['fernet-keys', 'credential-keys']) mkdirSync(join(state, 'identity', ring), { recursive: true })
  const shown = () => keysOf({ state }).map(({ name, keys }) => [name, ...keys.map(key => `${key.file} ${key.state}`)])
  assert.deepEqual(shown(), [
    ['tokens', '1 primary', '0 staged'],
    ['credentials', '1 primary', '0 staged'],
  ])
  assert.deepEqual(await changeKeys({ state }), ['tokens', 'credentials'])
  assert.deepEqual(await changeKeys({ state, name: 'tokens' }), ['tokens'])
  assert.deepEqual(shown(), [
    ['tokens', '3 primary', '2 secondary', '1 secondary', '0 staged'],
    ['credentials', '2 primary', '1 secondary', '0 staged'],
  ])
  await assert.rejects(changeKeys({ state, name: 'jws' }), { name: 'ConfigError', message: /has no keys of jws/ })
  await assert.rejects(changeKeys({ state, name: 'x' }), {
    name: 'ConfigError',
    message: /known: tokens, jws, receipts/,
  })
  rmSync(state, { recursive: true })
})
