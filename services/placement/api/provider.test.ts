import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { holding, refused, usePlacement } from './fixture.test.ts'

const { ask, must, provider, generation } = usePlacement()
const at = (uuid: string, part = '') => `/resource_providers/${uuid}${part}`

test('a provider is shown as its version knew it', async () => {
  const uuid = randomUUID()
  const created = await must(201, 'POST', '/resource_providers', { name: `n-${uuid}`, uuid }, 19)
  assert.equal(created.text, '')
  assert.match(String(created.headers['location']), new RegExp(`/placement/resource_providers/${uuid}$`))
  const rels = async (minor: number) =>
    (await must(200, 'GET', at(uuid), undefined, minor)).json.links.map((link: { rel: string }) => link.rel)
  assert.deepEqual(await rels(0), ['self', 'inventories', 'usages'])
  assert.deepEqual(await rels(39), ['self', 'inventories', 'usages', 'aggregates', 'traits', 'allocations'])
  const old = await must(200, 'GET', at(uuid), undefined, 13)
  assert.deepEqual(Object.keys(old.json).sort(), ['generation', 'links', 'name', 'uuid'])
  assert.equal(old.headers['cache-control'], undefined)
  const latest = await must(200, 'GET', at(uuid))
  assert.equal(latest.json.root_provider_uuid, uuid)
  assert.equal(latest.json.parent_provider_uuid, null)
  assert.equal(latest.headers['cache-control'], 'no-cache')
  assert.match(String(latest.headers['last-modified']), /GMT$/)
})

test('names and UUIDs are unique, UUIDs with or without hyphens', async () => {
  const uuid = randomUUID()
  await must(200, 'POST', '/resource_providers', { name: `n-${uuid}`, uuid: uuid.replaceAll('-', '') })
  const again = { name: `n-${uuid}` }
  refused(await ask('POST', '/resource_providers', again), 409, /name: n-/, 'placement.duplicate_name')
  const other = { name: randomUUID(), uuid }
  refused(await ask('POST', '/resource_providers', other), 409, /uuid: /, 'placement.duplicate_name')
  const mine = await provider()
  refused(await ask('PUT', at(mine), again), 409, /name: n-/, 'placement.duplicate_name')
  await must(200, 'PUT', at(mine), { name: 'renamed' })
  await must(200, 'PUT', at(mine), { name: 'renamed' })
})

test('bad bodies are refused by the name of the field', async () => {
  const post = (body: unknown, minor?: number) => ask('POST', '/resource_providers', body, minor)
  refused(await post({}), 400, /name is required/)
  refused(await post({ name: 5 }), 400, /name must be of type string/)
  refused(await post({ name: 'x'.repeat(201) }), 400, /name /)
  refused(await post({ name: '' }), 400, /name /)
  refused(await post({ name: 'x', uuid: 'cow' }), 400, /uuid is not a valid uuid/)
  refused(await post({ name: 'x', colour: 1 }), 400, /colour/)
  refused(await post({ name: 'x', parent_provider_uuid: null }, 13), 400, /parent_provider_uuid/)
  refused(await post({ name: 'x', parent_provider_uuid: 7 }), 400, /parent_provider_uuid/)
  refused(await post({ name: 'x', parent_provider_uuid: randomUUID() }), 400, /parent_provider_uuid.*does not exist/)
  const uuid = randomUUID()
  refused(await post({ name: 'x', uuid, parent_provider_uuid: uuid }), 400, /cannot be same as UUID/)
  refused(await ask('GET', at(randomUUID())), 404, /No resource provider/)
})

test('trees: parents, roots, moving, and no loops', async () => {
  const top = await provider()
  const middle = await provider({ parent: top })
  const leaf = await provider({ parent: middle })
  const root = async (uuid: string) => (await must(200, 'GET', at(uuid))).json.root_provider_uuid
  assert.equal(await root(leaf), top)
  const move = async (uuid: string, parent: string | null, minor?: number) =>
    ask('PUT', at(uuid), { name: uuid, parent_provider_uuid: parent }, minor)
  refused(await move(middle, null, 36), 400, /un-parenting/)
  const elsewhere = await provider()
  refused(await move(middle, elsewhere, 36), 400, /re-parenting/)
  refused(await move(top, leaf), 400, /loop/)
  refused(await move(top, top), 400, /loop/)
  assert.equal((await move(middle, elsewhere)).status, 200)
  assert.equal(await root(leaf), elsewhere)
  assert.equal((await move(middle, null)).json.root_provider_uuid, middle)
  assert.equal(await root(leaf), middle)
  assert.equal((await move(middle, top, 14)).status, 200)
  const tree = await must(200, 'GET', `/resource_providers?in_tree=${leaf}`)
  assert.equal(tree.json.resource_providers.length, 3)
  await must(200, 'PUT', at(leaf), { name: 'leaf' })
  assert.equal((await must(200, 'GET', at(leaf))).json.parent_provider_uuid, middle)
})

