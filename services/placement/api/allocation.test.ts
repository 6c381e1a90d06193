import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { holding, refused, usePlacement } from './fixture.test.ts'

const { ask, must, provider, generation } = usePlacement()
const at = (consumer: string) => `/allocations/${consumer}`
const used = async (uuid: string) => (await must(200, 'GET', `/resource_providers/${uuid}/usages`)).json.usages

test('a claim is written in the form of each version and shown in each', async () => {
  const uuid = await provider({ inventories: { VCPU: { total: 100 } } })
  const listed = { allocations: [{ resource_provider: { uuid }, resources: { VCPU: 1 } }] }
  const owner = { project_id: 'p', user_id: 'u' }
  const keyed = { allocations: { [uuid]: { resources: { VCPU: 1 } } }, ...owner }
  const fresh = { ...keyed, consumer_generation: null }
  const bodies: readonly (readonly [minor: number, body: object])[] = [
    [0, listed],
    [8, { ...listed, ...owner }],
    [12, keyed],
    [28, fresh],
    [34, { ...fresh, mappings: { A: [uuid] } }],
    [38, { ...fresh, consumer_type: 'MIGRATION' }],
  ]
  for (const [at_, [minor, body]] of bodies.entries()) {
    const consumer = randomUUID()
    await must(204, 'PUT', at(consumer), body, minor)
    const previous = bodies[at_ - 1]
    if (previous) assert.equal((await ask('PUT', at(randomUUID()), body, minor - 1)).status, 400, `1.${minor - 1}`)
    const shown = (await must(200, 'GET', at(consumer))).json
    assert.deepEqual(shown.allocations[uuid].resources, { VCPU: 1 })
    assert.equal(shown.project_id, minor < 8 ? '00000000-0000-0000-0000-000000000000' : 'p')
    assert.equal(shown.consumer_type, minor < 38 ? 'unknown' : 'MIGRATION')
    assert.equal(shown.consumer_generation, 1)
    const keys = async (version: number) => Object.keys((await must(200, 'GET', at(consumer), undefined, version)).json)
    assert.deepEqual(await keys(11), ['allocations'])
    assert.deepEqual(await keys(27), ['allocations', 'project_id', 'user_id'])
    assert.deepEqual(await keys(37), ['allocations', 'project_id', 'user_id', 'consumer_generation'])
  }
  assert.deepEqual((await must(200, 'GET', at(randomUUID()))).json, { allocations: {} })
})

test('bad claims are refused by the name of the field', async () => {
  const uuid = await provider({ inventories: { VCPU: { total: 4 } } })
  const put = (body: unknown) => ask('PUT', at(randomUUID()), body)
  const good = holding({ [uuid]: { VCPU: 1 } }) as Record<string, unknown>
  for (const field of ['allocations', 'project_id', 'user_id', 'consumer_generation', 'consumer_type']) {
    refused(await put({ ...good, [field]: undefined }), 400, new RegExp(`${field} is required`))
    refused(await put({ ...good, [field]: true }), 400, new RegExp(`${field} `))
  }
  refused(await put({ ...good, colour: 1 }), 400, /colour/)
  refused(await put({ ...good, consumer_type: 'instance' }), 400, /consumer_type/)
  refused(await put({ ...good, mappings: {} }), 400, /mappings/)
  refused(await put({ ...good, project_id: 'x'.repeat(256) }), 400, /project_id/)
  refused(await put(holding({ cow: { VCPU: 1 } })), 400, /allocations\.cow/)
  refused(await put(holding({ [uuid]: {} })), 400, /resources/)
  refused(await put(holding({ [uuid]: { VCPU: 0 } })), 400, /resources\.VCPU/)
  refused(await put(holding({ [uuid]: { VCPU: 'x' as never } })), 400, /resources\.VCPU/)
  refused(await put(holding({ [uuid]: { vcpu: 1 } })), 400, /vcpu/)
  refused(await put(holding({ [uuid]: { CUSTOM_NOTHING: 1 } })), 400, /CUSTOM_NOTHING/)
  refused(await put(holding({ [randomUUID()]: { VCPU: 1 } })), 400, /does not exist/)
  refused(await ask('PUT', '/allocations/cow', good), 400, /consumer_uuid/)
  refused(await ask('DELETE', at(randomUUID())), 404, /No allocations/)
  assert.deepEqual(await used(uuid), { VCPU: 0 })
})

test('a claim must fit, in portions that the inventory gives', async () => {
  const uuid = await provider({
    inventories: { VCPU: { total: 10, reserved: 2, allocation_ratio: 1.5, min_unit: 2, max_unit: 8, step_size: 2 } },
  })
  const put = (amount: number) => ask('PUT', at(randomUUID()), holding({ [uuid]: { VCPU: amount } }))
  for (const amount of [1, 3, 10]) refused(await put(amount), 409, /Unable to allocate inventory.*constraints/)
  assert.equal((await put(8)).status, 204)
  refused(await put(6), 409, /Unable to allocate inventory.*exceed the capacity/)
  assert.equal((await put(4)).status, 204)
  assert.deepEqual(await used(uuid), { VCPU: 12 })
  refused(await ask('PUT', at(randomUUID()), holding({ [uuid]: { DISK_GB: 1 } })), 409, /DISK_GB/)
})

