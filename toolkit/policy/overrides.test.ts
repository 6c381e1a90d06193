import assert from 'node:assert/strict'
import { test } from 'node:test'
import { misspelling } from './index.ts'

const rules = ['admin_only', 'create_network', 'create_network:shared']

test('rules that exist may be replaced, helpers too', () => {
  assert.equal(misspelling(rules, {}), undefined)
  assert.equal(misspelling(rules, { create_network: 'role:a', admin_only: 'role:b' }), undefined)
})

test('a name that nothing asks for is refused with the nearest one', () => {
  assert.equal(
    misspelling(rules, { create_netwrk: 'role:admin' }),
    'there is no policy rule create_netwrk; did you mean create_network?',
  )
  assert.equal(misspelling(rules, { something_else: '@' }), 'there is no policy rule something_else')
  assert.match(misspelling(rules, { constructor: '@' }) ?? '', /no policy rule constructor/)
})

test('an alias is a rule that another one of the file refers to', () => {
  assert.equal(misspelling(rules, { create_network: 'role:a or (rule:mine)', mine: 'role:x' }), undefined)
  assert.match(misspelling(rules, { mine: 'role:x' }) ?? '', /no policy rule mine/)
  assert.match(misspelling(rules, { mine: 'role:x or rule:mine' }) ?? '', /no policy rule mine/)
  assert.match(misspelling(rules, { create_network: 'xrule:mine', mine: '@' }) ?? '', /no policy rule mine/)
})

test('a reference to a rule that is not there is refused', () => {
  assert.equal(
    misspelling(rules, { create_network: 'not rule:admin_onyl' }),
    'policy rule create_network refers to admin_onyl, which is no rule; did you mean admin_only?',
  )
})