test('only a provider without children and allocations can be deleted', async () => {
  const top = await provider({ inventories: { VCPU: { total: 2 } } })
  const leaf = await provider({ parent: top })
  refused(await ask('DELETE', at(top)), 409, /child/, 'placement.resource_provider.cannot_delete_parent')
  await must(204, 'DELETE', at(leaf))
  const consumer = randomUUID()
  await must(204, 'PUT', `/allocations/${consumer}`, holding({ [top]: { VCPU: 1 } }))
  refused(await ask('DELETE', at(top)), 409, /allocations/, 'placement.resource_provider.inuse')
  await must(204, 'DELETE', `/allocations/${consumer}`)
  await must(204, 'DELETE', at(top))
  refused(await ask('DELETE', at(top)), 404, /No resource provider/)
  const left = await must(200, 'GET', `/resource_providers?uuid=${top}`)
  assert.deepEqual(left.json.resource_providers, [])
})

test('lists are filtered by what the version knows', async () => {
  const [one, two] = [randomUUID(), randomUUID()]
  const a = await provider({ inventories: { VCPU: { total: 4 } }, traits: ['HW_CPU_X86_VMX'], aggregates: [one] })
  const b = await provider({ inventories: { VCPU: { total: 40 } }, traits: ['HW_CPU_X86_SSE'], aggregates: [one, two] })
  const list = async (query: string, minor?: number) =>
    (await must(200, 'GET', `/resource_providers?${query}`, undefined, minor)).json.resource_providers
      .map((each: { uuid: string }) => each.uuid)
      .sort()
  const both = [a, b].sort()
  assert.deepEqual(await list(`member_of=${one}`), both)
  assert.deepEqual(await list(`member_of=${one}&member_of=${two}`), [b])
  assert.deepEqual(await list(`member_of=in:${one},${two}&member_of=!${two}`), [a])
  assert.deepEqual(await list(`member_of=${one}&resources=VCPU:5`), [b])
  assert.deepEqual(await list(`member_of=${one}&required=HW_CPU_X86_VMX`), [a])
  assert.deepEqual(await list(`member_of=${one}&required=!HW_CPU_X86_VMX`), [b])
  assert.deepEqual(await list(`member_of=${one}&required=in:HW_CPU_X86_VMX,HW_CPU_X86_SSE`), both)
  assert.deepEqual(await list(`uuid=${a}`, 0), [a])
  const bad = (query: string, minor?: number) => ask('GET', `/resource_providers?${query}`, undefined, minor)
  refused(await bad('required=CUSTOM_NOBODY'), 400, /CUSTOM_NOBODY/)
  refused(await bad('resources=CUSTOM_NOTHING:1'), 400, /CUSTOM_NOTHING/)
  refused(await bad('resources=VCPU'), 400, /resources/)
  refused(await bad('resources=VCPU:x'), 400, /VCPU.*resources/)
  refused(await bad('resources=VCPU:0'), 400, /VCPU.*resources/)
  refused(await bad('member_of=cow'), 400, /member_of/)
  refused(await bad('in_tree=cow'), 400, /in_tree/)
  refused(await bad('colour=red'), 400, /colour/)
  refused(await bad(`member_of=!${one}`, 31), 400, /member_of/)
  refused(await bad(`member_of=${one}&member_of=${two}`, 23), 400, /member_of/)
  for (const [query, minor] of [
    [`member_of=${one}`, 2],
    ['resources=VCPU:1', 3],
    [`in_tree=${a}`, 13],
    ['required=X', 17],
  ] as const)
    assert.equal((await bad(query, minor)).status, 400, `${query} in 1.${minor}`)
  assert.equal((await bad('required=!HW_CPU_X86_VMX', 21)).status, 400)
  assert.equal((await bad('required=in:HW_CPU_X86_VMX', 38)).status, 400)
})

test('aggregates take a generation since 1.19', async () => {
  const uuid = await provider()
  const aggregate = randomUUID()
  const path = at(uuid, '/aggregates')
  assert.equal((await ask('GET', path, undefined, 0)).status, 404)
  assert.deepEqual((await must(200, 'PUT', path, [aggregate], 1)).json, { aggregates: [aggregate] })
  assert.equal(await generation(uuid), 0)
  const body = { aggregates: [], resource_provider_generation: 0 }
  assert.deepEqual((await must(200, 'PUT', path, body)).json, { aggregates: [], resource_provider_generation: 1 })
  refused(await ask('PUT', path, body), 409, /generation/, 'placement.concurrent_update')
  refused(await ask('PUT', path, { ...body, aggregates: ['cow'] }), 400, /aggregates\.0/)
  refused(await ask('PUT', path, { aggregates: [] }), 400, /resource_provider_generation/)
})

test('traits of a provider move its generation only when they change', async () => {
  const uuid = await provider()
  const path = at(uuid, '/traits')
  const body = (traits: unknown, generation: number) => ({ traits, resource_provider_generation: generation })
  const set = await must(200, 'PUT', path, body(['HW_CPU_X86_VMX'], 0))
  assert.deepEqual(set.json, { traits: ['HW_CPU_X86_VMX'], resource_provider_generation: 1 })
  assert.equal((await must(200, 'PUT', path, body(['HW_CPU_X86_VMX'], 1))).json.resource_provider_generation, 1)
  refused(await ask('PUT', path, body([], 0)), 409, /generation/, 'placement.concurrent_update')
  refused(await ask('PUT', path, body(['CUSTOM_NOBODY'], 1)), 400, /CUSTOM_NOBODY/)
  refused(await ask('PUT', path, body('x', 1)), 400, /traits/)
  await must(204, 'DELETE', path)
  assert.deepEqual((await must(200, 'GET', path)).json, { traits: [], resource_provider_generation: 2 })
  assert.equal((await ask('GET', path, undefined, 5)).status, 404)
})
