import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { holding, refused, usePlacement } from './fixture.test.ts'

const { ask, must, provider, generation } = usePlacement()
const at = (uuid: string, name = '') => `/resource_providers/${uuid}/inventories${name && `/${name}`}`
const set = (inventories: object, resource_provider_generation: number) => ({
  inventories,
  resource_provider_generation,
})

test('inventories are replaced as a whole, with defaults, under the generation', async () => {
  const uuid = await provider()
  const { json } = await must(200, 'PUT', at(uuid), set({ VCPU: { total: 4 } }, 0))
  const vcpu = { total: 4, reserved: 0, min_unit: 1, max_unit: 2147483647, step_size: 1, allocation_ratio: 1 }
  assert.deepEqual(json, { resource_provider_generation: 1, inventories: { VCPU: vcpu } })
  refused(
    await ask('PUT', at(uuid), set({}, 0)),
    409,
    /resource provider generation conflict/,
    'placement.concurrent_update',
  )
  await must(200, 'PUT', at(uuid), set({ DISK_GB: { total: 1 } }, 1))
  assert.deepEqual(Object.keys((await must(200, 'GET', at(uuid))).json.inventories), ['DISK_GB'])
  refused(await ask('GET', at(uuid, 'VCPU')), 404, /VCPU/)
})

test('one inventory is added, replaced and removed', async () => {
  const uuid = await provider()
  const added = await must(201, 'POST', at(uuid), { resource_class: 'VCPU', total: 8 })
  assert.equal(added.json.resource_provider_generation, 1)
  assert.match(String(added.headers['location']), new RegExp(`${uuid}/inventories/VCPU$`))
  refused(await ask('POST', at(uuid), { resource_class: 'VCPU', total: 8 }), 409, /VCPU/, 'placement.concurrent_update')
  const put = { total: 9, resource_provider_generation: 1 }
  assert.equal((await must(200, 'PUT', at(uuid, 'VCPU'), put)).json.total, 9)
  refused(await ask('PUT', at(uuid, 'VCPU'), put), 409, /generation/, 'placement.concurrent_update')
  refused(await ask('PUT', at(uuid, 'DISK_GB'), { ...put, resource_provider_generation: 2 }), 400, /DISK_GB/)
  await must(204, 'DELETE', at(uuid, 'VCPU'))
  refused(await ask('DELETE', at(uuid, 'VCPU')), 404, /VCPU/)
})

test('bad inventories are refused by the name of the field, and nothing is changed', async () => {
  const uuid = await provider()
  const put = (one: object) => ask('PUT', at(uuid), set({ VCPU: one }, 0))
  refused(await put({}), 400, /VCPU\.total is required/)
  for (const field of ['total', 'reserved', 'min_unit', 'max_unit', 'step_size'])
    for (const value of ['1', -1, 2147483648, 1.5, null])
      refused(await put({ total: 1, [field]: value }), 400, new RegExp(`VCPU\\.${field} `))
  refused(await put({ total: 1, allocation_ratio: 'x' }), 400, /allocation_ratio/)
  refused(await put({ total: 1, allocation_ratio: 1e39 }), 400, /allocation_ratio/)
  refused(await put({ total: 1, allocation_ratio: 0 }), 400, /allocation_ratio/)
  refused(await put({ total: 1, colour: 1 }), 400, /colour/)
  refused(await ask('PUT', at(uuid), set({ vcpu: { total: 1 } }, 0)), 400, /vcpu/)
  refused(await ask('PUT', at(uuid), set({ CUSTOM_NOTHING: { total: 1 } }, 0)), 400, /CUSTOM_NOTHING/)
  refused(await ask('PUT', at(uuid), { inventories: {} }), 400, /resource_provider_generation is required/)
  refused(
    await ask('PUT', at(uuid), { inventories: {}, resource_provider_generation: '0' }),
    400,
    /resource_provider_generation/,
  )
  assert.equal(await generation(uuid), 0)
})

test('all of an inventory may be reserved since 1.26', async () => {
  const uuid = await provider()
  const body = { VCPU: { total: 4, reserved: 4 } }
  assert.equal((await ask('PUT', at(uuid), set(body, 0), 25)).status, 400)
  await must(200, 'PUT', at(uuid), set(body, 0), 26)
  refused(await ask('PUT', at(uuid), set({ VCPU: { total: 4, reserved: 5 } }, 1)), 400, /VCPU.*reserved/)
})

test('what somebody holds cannot be taken away', async () => {
  const uuid = await provider({ inventories: { VCPU: { total: 4 }, DISK_GB: { total: 4 } } })
  await must(204, 'PUT', `/allocations/${randomUUID()}`, holding({ [uuid]: { VCPU: 2 } }))
  const now = await generation(uuid)
  const words = new RegExp(`Inventory for 'VCPU' on resource provider '${uuid}' in use`)
  refused(await ask('PUT', at(uuid), set({ DISK_GB: { total: 4 } }, now)), 409, words, 'placement.inventory.inuse')
  refused(await ask('DELETE', at(uuid)), 409, words, 'placement.inventory.inuse')
  refused(await ask('DELETE', at(uuid, 'VCPU')), 409, words, 'placement.concurrent_update')
  await must(204, 'DELETE', at(uuid, 'DISK_GB'))
  const shrunk = await must(200, 'PUT', at(uuid), set({ VCPU: { total: 1 } }, now + 1))
  assert.equal(shrunk.json.inventories.VCPU.total, 1)
})

test('all inventories are deleted at once since 1.5', async () => {
  const uuid = await provider({ inventories: { VCPU: { total: 4 } } })
  const old = await ask('DELETE', at(uuid), undefined, 4)
  assert.equal(old.status, 405)
  assert.equal(old.headers['allow'], 'GET, POST, PUT')
  await must(204, 'DELETE', at(uuid), undefined, 5)
  assert.deepEqual((await must(200, 'GET', at(uuid))).json.inventories, {})
})
