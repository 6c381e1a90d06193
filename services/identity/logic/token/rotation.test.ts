import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '@strata/toolkit/log'
import { type Runtime, systemRuntime } from '@strata/toolkit/runtime'
import type { KeyRing } from './key-folder.ts'
import { keepRotating } from './rotation.ts'

const hour = 3_600_000

/** A clock that is moved by hand: what is due runs as it passes. */
function handClock() {
  let now = 0
  let timers: { readonly at: number; readonly run: () => void }[] = []
  const runtime: Runtime = {
    ...systemRuntime,
    now: () => now,
    timer(ms, run) {
      const timer = { at: now + ms, run }
      timers.push(timer)
      return () => {
        timers = timers.filter(one => one !== timer)
      }
    },
  }
  const pass = (ms: number) => {
    const end = now + ms
    for (;;) {
      const [next] = timers.filter(one => one.at <= end).sort((a, b) => a.at - b.at)
      if (!next) break
      timers = timers.filter(one => one !== next)
      now = next.at
      next.run()
    }
    now = end
  }
  return { runtime, pass, waiting: () => timers.length }
}

function fakeRing(now: () => number, reading: () => boolean = () => false) {
  let since = 0
  const changes: number[] = []
  const ring: KeyRing = {
    primarySince: () => since,
    rotate() {
      since = now()
      changes.push(since / hour)
      return true
    },
    reload: () => {},
    reloadIfChanged: reading,
    list: () => [],
  }
  return { ring, changes }
}

test('a key is changed when it has served its time, and not before', () => {
  const { runtime, pass, waiting } = handClock()
  const { ring, changes } = fakeRing(runtime.now)
  const stop = keepRotating({ keys: ring, runtime, log: silentLog, everyHours: 3, purpose: 'tests' })
  pass(10 * hour)
  assert.deepEqual(changes, [3, 6, 9])
  stop()
  assert.equal(waiting(), 0)
})

test('what others changed is looked for every few seconds, also where keys are changed by hand', () => {
  const { runtime, pass } = handClock()
  let looked = 0
  const { ring, changes } = fakeRing(runtime.now, () => {
    looked++
    if (looked === 2) throw new Error('cannot read')
    return false
  })
  const stop = keepRotating({ keys: ring, runtime, log: silentLog, everyHours: 0, purpose: 'tests' })
  pass(60_000)
  stop()
  assert.ok(looked >= 12, `${looked}`)
  assert.deepEqual(changes, [])
})
