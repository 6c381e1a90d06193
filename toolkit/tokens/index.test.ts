import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../log/index.ts'
import { createLocalBus } from '../messaging/index.ts'
import { systemRuntime } from '../runtime/index.ts'
import { persona, tokenOf, until } from '../testing/index.ts'
import { cachingVerifier, tokensChanged } from './index.ts'

const info = { ...tokenOf(persona())!, expiresAt: new Date(100_000).toISOString() }

function scene(options: { ttl?: number; capacity?: number } = {}) {
  const bus = createLocalBus(silentLog)
  const clock = { now: 0 }
  const fetched: string[] = []
  let hold: Promise<void> | undefined
  const verify = cachingVerifier({
    ...options,
    bus,
    runtime: { ...systemRuntime, now: () => clock.now },
    async fetch(token) {
      fetched.push(token)
      await hold
      return token === 'bad' ? undefined : info
    },
  })
  const holdBy = (promise: Promise<void> | undefined) => {
    hold = promise
  }
  return { bus, clock, fetched, verify, holdBy }
}

test('an answer is believed for its time, and never beyond the end of the token', async () => {
  const { verify, fetched, clock } = scene({ ttl: 60_000 })
  for (const at of [0, 59_999]) {
    clock.now = at
    assert.equal(await verify('a'), info)
  }
  assert.equal(fetched.length, 1)
  clock.now = 60_000
  await verify('a')
  clock.now = 99_999
  await verify('a')
  assert.equal(fetched.length, 2)
  clock.now = 100_000
  await verify('a')
  assert.equal(fetched.length, 3)
})

test('what is not valid is asked for each time', async () => {
  const { verify, fetched } = scene()
  assert.deepEqual([await verify('bad'), await verify('bad')], [undefined, undefined])
  assert.equal(fetched.length, 2)
})

test('a change throws all answers away, also one that is under way', async () => {
  const { verify, fetched, bus, holdBy } = scene()
  await verify('a')
  bus.publish(tokensChanged, {})
  await until('the change is heard', async () => {
    await verify('a')
    return fetched.length === 2
  })
  let go = () => {}
  holdBy(
    new Promise(resolve => {
      go = resolve
    }),
  )
  const underWay = verify('b')
  bus.publish(tokensChanged, {})
  await new Promise(setImmediate)
  go()
  holdBy(undefined)
  assert.equal(await underWay, info)
  await verify('b')
  assert.deepEqual(fetched.slice(2), ['b', 'b'])
})

test('the oldest of too many is forgotten', async () => {
  const { verify, fetched } = scene({ capacity: 2 })
  for (const token of ['a', 'b', 'c', 'c', 'b', 'a']) await verify(token)
  assert.deepEqual(fetched, ['a', 'b', 'c', 'a'])
})
