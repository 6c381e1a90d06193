import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { begunRules, isSatisfied, rulesOf } from './mfa.ts'

const known = ['password', 'totp', 'token', 'mapped']
const isKnown = (method: string) => known.includes(method)
const methods = fc.uniqueArray(fc.constantFrom(...known, 'unheard', 'gone'), { maxLength: 4 })
const rulesGiven = fc.array(methods, { maxLength: 5 })
const rules = (given: readonly (readonly string[])[]) => rulesOf({ multi_factor_auth_rules: given }, isKnown)

test('all methods of one rule are needed, and more do no harm', () => {
  const both = rules([['password', 'totp'], ['mapped']])
  assert.equal(isSatisfied(both, ['password']), false)
  assert.equal(isSatisfied(both, ['totp']), false)
  assert.equal(isSatisfied(both, ['totp', 'password']), true)
  assert.equal(isSatisfied(both, ['mapped']), true)
  assert.deepEqual(begunRules(both, ['password']), [['password', 'totp']])
  assert.deepEqual(begunRules(both, ['token']), [])
})

test('without rules, switched off, or with rules that nobody can follow, any method is enough', () => {
  const given = [['password', 'totp']]
  for (const options of [
    {},
    { multi_factor_auth_rules: [] },
    { multi_factor_auth_enabled: false, multi_factor_auth_rules: given },
    { multi_factor_auth_rules: [['unheard']] },
  ])
    assert.equal(isSatisfied(rulesOf(options, isKnown), ['password']), true)
  assert.equal(isSatisfied(rulesOf({ multi_factor_auth_rules: given }, isKnown), ['password']), false)
  assert.equal(
    isSatisfied(rulesOf({ multi_factor_auth_enabled: true, multi_factor_auth_rules: given }, isKnown), ['password']),
    false,
  )
})

test('what satisfies the rules is just what holds all known methods of one that has any', () => {
  fc.assert(
    fc.property(rulesGiven, methods, (given, proved) => {
      const usable = given.map(rule => rule.filter(isKnown)).filter(rule => rule.length > 0)
      const expected = usable.length === 0 || usable.some(rule => new Set(rule).isSubsetOf(new Set(proved)))
      assert.equal(isSatisfied(rules(given), proved), expected)
    }),
  )
})

test('one more method never undoes a login, and one more rule that can be followed never makes one easier than its own', () => {
  fc.assert(
    fc.property(rulesGiven, methods, fc.constantFrom(...known), (given, proved, more) => {
      if (isSatisfied(rules(given), proved)) assert.ok(isSatisfied(rules(given), [...proved, more]))
      const stricter = [...given, ['password', 'totp', 'token', 'mapped']]
      const usable = rules(given).length > 0
      if (usable && !isSatisfied(rules(given), proved))
        assert.equal(isSatisfied(rules(stricter), proved), new Set(known).isSubsetOf(new Set(proved)))
    }),
  )
})

test('each rule that is told to be begun can be completed, and completing it is enough', () => {
  fc.assert(
    fc.property(rulesGiven, methods, (given, proved) => {
      for (const rule of begunRules(rules(given), proved)) {
        assert.ok(rule.some(method => proved.includes(method)))
        assert.ok(isSatisfied(rules(given), [...proved, ...rule]))
      }
    }),
  )
})
