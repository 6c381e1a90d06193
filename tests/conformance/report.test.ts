import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AREAS, areaOf, areasNamed } from './areas.ts'
import type { Outcome } from './outcomes.ts'
import { report } from './report.ts'
import { readList, select } from './selection.ts'

const outcome = (result: Outcome['result'], reason = ''): Outcome => ({ result, reason, seconds: 1 })
const prefix = 'tempest.api.identity.v3'

const told = (known: { test: string; why: string }[], baseline: string[] = []) =>
  report({
    results: {
      outcomes: new Map([
        [`${prefix}.A.a[id-1,smoke]`, outcome('passed')],
        [`${prefix}.A.b[id-2]`, outcome('failed', 'Conflict: no')],
        [`${prefix}.A.c[id-3]`, outcome('not run', 'nothing was heard of it')],
        [`${prefix}.A.d[id-4]`, outcome('skipped', 'off')],
      ]),
      leaks: [],
    },
    areas: areasNamed('identity'),
    known,
    baseline,
  })

test('a failure that is known does not count as one; a test that did not run does', () => {
  const { totals, good, text } = told([{ test: `${prefix}.A.b`, why: 'ours is right' }])
  assert.deepEqual(totals, { passed: 1, failed: 1, known: 1, skipped: 1 })
  assert.equal(good, false)
  assert.match(text, /failed:\n {2}tempest\.api\.identity\.v3\.A\.c: nothing was heard of it\n/)
  assert.match(text, /1 {2}ours is right/)
  assert.match(text, /skipped:\n +1 {2}off/)
  assert.equal(told([{ test: `${prefix}.A`, why: 'all of them' }]).good, true)
})

test('a known failure that passes is told, so that the list shrinks', () => {
  const { text } = told([{ test: `${prefix}.A.a`, why: 'was broken' }])
  assert.match(text, /known-failures\.yaml, and passed:\n {2}tempest\.api\.identity\.v3\.A\.a\n/)
})

test('the comparison names what a real OpenStack passes and this cloud does not', () => {
  const { text } = told([], [`${prefix}.A.a[id-1,smoke]`, `${prefix}.A.d[id-4]`, 'elsewhere.x[id-9]'])
  assert.match(text, /of 2 tests that a real OpenStack passes, 1 pass here\n {2}skipped: tempest.*\.A\.d: off/)
})

test('every open test belongs to one area, and every area has tests', () => {
  const ids = readList('open.txt')
  assert.ok(ids.length > 6000)
  assert.deepEqual(
    ids.filter(id => AREAS.filter(area => area.tests.test(id)).length !== 1),
    [],
  )
  assert.deepEqual(
    AREAS.filter(area => !ids.some(id => areaOf(id) === area)).map(area => area.name),
    [],
  )
})

test('tests are chosen by area, tag and word', () => {
  const ids = [
    `${prefix}.test_users.U.a[id-1,smoke]`,
    `${prefix}.test_roles.R.b[id-2]`,
    'tempest.api.compute.c[id-3,smoke]',
  ]
  const areas = areasNamed('identity')
  assert.equal(select({ ids, areas, smoke: false, words: [] }).length, 2)
  assert.deepEqual(select({ ids, areas, smoke: true, words: [] }), [ids[0]])
  assert.deepEqual(select({ ids, areas: areasNamed('all'), smoke: false, words: ['roles', 'compute'] }), [
    ids[1],
    ids[2],
  ])
  assert.deepEqual(areasNamed('nothing'), [])
})
