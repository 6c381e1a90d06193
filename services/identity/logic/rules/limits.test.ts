import assert from 'node:assert/strict'
import { test } from 'node:test'
import { domainLimitProblem, projectLimitProblem } from './limits.ts'

test('a project’s limit is not above its domain’s, and no limit is above all', () => {
  for (const [limit, domain] of [
    [5, 5],
    [0, 5],
    [-1, -1],
    [9, -1],
  ] as const)
    assert.equal(projectLimitProblem(limit, domain), undefined)
  assert.match(projectLimitProblem(6, 5)!, /above/)
  assert.match(projectLimitProblem(-1, 5)!, /above/)
})

test('a domain’s limit is not below that of any of its projects', () => {
  assert.equal(domainLimitProblem(5, []), undefined)
  assert.equal(domainLimitProblem(5, [5, 1]), undefined)
  assert.equal(domainLimitProblem(-1, [-1, 7]), undefined)
  assert.match(domainLimitProblem(5, [1, 6])!, /below.*6/)
  assert.match(domainLimitProblem(5, [-1])!, /below/)
})
