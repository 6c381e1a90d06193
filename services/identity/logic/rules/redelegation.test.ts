import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Redelegable, redelegationProblem, redelegationsOf } from './redelegation.ts'

const parent: Redelegable = {
  impersonation: true,
  projectId: 'p',
  roleIds: ['member'],
  end: 1000,
  remainingUses: null,
  redelegations: 2,
}
const child = { ...parent, redelegations: 1 }
const reach = (ids: readonly string[]) => new Set(ids.includes('member') ? [...ids, 'reader'] : ids)
const problem = (change: Partial<Redelegable>, above: Partial<Redelegable> = {}) =>
  redelegationProblem({ ...parent, ...above }, { ...child, ...change }, reach)

test('a trust is handed on with the same or with less', () => {
  for (const change of [{}, { end: 999 }, { impersonation: false }, { roleIds: ['reader'] }, { redelegations: 0 }])
    assert.equal(problem(change), undefined)
  assert.equal(problem({ end: undefined }, { end: undefined }), undefined)
})

test('but never with more', () => {
  assert.match(problem({}, { redelegations: 0 })!, /may not be redelegated/)
  assert.match(problem({ redelegations: 2 })!, /redelegation_count/)
  assert.match(problem({}, { impersonation: false })!, /impersonation/)
  assert.match(problem({ projectId: 'q' })!, /project/)
  assert.match(problem({ remainingUses: 1 })!, /remaining_uses/)
  for (const end of [1001, undefined]) assert.match(problem({ end })!, /end after/)
  assert.match(problem({ roleIds: ['member', 'admin'] })!, /roles/)
})

test('how often is said by two fields together', () => {
  assert.equal(redelegationsOf({}), 0)
  assert.equal(redelegationsOf({ redelegation_count: 2 }), 0)
  assert.equal(redelegationsOf({ allow_redelegation: true }), 3)
  assert.equal(redelegationsOf({ allow_redelegation: true, redelegation_count: 1 }), 1)
  assert.match(String(redelegationsOf({ allow_redelegation: true, redelegation_count: 4 })), /at most 3/)
  assert.match(String(redelegationsOf({ allow_redelegation: true, remaining_uses: 1 })), /remaining_uses/)
})
