import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { capacityOf, fits, refuse, type Stock } from './capacity.ts'

const stock = (more: Partial<Stock> = {}): Stock => ({
  total: 10,
  reserved: 0,
  min_unit: 1,
  max_unit: 10,
  step_size: 1,
  allocation_ratio: 1,
  used: 0,
  ...more,
})
const take = (amount: number) => [{ provider: 'p', resourceClass: 'VCPU', amount }]

test('what is reserved is held back before the ratio', () => {
  assert.equal(capacityOf(stock({ total: 10, reserved: 2, allocation_ratio: 1.5 })), 12)
  assert.ok(fits(stock({ reserved: 2, allocation_ratio: 1.25, used: 5 }), 5))
  assert.ok(!fits(stock({ reserved: 2, allocation_ratio: 1.25, used: 6 }), 5))
})

test('amounts come in portions', () => {
  const inventory = stock({ min_unit: 2, max_unit: 6, step_size: 2 })
  assert.deepEqual(
    [1, 2, 3, 6, 8].map(amount => fits(inventory, amount)),
    [false, true, false, true, false],
  )
})

test('claims are refused for the first reason there is', () => {
  const kind = (have: Stock | undefined, amount: number, before = 0) =>
    refuse(
      take(amount),
      () => have,
      () => before,
    )?.kind
  assert.equal(kind(undefined, 1), 'no inventory')
  assert.equal(kind(stock({ max_unit: 2 }), 3), 'not a portion')
  assert.equal(kind(stock({ used: 8 }), 3), 'over capacity')
  assert.equal(kind(stock({ used: 8 }), 2), undefined)
})

test('on a provider that is over its capacity a claim may shrink and not grow', () => {
  const shrunk = stock({ total: 4, used: 6 })
  const kind = (amount: number) =>
    refuse(
      take(amount),
      () => shrunk,
      () => 10,
    )?.kind
  assert.equal(kind(4), undefined)
  assert.equal(kind(5), 'over capacity')
})

test('claims together never exceed what is there', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 10 }), { maxLength: 5 }), fc.nat(10), (amounts, used) => {
      const refusal = refuse(
        amounts.flatMap(take),
        () => stock({ used }),
        () => 0,
      )
      const sum = amounts.reduce((total, amount) => total + amount, used)
      assert.equal(refusal === undefined, amounts.length === 0 || sum <= 10)
    }),
  )
})
