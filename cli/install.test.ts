import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { chooseMode, hasCapability, notInstalled, withoutServiceStarts } from './install.ts'

test('a package counts as installed only when dpkg says just that', () => {
  const listing = 'haproxy installed\nqemu-utils config-files\novn-host half-installed\novn-host-dbg installed\n'
  assert.deepEqual(notInstalled(['haproxy', 'qemu-utils', 'ovn-host', 'nftables'], listing), [
    'qemu-utils',
    'ovn-host',
    'nftables',
  ])
})

test('capabilities are read from the effective set', () => {
  assert.equal(hasCapability('CapPrm:\t0000000000001000\nCapEff:\t0000000000001000\n', 12n), true)
  assert.equal(hasCapability('CapPrm:\t0000000000001000\nCapEff:\t00000000a80425fb\n', 12n), false)
  assert.equal(hasCapability('', 12n), false)
})

describe('real or simulated', () => {
  const machine = { root: true, networkAdmin: true, tun: true, debian: true, arch: 'x64' }
  const choose = (lacks: Partial<typeof machine>, asked = false, made?: 'real' | 'simulated') =>
    chooseMode({ machine: { ...machine, ...lacks }, asked, made })

  test('real where everything is there', () => assert.deepEqual(choose({}), { mode: 'real' }))
  test('simulated where something is not, with the reason', () => {
    for (const lacks of [{ root: false }, { networkAdmin: false }, { tun: false }, { arch: 's390x' }]) {
      const { mode, why } = choose(lacks)
      assert.equal(mode, 'simulated')
      assert.ok(why)
    }
  })
  test('a state keeps its mode', () => {
    assert.equal(choose({}, false, 'simulated').mode, 'simulated')
    assert.equal(choose({}, false, 'real').mode, 'real')
    assert.throws(() => choose({}, true, 'real'), /made with real guests/)
    assert.throws(() => choose({ root: false }, false, 'real'), /made with real guests, and now: not root/)
  })
})

describe('while packages are installed', () => {
  let folder: string
  let policy: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'strata-policy-'))
    policy = join(folder, 'policy-rc.d')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('services may not start, and may again afterwards', async () => {
    await withoutServiceStarts(async () => {
      assert.match(readFileSync(policy, 'utf8'), /exit 101/)
      assert.equal(statSync(policy).mode & 0o777, 0o755)
    }, policy)
    assert.equal(existsSync(policy), false)
  })

  test('also after a failure', async () => {
    await assert.rejects(
      withoutServiceStarts(() => Promise.reject(new Error('no network')), policy),
      /no network/,
    )
    assert.equal(existsSync(policy), false)
  })

  test("the machine's own policy stays", async () => {
    writeFileSync(policy, '#!/bin/sh\nexit 0\n')
    await withoutServiceStarts(async () => assert.equal(readFileSync(policy, 'utf8'), '#!/bin/sh\nexit 0\n'), policy)
    assert.equal(readFileSync(policy, 'utf8'), '#!/bin/sh\nexit 0\n')
  })

  test('what a killed installation left behind is cleared away', async () => {
    let left = ''
    await withoutServiceStarts(async () => {
      left = readFileSync(policy, 'utf8')
    }, policy)
    writeFileSync(policy, left)
    await withoutServiceStarts(async () => {}, policy)
    assert.equal(existsSync(policy), false)
  })
})
