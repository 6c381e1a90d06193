import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wantedBy } from './main.ts'

const refusal = (...args: string[]): string => {
  try {
    wantedBy(args)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

test('a command line names an area, words and how to run', () => {
  const wanted = wantedBy(['network', '--smoke', '-n', '4', '--cloud', 'other', '--', 'ports', '--odd'])
  assert.deepEqual(
    wanted.areas.map(area => area.name),
    ['network'],
  )
  assert.deepEqual([wanted.words, wanted.smoke, wanted.workers, wanted.cloud], [['ports', '--odd'], true, 4, 'other'])
  assert.equal(wantedBy(['identity']).workers, 2)
})

test('all are those that can run together: those with scope enforced are named one by one', () => {
  const names = wantedBy(['all']).areas.map(area => area.name)
  assert.ok(names.includes('identity') && !names.includes('identity-rbac'))
  assert.equal(wantedBy(['identity-rbac']).areas[0]!.policyFile, 'rbac-policy.yaml')
})

test('what is wrong is said', () => {
  assert.match(refusal('identty'), /takes one of all, identity, .*; not "identty"/)
  assert.match(refusal(), /not ""/)
  assert.match(refusal('identity', '--fast'), /Unknown option '--fast'; see/)
  for (const number of ['0', '1.5', 'x', '9999999'])
    assert.match(refusal('identity', '-n', number), /whole number from 1/)
})
