import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { idOf, persona } from '@strata/toolkit/testing'
import { flavorOperations } from './flavors.ts'
import { type Small, startSmall } from './small.test.ts'

const admin = persona({ roles: ['admin'] })
const member = persona({ roles: ['member'] })
const reader = persona({ roles: ['reader'] })
const stranger = persona({ roles: ['member'], project: 'beta' })
let small: Small
before(async () => {
  small = await startSmall(flavorOperations)
})
after(() => small.close())

const make = (flavor: object, at = 1) => small.call('POST', '/v2.1/flavors', { as: admin, body: { flavor }, at })
const size = { ram: 64, vcpus: 1, disk: 1 }

test('a flavor is made, shown by version and deleted', async () => {
  const made = await make({ ...size, name: 'nano', id: 'n1', description: 'small' }, 55)
  assert.equal(made.status, 200)
  assert.deepEqual(made.json.flavor, {
    id: 'n1',
    name: 'nano',
    description: 'small',
    ram: 64,
    disk: 1,
    swap: '',
    vcpus: 1,
    rxtx_factor: 1,
    'OS-FLV-EXT-DATA:ephemeral': 0,
    'OS-FLV-DISABLED:disabled': false,
    'os-flavor-access:is_public': true,
    links: [
      { rel: 'self', href: 'http://localhost:80/compute/v2.1/flavors/n1' },
      { rel: 'bookmark', href: 'http://localhost:80/compute/flavors/n1' },
    ],
  })
  const keys = async (at: number) =>
    Object.keys((await small.call('GET', '/v2.1/flavors/n1', { as: reader, at })).json.flavor)
  assert.ok(!(await keys(54)).includes('description'))
  assert.ok(!(await keys(60)).includes('extra_specs'))
  assert.ok((await keys(61)).includes('extra_specs'))
  assert.equal((await small.call('GET', '/v2.1/flavors/n1', { at: 75 })).json.flavor.swap, 0)
  const list = (await small.call('GET', '/v2.1/flavors')).json.flavors[0]
  assert.deepEqual(Object.keys(list), ['id', 'name', 'links'])
  const changed = { flavor: { description: null } }
  assert.equal((await small.call('PUT', '/v2.1/flavors/n1', { as: admin, body: changed, at: 54 })).status, 404)
  const put = await small.call('PUT', '/v2.1/flavors/n1', { as: admin, body: changed, at: 55 })
  assert.equal(put.json.flavor.description, null)
  assert.equal((await small.call('DELETE', '/v2.1/flavors/n1', { as: admin })).status, 202)
  assert.equal((await small.call('DELETE', '/v2.1/flavors/n1', { as: admin })).status, 404)
})

test('names and ids must differ; an id is made where none is given', async () => {
  const made = await make({ ...size, name: 'twice' })
  assert.match(made.json.flavor.id, /^[0-9a-f-]{36}$/)
  const name = await make({ ...size, name: 'twice' })
  assert.equal(name.status, 409)
  assert.match(name.json.conflictingRequest.message, /Flavor with name twice already exists/)
  const id = await make({ ...size, name: 'other', id: made.json.flavor.id })
  assert.match(id.json.conflictingRequest.message, /Flavor with ID .* already exists/)
  assert.equal((await make({ ...size, name: 'number', id: 17 })).json.flavor.id, '17')
})

