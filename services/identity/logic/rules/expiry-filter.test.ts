import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readExpiryFilter } from './expiry-filter.ts'

test('an operator and a time are read; the same time is meant without one', () => {
  const time = '2026-12-08T22:02:00.000000'
  assert.deepEqual(readExpiryFilter('lt:2026-12-08T22:02:00Z'), { operator: '<', time })
  assert.deepEqual(readExpiryFilter('neq:2026-12-08T23:02:00+01:00'), { operator: '!=', time })
  assert.deepEqual(readExpiryFilter('2026-12-08T22:02:00Z'), { operator: '=', time })
})

test('other operators and what is no time are refused', () => {
  for (const bad of ['xx:2026-12-08T22:02:00Z', 'lt:yesterday', 'lt:', '', 'toString:2026-12-08T22:02:00Z'])
    assert.throws(() => readExpiryFilter(bad), { status: 400 }, bad)
})
