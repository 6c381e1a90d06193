import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Assignment, effective, type Snapshot } from './assignments.ts'

const snapshot: Snapshot = {
  implications: [{ prior_role_id: 'member', implied_role_id: 'reader' }],
  members: id => (id === 'staff' ? ['ann', 'bob'] : []),
  below: ({ id }) => (id === 'dom' ? ['p1', 'p2'] : []),
}
const given = (change: Partial<Assignment>): Assignment => ({
  actor_type: 'user',
  actor_id: 'ann',
  target_type: 'project',
  target_id: 'p1',
  role_id: 'reader',
  inherited: 0,
  ...change,
})
const who = (one: Assignment) => `${one.actor_id} ${one.role_id} ${one.target_type} ${one.target_id}`

test('a group’s assignment is had by each member, through the group', () => {
  const all = effective([given({ actor_type: 'group', actor_id: 'staff' })], snapshot)
  assert.deepEqual(all.map(who), ['ann reader project p1', 'bob reader project p1'])
  assert.deepEqual(all[0]!.through, { group: 'staff' })
  assert.deepEqual(effective([given({ actor_type: 'group', actor_id: 'nobody' })], snapshot), [])
})

test('an inherited one holds on each project below and not on its target', () => {
  const all = effective([given({ target_type: 'domain', target_id: 'dom', inherited: 1 })], snapshot)
  assert.deepEqual(all.map(who), ['ann reader project p1', 'ann reader project p2'])
  assert.deepEqual(all[0]!.through, { domain: 'dom' })
})

test('implied roles follow from all of it', () => {
  const inherited = { target_type: 'domain', target_id: 'dom', inherited: 1 } as const
  const all = effective([given({ ...inherited, actor_type: 'group', actor_id: 'staff', role_id: 'member' })], snapshot)
  assert.equal(all.length, 2 * 2 * 2)
  assert.deepEqual(all[1]!.through, { group: 'staff', domain: 'dom', prior: 'member' })
})