test('bad input names the field', async () => {
  const cases: [object, RegExp][] = [
    [{ ...size, name: '' }, /name/],
    [{ ...size, name: ' blank ' }, /name/],
    [{ ...size, name: 'x', ram: 0 }, /ram/],
    [{ ...size, name: 'x', ram: '0' }, /ram/],
    [{ ...size, name: 'x', vcpus: 2 ** 31 }, /vcpus/],
    [{ ...size, name: 'x', disk: -1 }, /disk/],
    [{ ...size, name: 'x', swap: 'much' }, /swap/],
    [{ ...size, name: 'x', rxtx_factor: 0 }, /rxtx_factor/],
    [{ ...size, name: 'x', rxtx_factor: '0' }, /rxtx_factor/],
    [{ ...size, name: 'x', id: ' a' }, /id/],
    [{ ...size, name: 'x', colour: 'red' }, /colour/],
    [{ ...size, name: 'x', description: 'since 2.55' }, /description/],
    [{ ...size, name: 'x', 'os-flavor-access:is_public': 'maybe' }, /is_public/],
    [{ name: 'x', vcpus: 1, disk: 1 }, /ram/],
  ]
  for (const [flavor, message] of cases) {
    const answer = await make(flavor)
    assert.equal(answer.status, 400, JSON.stringify(flavor))
    assert.match(answer.json.badRequest.message, message)
  }
  for (const [query, at] of [
    ['sort_key=colour', 1],
    ['sort_dir=up', 1],
    ['limit=-1', 1],
    ['minRam=lots', 1],
    ['minDisk=1x', 1],
    ['is_public=perhaps', 1],
    ['marker=nowhere', 1],
    ['colour=red', 75],
  ] as const) {
    const answer = await small.call('GET', `/v2.1/flavors?${query}`, { as: admin, at })
    assert.equal(answer.status, 400, query)
    assert.match(answer.json.badRequest.message, new RegExp(query.split('=')[0]!))
  }
  assert.equal((await small.call('GET', '/v2.1/flavors?colour=red', { at: 74 })).status, 200)
})

test('lists are filtered, sorted and paged', async () => {
  for (const [id, ram] of [
    ['p1', 100_000],
    ['p2', 300_000],
    ['p3', 200_000],
  ] as const)
    await make({ name: id, id, ram, vcpus: 1, disk: 500 })
  const ids = async (query: string) =>
    (await small.call('GET', `/v2.1/flavors/detail?${query}`)).json.flavors.map((f: { id: string }) => f.id)
  assert.deepEqual(await ids('minRam=100000'), ['p1', 'p2', 'p3'])
  assert.deepEqual(await ids('minRam=150000&sort_key=memory_mb&sort_dir=desc'), ['p2', 'p3'])
  assert.deepEqual(await ids('minDisk=501'), [])
  const first = await small.call('GET', '/v2.1/flavors?minDisk=500&limit=2')
  assert.equal(first.json.flavors.length, 2)
  const next = new URL(first.json.flavors_links[0].href)
  assert.equal(next.searchParams.get('marker'), 'p2')
  const second = await small.call('GET', `/v2.1/flavors${next.search}`)
  assert.deepEqual(
    second.json.flavors.map((f: { id: string }) => f.id),
    ['p3'],
  )
  assert.equal(second.json.flavors_links, undefined)
})

test('a private flavor is known to those who were given access', async () => {
  await make({ ...size, name: 'secret', id: 's1', 'os-flavor-access:is_public': 'False' })
  const sees = async (as: string, query = '') => {
    const { flavors } = (await small.call('GET', `/v2.1/flavors${query}`, { as })).json
    const listed = flavors.some((flavor: { id: string }) => flavor.id === 's1')
    const shown = (await small.call('GET', '/v2.1/flavors/s1', { as })).status === 200
    return { listed, shown }
  }
  assert.deepEqual(await sees(member), { listed: false, shown: false })
  assert.deepEqual(await sees(member, '?is_public=None'), { listed: false, shown: false })
  assert.deepEqual(await sees(admin, '?is_public=None'), { listed: true, shown: true })
  assert.deepEqual(await sees(admin, '?is_public=false'), { listed: true, shown: true })
  const act = (name: string, id = 's1', at = 1) =>
    small.call('POST', `/v2.1/flavors/${id}/action`, { as: admin, body: { [name]: { tenant: idOf('alpha') } }, at })
  const access = { flavor_access: [{ flavor_id: 's1', tenant_id: idOf('alpha') }] }
  assert.deepEqual((await act('addTenantAccess')).json, access)
  assert.equal((await act('addTenantAccess')).status, 409)
  assert.deepEqual((await small.call('GET', '/v2.1/flavors/s1/os-flavor-access', { as: admin })).json, access)
  assert.deepEqual(await sees(member), { listed: true, shown: true })
  assert.deepEqual(await sees(stranger), { listed: false, shown: false })
  assert.deepEqual((await act('removeTenantAccess')).json, { flavor_access: [] })
  assert.equal((await act('removeTenantAccess')).status, 404)
  await make({ ...size, name: 'open', id: 'o1' })
  assert.equal((await act('addTenantAccess', 'o1', 7)).status, 409)
  assert.equal((await act('addTenantAccess', 'o1', 6)).status, 200)
  assert.equal((await small.call('GET', '/v2.1/flavors/o1/os-flavor-access', { as: admin })).status, 404)
  assert.equal((await act('explode')).status, 400)
})

