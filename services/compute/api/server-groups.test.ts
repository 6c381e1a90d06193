import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { idOf, persona } from '@strata/toolkit/testing'
import { groupRule } from '../logic/server-group.ts'
import { serverGroupOperations } from './server-groups.ts'
import { type Small, serverRow, startSmall } from './small.test.ts'

const admin = persona({ roles: ['admin'], project: 'ops' })
const member = persona()
const reader = persona({ roles: ['reader'] })
const stranger = persona({ project: 'beta' })
const path = '/v2.1/os-server-groups'
let small: Small
before(async () => {
  small = await startSmall(serverGroupOperations, { quota_server_groups: 3 })
})
after(() => small.close())

const make = (server_group: object, at = 64, as = member) =>
  small.call('POST', path, { as, body: { server_group }, at })

test('a group is shown as its version shows it, with the servers that are in it', async () => {
  const { server_group: made } = (
    await make({ name: 'web', policy: 'anti-affinity', rules: { max_server_per_host: '2' } })
  ).json
  assert.deepEqual(made, {
    id: made.id,
    name: 'web',
    policy: 'anti-affinity',
    rules: { max_server_per_host: 2 },
    members: [],
    project_id: idOf('alpha'),
    user_id: idOf('someone'),
  })
  for (const id of ['s1', 's2'])
    await small.store.db
      .insertInto('servers')
      .values(serverRow({ id, server_group_id: made.id }))
      .execute()
  const show = async (at: number) =>
    (await small.call('GET', `${path}/${made.id}`, { as: reader, at })).json.server_group
  assert.deepEqual((await show(64)).members, ['s1', 's2'])
  assert.deepEqual(await show(12), {
    id: made.id,
    name: 'web',
    policies: ['anti-affinity'],
    metadata: {},
    members: ['s1', 's2'],
  })
  assert.deepEqual(await groupRule(small.store.db, made.id), { policy: 'anti-affinity', maxServersPerHost: 2 })
  assert.equal((await small.call('DELETE', `${path}/${made.id}`, { as: member })).status, 204)
  assert.equal((await small.call('GET', `${path}/${made.id}`, { as: member })).status, 404)
  assert.equal(await groupRule(small.store.db, made.id), undefined)
  const left = await small.store.db.selectFrom('servers').select('server_group_id').execute()
  assert.deepEqual(new Set(left.map(row => row.server_group_id)), new Set([null]))
})

test('bad input names the field', async () => {
  const cases: [object, number, RegExp][] = [
    [{ policy: 'affinity' }, 64, /name/],
    [{ name: 'x', policy: 'proximity' }, 64, /policy/],
    [{ name: 'x', policies: ['affinity'] }, 64, /polic/],
    [{ name: 'x', policy: 'affinity' }, 63, /polic/],
    [{ name: 'x', policies: ['soft-affinity'] }, 14, /policies/],
    [{ name: 'x', policies: ['affinity', 'affinity'] }, 15, /policies/],
    [{ name: 'x', policy: 'affinity', rules: { max_server_per_host: 1 } }, 64, /Only anti-affinity/],
    [{ name: 'x', policy: 'anti-affinity', rules: { max_server_per_host: 0 } }, 64, /max_server_per_host/],
    [{ name: 'x', policy: 'anti-affinity', rules: { colour: 1 } }, 64, /colour/],
  ]
  for (const [body, at, message] of cases) {
    const answer = await make(body, at)
    assert.equal(answer.status, 400, JSON.stringify(body))
    assert.match(answer.json.badRequest.message, message)
  }
})

test('lists are of the own project, of all for administrators, and in parts', async () => {
  for (const name of ['a', 'b', 'c']) assert.equal((await make({ name, policies: ['affinity'] }, 1)).status, 200)
  const over = await make({ name: 'd', policy: 'affinity' })
  assert.equal(over.status, 403)
  assert.match(over.json.forbidden.message, /too many server groups/)
  assert.equal((await make({ name: 'd', policy: 'affinity' }, 64, stranger)).status, 200)
  const names = async (as: string, query = '') =>
    (await small.call('GET', `${path}${query}`, { as })).json.server_groups.map((one: { name: string }) => one.name)
  assert.deepEqual(await names(reader), ['a', 'b', 'c'])
  assert.deepEqual(await names(reader, '?limit=1&offset=1'), ['b'])
  assert.deepEqual(await names(reader, '?all_projects=1'), ['a', 'b', 'c'])
  assert.deepEqual(await names(admin, '?all_projects'), ['a', 'b', 'c', 'd'])
  assert.deepEqual(await names(admin), [])
})

test('who may: readers see, members change, of their own project alone', async () => {
  const { id } = (await small.call('GET', path, { as: member })).json.server_groups[0]
  const statuses = async (as: string) => [
    (await small.call('GET', path, { as })).status,
    (await small.call('GET', `${path}/${id}`, { as })).status,
    (await make({ name: 'x', policy: 'affinity' }, 64, as)).status,
    (await small.call('DELETE', `${path}/${id}`, { as })).status,
  ]
  assert.deepEqual(await statuses(reader), [200, 200, 403, 403])
  assert.deepEqual(await statuses(stranger), [200, 403, 200, 403])
  assert.deepEqual(await statuses(admin), [200, 200, 200, 204])
})
