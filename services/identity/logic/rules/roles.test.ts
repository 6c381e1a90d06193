import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withImplied, wouldCircle } from './roles.ts'

const rules = [
  { prior_role_id: 'admin', implied_role_id: 'manager' },
  { prior_role_id: 'manager', implied_role_id: 'member' },
  { prior_role_id: 'member', implied_role_id: 'reader' },
  { prior_role_id: 'auditor', implied_role_id: 'reader' },
]

test('a role brings all that it implies, near and far', () => {
  assert.deepEqual([...withImplied(['manager'], rules).keys()], ['manager', 'member', 'reader'])
  assert.equal(withImplied(['manager'], rules).get('reader'), 'member')
  assert.equal(withImplied(['manager'], rules).get('manager'), undefined)
})

test('a role that comes in two ways comes once', () => {
  assert.deepEqual([...withImplied(['member', 'auditor'], rules).keys()].sort(), ['auditor', 'member', 'reader'])
})

test('a rule that would close a circle is told', () => {
  assert.equal(wouldCircle('reader', 'admin', rules), true)
  assert.equal(wouldCircle('reader', 'reader', rules), true)
  assert.equal(wouldCircle('auditor', 'member', rules), false)
})