test('a consumer is replaced under its generation, and gone when it holds nothing', async () => {
  const a = await provider({ inventories: { VCPU: { total: 4 } } })
  const b = await provider({ inventories: { VCPU: { total: 4 } } })
  const consumer = randomUUID()
  const put = (uuid: string, amount: number, consumer_generation: number | null) =>
    ask('PUT', at(consumer), holding({ [uuid]: { VCPU: amount } }, { consumer_generation }))
  refused(
    await put(a, 1, 1),
    409,
    /consumer generation conflict - expected null but got 1/,
    'placement.concurrent_update',
  )
  assert.equal((await put(a, 4, null)).status, 204)
  refused(
    await put(a, 4, null),
    409,
    /consumer generation conflict - expected 1 but got null/,
    'placement.concurrent_update',
  )
  assert.equal((await put(a, 3, 1)).status, 204)
  assert.equal((await put(b, 4, 2)).status, 204)
  assert.deepEqual([await used(a), await used(b)], [{ VCPU: 0 }, { VCPU: 4 }])
  await must(204, 'PUT', at(consumer), holding({}, { consumer_generation: 3 }))
  assert.deepEqual((await must(200, 'GET', at(consumer))).json, { allocations: {} })
  assert.equal((await put(b, 4, null)).status, 204)
})

test('several consumers are replaced at once or not at all', async () => {
  const a = await provider({ inventories: { VCPU: { total: 4 } } })
  const b = await provider({ inventories: { VCPU: { total: 4 } } })
  const [server, migration] = [randomUUID(), randomUUID()]
  await must(204, 'PUT', at(server), holding({ [a]: { VCPU: 4 } }))
  const before = await generation(a)
  const swap = (amount: number) => ({
    [migration]: holding({ [a]: { VCPU: 4 } }, { consumer_type: 'MIGRATION' }),
    [server]: holding({ [b]: { VCPU: amount } }, { consumer_generation: 1 }),
  })
  refused(await ask('POST', '/allocations', swap(5)), 409, /exceed the capacity/)
  assert.equal(await generation(a), before)
  await must(204, 'POST', '/allocations', swap(4))
  assert.deepEqual([await used(a), await used(b)], [{ VCPU: 4 }, { VCPU: 4 }])
  const { json } = await must(200, 'GET', `/resource_providers/${a}/allocations`)
  assert.deepEqual(json.allocations, { [migration]: { resources: { VCPU: 4 }, consumer_generation: 1 } })
  await must(204, 'POST', '/allocations', { [migration]: holding({}, { consumer_generation: 1 }) })
  assert.equal((await ask('POST', '/allocations', {}, 13)).status, 400)
  assert.equal((await ask('POST', '/allocations', swap(4), 12)).status, 404)
})

test('parallel claims on one provider never exceed its capacity', async () => {
  const uuid = await provider({ inventories: { VCPU: { total: 10 } } })
  const claims = Array.from({ length: 40 }, (_, at_) =>
    ask('PUT', at(randomUUID()), holding({ [uuid]: { VCPU: 1 + (at_ % 2) } })),
  )
  const answers = await Promise.all(claims)
  const taken = answers.reduce((sum, answer, at_) => sum + (answer.status === 204 ? 1 + (at_ % 2) : 0), 0)
  assert.equal(taken, 10)
  assert.deepEqual(await used(uuid), { VCPU: 10 })
  for (const answer of answers.filter(one => one.status !== 204)) refused(answer, 409, /exceed the capacity/)
})

test('of parallel writers under one generation exactly one is heard', async () => {
  const uuid = await provider()
  const body = (total: number) => ({ resource_provider_generation: 0, inventories: { VCPU: { total } } })
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, n) => ask('PUT', `/resource_providers/${uuid}/inventories`, body(n + 1))),
  )
  assert.equal(answers.filter(one => one.status === 200).length, 1)
  for (const one of answers.filter(one => one.status !== 200))
    refused(one, 409, /generation/, 'placement.concurrent_update')
  const consumer = randomUUID()
  const claims = await Promise.all(
    Array.from({ length: 5 }, () => ask('PUT', at(consumer), holding({ [uuid]: { VCPU: 1 } }))),
  )
  assert.equal(claims.filter(one => one.status === 204).length, 1)
})

test('the reshaper moves inventories with their allocations, or nothing', async () => {
  const host = await provider({ inventories: { VCPU: { total: 8 }, DISK_GB: { total: 10 } } })
  const numa = await provider({ parent: host })
  const server = randomUUID()
  await must(204, 'PUT', at(server), holding({ [host]: { VCPU: 4, DISK_GB: 5 } }))
  const body = (amount: number, hostGeneration: number) => ({
    inventories: {
      [host]: { resource_provider_generation: hostGeneration, inventories: { DISK_GB: { total: 10 } } },
      [numa]: { resource_provider_generation: 0, inventories: { VCPU: { total: 8 } } },
    },
    allocations: {
      [server]: holding({ [host]: { DISK_GB: 5 }, [numa]: { VCPU: amount } }, { consumer_generation: 1 }),
    },
  })
  const now = await generation(host)
  refused(await ask('POST', '/reshaper', body(4, now + 1)), 409, /generation conflict/, 'placement.concurrent_update')
  refused(await ask('POST', '/reshaper', body(9, now)), 409, /exceed the capacity/)
  refused(
    await ask('POST', '/reshaper', { ...body(4, now), allocations: {} }),
    409,
    /in use/,
    'placement.inventory.inuse',
  )
  assert.deepEqual([await generation(host), await generation(numa)], [now, 0])
  await must(204, 'POST', '/reshaper', body(4, now))
  assert.deepEqual([await used(host), await used(numa)], [{ DISK_GB: 5 }, { VCPU: 4 }])
  const stranger = {
    ...body(4, now),
    inventories: { [randomUUID()]: { resource_provider_generation: 0, inventories: {} } },
  }
  refused(await ask('POST', '/reshaper', stranger), 400, /not found/, 'placement.resource_provider.not_found')
  assert.equal((await ask('POST', '/reshaper', stranger, 29)).status, 404)
})
