import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { persona } from '@strata/toolkit/testing'
import { aggregateOperations } from './aggregates.ts'
import { hostRow, type Small, serverRow, startSmall } from './small.test.ts'

const admin = persona({ roles: ['admin'] })
const path = '/v2.1/os-aggregates'
let small: Small
before(async () => {
  small = await startSmall(aggregateOperations)
  await small.store.db
    .insertInto('hosts')
    .values([hostRow(1), hostRow(2)])
    .execute()
  await small.store.db
    .insertInto('servers')
    .values(serverRow({ id: 's1', host: 'host-2' }))
    .execute()
})
after(() => small.close())

const make = async (name: string, zone?: string) =>
  (await small.call('POST', path, { as: admin, body: { aggregate: { name, availability_zone: zone } } })).json.aggregate
const act = (id: number, action: string, body: object) =>
  small.call('POST', `${path}/${id}/action`, { as: admin, body: { [action]: body } })

test('an aggregate is made, shown by version, changed and deleted', async () => {
  const made = await make('one', 'east')
  assert.deepEqual(Object.keys(made).sort(), [
    'availability_zone',
    'created_at',
    'deleted',
    'deleted_at',
    'id',
    'name',
    'updated_at',
  ])
  const shown = (await small.call('GET', `${path}/${made.id}`, { as: admin, at: 41 })).json.aggregate
  assert.match(shown.uuid, /^[0-9a-f-]{36}$/)
  assert.deepEqual(shown.metadata, { availability_zone: 'east' })
  assert.deepEqual(shown.hosts, [])
  const again = await small.call('POST', path, { as: admin, body: { aggregate: { name: 'one' } } })
  assert.equal(again.status, 409)
  const body = { aggregate: { name: 'uno', availability_zone: 'west' } }
  const changed = (await small.call('PUT', `${path}/${made.id}`, { as: admin, body })).json.aggregate
  assert.equal(changed.name, 'uno')
  assert.equal(changed.availability_zone, 'west')
  assert.notEqual(changed.updated_at, null)
  const set = await act(made.id, 'set_metadata', { metadata: { ssd: 'true', availability_zone: null } })
  assert.deepEqual(set.json.aggregate.metadata, { ssd: 'true' })
  assert.equal((await small.call('GET', path, { as: admin })).json.aggregates.length, 1)
  assert.equal((await small.call('DELETE', `${path}/${made.id}`, { as: admin })).status, 200)
  for (const [id, status] of [
    [made.id, 404],
    [-1, 404],
    ['one', 400],
  ] as const) {
    assert.equal((await small.call('GET', `${path}/${id}`, { as: admin })).status, status)
    assert.equal((await small.call('DELETE', `${path}/${id}`, { as: admin })).status, status)
  }
})

test('hosts come and go, and stay in one zone', async () => {
  const [east, west, plain] = [await make('a', 'east'), await make('b', 'west'), await make('c')]
  assert.deepEqual((await act(east.id, 'add_host', { host: 'host-1' })).json.aggregate.hosts, ['host-1'])
  assert.equal((await act(east.id, 'add_host', { host: 'host-1' })).status, 409)
  assert.equal((await act(east.id, 'add_host', { host: 'nowhere' })).status, 404)
  const clash = await act(west.id, 'add_host', { host: 'host-1' })
  assert.equal(clash.status, 409)
  assert.match(clash.json.conflictingRequest.message, /already in availability zone east/)
  assert.equal((await act(plain.id, 'add_host', { host: 'host-1' })).status, 200)
  const rezoned = await act(plain.id, 'set_metadata', { metadata: { availability_zone: 'west' } })
  assert.equal(rezoned.status, 400)
  assert.equal((await small.call('DELETE', `${path}/${east.id}`, { as: admin })).status, 400)
  assert.equal((await act(east.id, 'remove_host', { host: 'host-1' })).status, 200)
  assert.equal((await act(east.id, 'remove_host', { host: 'host-1' })).status, 404)
})

test('a host with servers keeps its zone', async () => {
  const [group, zone] = [await make('d'), await make('e', 'north')]
  assert.equal((await act(zone.id, 'add_host', { host: 'host-2' })).status, 409)
  assert.equal((await act(group.id, 'add_host', { host: 'host-2' })).status, 200)
  const body = { aggregate: { availability_zone: 'south' } }
  const refused = await small.call('PUT', `${path}/${group.id}`, { as: admin, body })
  assert.equal(refused.status, 400)
  assert.match(refused.json.badRequest.message, /contain instances in this zone/)
  assert.equal((await act(group.id, 'remove_host', { host: 'host-2' })).status, 200)
})

test('bad input names the field', async () => {
  const cases: [string, string, object, RegExp][] = [
    ['POST', path, { aggregate: {} }, /name/],
    ['POST', path, { aggregate: { name: 'x', availability_zone: 'a:b' } }, /availability_zone/],
    ['POST', path, { aggregate: { name: 'x', hosts: [] } }, /hosts/],
    ['PUT', `${path}/1`, { aggregate: {} }, /aggregate/],
    ['GET', `${path}/one`, {}, /id must be an integer/],
    ['POST', `${path}/1/action`, { add_host: {} }, /host/],
    ['POST', `${path}/1/action`, { set_metadata: { metadata: { a: 1 } } }, /metadata.a/],
    ['POST', `${path}/1/action`, { explode: {} }, /explode/],
  ]
  for (const [method, where, body, message] of cases) {
    const answer = await small.call(method, where, { as: admin, body: method === 'GET' ? undefined : body })
    assert.equal(answer.status, 400, `${method} ${where} ${JSON.stringify(body)}`)
    assert.match(answer.json.badRequest.message, message)
  }
})

test('aggregates are for administrators', async () => {
  const calls: [string, string, unknown][] = [
    ['GET', path, undefined],
    ['POST', path, { aggregate: { name: 'mine' } }],
    ['GET', `${path}/1`, undefined],
    ['PUT', `${path}/1`, { aggregate: { name: 'mine' } }],
    ['DELETE', `${path}/1`, undefined],
    ['POST', `${path}/1/action`, { add_host: { host: 'x' } }],
    ['POST', `${path}/1/action`, { remove_host: { host: 'x' } }],
    ['POST', `${path}/1/action`, { set_metadata: { metadata: {} } }],
  ]
  for (const role of ['reader', 'member', 'manager'])
    for (const [method, where, body] of calls)
      assert.equal((await small.call(method, where, { as: persona({ roles: [role] }), body })).status, 403)
})
