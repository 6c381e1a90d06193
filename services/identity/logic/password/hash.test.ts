import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRuntime } from '@strata/toolkit/runtime'
import { createPasswords } from './hash.ts'

const make = (cost = 5, remember = 60_000) => createPasswords({ runtime: systemRuntime, cost, remember })

test('a hash says how it was made, and no two are the same', async () => {
  const passwords = make()
  const [one, two] = [await passwords.hash('secret'), await passwords.hash('secret')]
  assert.match(one, /^\$scrypt\$ln=5,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.notEqual(one, two)
})

test('the right password is right, each time, and others are wrong', async () => {
  const passwords = make()
  const hash = await passwords.hash('sécret')
  for (const _ of [1, 2]) assert.equal(await passwords.verify('u', hash, 'sécret'), true)
  assert.equal(await passwords.verify('u', hash, 'Sécret'), false)
  assert.equal(await passwords.verify('u', hash, ''), false)
  assert.equal(await passwords.verify('u', undefined, 'sécret'), false)
  assert.equal(await passwords.verify('u', 'no hash', 'sécret'), false)
})

test('a hash of another cost is still read', async () => {
  const hash = await make(4).hash('secret')
  assert.equal(await make(6).verify('u', hash, 'secret'), true)
  assert.equal(await make(6).verify('u', hash, 'wrong'), false)
})

test('a remembered password is right for its own hash alone', async () => {
  const passwords = make()
  const hash = await passwords.hash('secret')
  assert.equal(await passwords.verify('u', hash, 'secret'), true)
  assert.equal(await passwords.verify('u', await passwords.hash('other'), 'secret'), false)
  assert.equal(await passwords.verify('u', undefined, 'secret'), false)
})

test('a password is right before, while and after it is remembered', async () => {
  let now = 0
  const passwords = createPasswords({ runtime: { ...systemRuntime, now: () => now }, cost: 4, remember: 1000 })
  const hash = await passwords.hash('secret')
  for (const time of [0, 999, 1001]) {
    now = time
    assert.equal(await passwords.verify('u', hash, 'secret'), true)
    assert.equal(await passwords.verify('u', hash, 'wrong'), false)
  }
  passwords.forget()
  assert.equal(await passwords.verify('u', hash, 'secret'), true)
})

test('many hashes at once are all made', async () => {
  const passwords = make()
  const hashes = await Promise.all(Array.from({ length: 12 }, (_, n) => passwords.hash(`p${n}`)))
  const right = await Promise.all(hashes.map((hash, n) => passwords.verify(`u${n}`, hash, `p${n}`)))
  assert.deepEqual(new Set(right), new Set([true]))
})

test('who asks for much waits for it, and nobody else does', async () => {
  const passwords = make(8)
  const order: string[] = []
  const ask = (from: string) => passwords.hash('secret', { from }).then(() => order.push(from))
  await Promise.all([...Array.from({ length: 20 }, () => ask('greedy')), ask('modest'), ask('other')])
  assert.ok(order.indexOf('modest') < 6 && order.indexOf('other') < 7, order.join())
})

test('a remembered password does not help where the hash is not asked for', async () => {
  const passwords = make()
  const hash = await passwords.hash('secret')
  assert.equal(await passwords.verify('u', hash, 'secret'), true)
  assert.equal(await passwords.verify('u', undefined, 'secret'), false)
  assert.equal(await passwords.matches(hash, 'secret'), true)
  assert.equal(await passwords.matches(hash, 'wrong'), false)
})