test('extra specs are set, read, checked since 2.86, and removed', async () => {
  await make({ ...size, name: 'special', id: 'x1' })
  const path = '/v2.1/flavors/x1/os-extra_specs'
  const post = (specs: object, at = 1) => small.call('POST', path, { as: admin, body: { extra_specs: specs }, at })
  assert.deepEqual((await post({ 'hw:cpu_policy': 'shared', rank: 3 })).json.extra_specs.rank, '3')
  assert.equal((await post({ 'hw:cpu_policy': 'mine' }, 85)).status, 200)
  assert.equal((await post({ 'hw:cpu_policy': 'mine' }, 86)).status, 400)
  assert.equal((await post({ 'a/b': 'x' })).status, 400)
  assert.match((await post({ long: 'x'.repeat(256) })).json.badRequest.message, /long/)
  const put = await small.call('PUT', `${path}/rank`, { as: admin, body: { rank: '4' } })
  assert.deepEqual(put.json, { rank: '4' })
  assert.equal((await small.call('PUT', `${path}/rank`, { as: admin, body: { other: '4' } })).status, 400)
  assert.deepEqual((await small.call('GET', `${path}/rank`, { as: reader })).json, { rank: '4' })
  assert.deepEqual((await small.call('GET', path)).json, { extra_specs: { 'hw:cpu_policy': 'mine', rank: '4' } })
  assert.equal((await small.call('DELETE', `${path}/rank`, { as: admin })).status, 200)
  assert.equal((await small.call('DELETE', `${path}/rank`, { as: admin })).status, 404)
  assert.equal((await small.call('GET', `${path}/rank`)).status, 404)
  assert.equal((await small.call('GET', '/v2.1/flavors/none/os-extra_specs')).status, 404)
})

test('only administrators change flavors', async () => {
  const tenant = { tenant: 'p' }
  const changes: [string, string, unknown][] = [
    ['POST', '/v2.1/flavors', { flavor: { ...size, name: 'mine' } }],
    ['PUT', '/v2.1/flavors/x1', { flavor: { description: 'mine' } }],
    ['DELETE', '/v2.1/flavors/x1', undefined],
    ['GET', '/v2.1/flavors/x1/os-flavor-access', undefined],
    ['POST', '/v2.1/flavors/x1/action', { addTenantAccess: tenant }],
    ['POST', '/v2.1/flavors/x1/action', { removeTenantAccess: tenant }],
    ['POST', '/v2.1/flavors/x1/os-extra_specs', { extra_specs: { a: 'b' } }],
    ['PUT', '/v2.1/flavors/x1/os-extra_specs/a', { a: 'b' }],
    ['DELETE', '/v2.1/flavors/x1/os-extra_specs/a', undefined],
  ]
  for (const as of [reader, member, persona({ roles: ['manager'] })])
    for (const [method, path, body] of changes)
      assert.equal((await small.call(method, path, { as, body, at: 90 })).status, 403, `${method} ${path}`)
})
