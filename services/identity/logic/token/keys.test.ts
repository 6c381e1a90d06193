import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { promisify } from 'node:util'
import { systemRuntime } from '@strata/toolkit/runtime'
import { decrypt, encrypt } from '../rules/fernet.ts'
import { openKeys } from './keys.ts'

let base: string
const open = (keepFor?: number) =>
  openKeys({ folder: join(base, 'keys'), runtime: systemRuntime, maxActive: 3, keepFor })
const files = () => readdirSync(join(base, 'keys')).sort()
const seal = (key: Uint8Array) => encrypt({ key, message: Buffer.from('x'), now: 0, iv: systemRuntime.bytes(16) })

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'strata-keys-'))
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

test('a new folder gets a staged and a primary key that only the owner can read', () => {
  open()
  assert.deepEqual(files(), ['0', '1'])
  assert.equal(statSync(join(base, 'keys', '1')).mode & 0o777, 0o600)
  assert.equal(statSync(join(base, 'keys')).mode & 0o777, 0o700)
})

test('an opened folder keeps its keys', () => {
  const token = seal(open().primary())
  assert.ok(decrypt(open().all(), token))
})

test('rotation makes the staged key primary and reads older tokens until their key is dropped', () => {
  const keys = open()
  const staged = keys.all().at(-1)!
  const first = seal(keys.primary())
  keys.rotate()
  assert.deepEqual(keys.primary(), staged)
  assert.deepEqual(files(), ['0', '1', '2'])
  assert.ok(decrypt(keys.all(), first))
  keys.rotate()
  assert.deepEqual(files(), ['0', '2', '3'])
  assert.equal(decrypt(keys.all(), first), undefined)
})

test('a replica that has not heard of a rotation reads the tokens made after it', () => {
  const [one, other] = [open(), open()]
  one.rotate()
  assert.ok(decrypt(other.all(), seal(one.primary())))
})

test('a file that holds no key is named', () => {
  open()
  writeFileSync(join(base, 'keys', '1'), 'garbage')
  assert.throws(() => open(), /keys\/1 does not hold a Fernet key/)
})

test('a key is kept while what it made may live, however often keys are changed', () => {
  const keys = open(60_000)
  const first = seal(keys.primary())
  for (let n = 0; n < 5; n++) assert.equal(keys.rotate(), true)
  assert.ok(decrypt(keys.all(), first))
  assert.deepEqual(
    keys.list().map(key => [key.file, key.state]),
    [
      ['6', 'primary'],
      ['5', 'secondary'],
      ['4', 'secondary'],
      ['3', 'secondary'],
      ['2', 'secondary'],
      ['1', 'secondary'],
      ['0', 'staged'],
    ],
  )
})

test('what another process changes is noticed, and of two that change at once one does', () => {
  const [one, other] = [open(), open()]
  assert.equal(other.reloadIfChanged(), false)
  one.rotate()
  assert.equal(other.rotate(), false)
  assert.deepEqual(other.primary(), one.primary())
  writeFileSync(join(base, 'keys', '.lock'), '')
  assert.equal(one.rotate(), false)
  // Left behind long ago.
  utimesSync(join(base, 'keys', '.lock'), 0, 0)
  assert.equal(one.rotate(), true)
  assert.equal(other.reloadIfChanged(), true)
  assert.deepEqual(other.primary(), one.primary())
})

test('of several processes that begin with a new folder one makes its keys', async () => {
  const code = `
    import { openKeys } from ${JSON.stringify(import.meta.resolve('./keys.ts'))}
    import { systemRuntime as runtime } from '@strata/toolkit/runtime'
    const keys = openKeys({ folder: ${JSON.stringify(join(base, 'keys'))}, runtime, maxActive: 3 })
    console.log(keys.all().map(key => Buffer.from(key).toString('hex')).join())`
  const begin = () =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { cwd: import.meta.dirname })
  const seen = await Promise.all([begin(), begin(), begin()])
  assert.equal(new Set(seen.map(one => one.stdout)).size, 1)
})
