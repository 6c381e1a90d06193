/** What compute does by itself, in a world of one simulated host. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { powerStates } from '../../contract/states.ts'
import { updateServer } from '../../store/servers.ts'
import { existingGuestPlan } from '../server/plan.ts'
import { hostname, type SagaWorld, sagaWorld } from '../server/test-world.ts'
import { type AddressHints, refreshAddresses } from './addresses.ts'
import { afterReport, applyReport, reportHost, syncPower } from './hosts.ts'
import { removeStrays } from './strays.ts'

const options = {
  cpuAllocationRatio: 4,
  ramAllocationRatio: 1,
  diskAllocationRatio: 1,
  reservedMemoryMiB: 512,
  reservedDiskGiB: 0,
}

describe('what is seen of a guest', () => {
  const active = { vm_state: 'active', power_state: powerStates.running } as const
  const stopped = { vm_state: 'stopped', power_state: powerStates.shutdown } as const

  test('changes a server that is otherwise', () => {
    assert.deepEqual(afterReport(active, 'shutdown'), stopped)
    assert.deepEqual(afterReport(active, 'crashed'), { vm_state: 'stopped', power_state: powerStates.crashed })
    assert.deepEqual(afterReport(active, 'absent'), stopped)
    assert.deepEqual(afterReport(active, 'paused'), { vm_state: 'paused', power_state: powerStates.paused })
    assert.deepEqual(afterReport(stopped, 'running'), active)
  })

  test('changes nothing that is so already, or that is broken', () => {
    assert.equal(afterReport(active, 'running'), undefined)
    assert.equal(afterReport(stopped, 'shutdown'), undefined)
    assert.equal(afterReport(stopped, 'absent'), undefined)
    assert.equal(afterReport({ vm_state: 'error', power_state: powerStates.pending }, 'running'), undefined)
  })
})

describe('reconcilers', () => {
  let world: SagaWorld
  const agent = () => world.deps.agent(hostname)!
  const state = async () => (await world.server())?.vm_state
  const change = (values: Parameters<typeof updateServer>[3]) =>
    updateServer(world.store.db, world.subject, '2026-01-01T00:00:00.000Z', values)

  beforeEach(async () => {
    world = await sagaWorld('active')
  })
  afterEach(() => world.close())

  test('a guest that powers itself off, or dies, is shown so', async () => {
    world.hypervisor.powerOff(world.subject)
    await syncPower(world.deps, agent())
    assert.equal(await state(), 'stopped')
  })

  test('a server with a task is left to its saga', async () => {
    await change({ task_state: 'powering-off' })
    await applyReport(world.deps, world.subject, 'shutdown')
    assert.equal(await state(), 'active')
  })

  test('a guest of an unknown server is removed, with its card; known ones stay', async () => {
    await removeStrays(world.deps, [agent()])
    assert.deepEqual((await world.holdings()).length, 4)
    await world.store.db.deleteFrom('servers').execute()
    await removeStrays(world.deps, [agent()])
    assert.deepEqual(await world.holdings(), ['port'])
  })

  test('what was built after the host was looked at is no stray', async () => {
    const late = {
      ...existingGuestPlan(world.deps, (await world.server())!),
      serverId: '0f1e2d3c-0000-4000-8000-000000000002',
      nics: [],
    }
    await agent().removeStrays(async () => {
      await agent().build(late, new AbortController().signal)
      return { servers: new Set([world.subject]), images: new Set() }
    })
    assert.equal((await world.hypervisor.list()).length, 2)
  })

  test('a host is known once it has reported, and reports again under the same row', async () => {
    await reportHost(world.deps, agent(), options)
    await reportHost(world.deps, agent(), options)
    const rows = await world.store.db.selectFrom('hosts').select(['hostname', 'number', 'id']).execute()
    assert.deepEqual(
      rows.map(row => ({ ...row })),
      [{ hostname, number: 1, id: 'provider-1' }],
    )
  })

  test('addresses follow the network service where it told of a change, and everywhere now and then', async () => {
    const nic = (await world.server())!.nics[0]!
    const floating = { id: 'f1', fixed_ip_address: '10.0.0.5', floating_ip_address: '172.24.4.9' }
    let mapped = [floating]
    const deps = {
      ...world.deps,
      networks: {
        ...world.deps.networks,
        describe: async () => [{ ...nic, floating_ips: mapped }],
        portsOfFloatingIps: async () => (mapped.length > 0 ? [nic.port_id] : []),
      },
    }
    const shown = async () => (await world.server())!.nics[0]!.floating_ips
    const told = (change: Partial<Record<keyof AddressHints, string>>): AddressHints => ({
      ports: new Set(change.ports ? [change.ports] : []),
      floatingIps: new Set(change.floatingIps ? [change.floatingIps] : []),
    })
    await refreshAddresses(deps, told({ ports: 'of somebody else' }), false)
    assert.deepEqual(await shown(), [])
    await refreshAddresses(deps, told({ floatingIps: 'f1' }), false)
    assert.deepEqual(await shown(), [floating])
    mapped = []
    await refreshAddresses(deps, told({ floatingIps: 'f1' }), false)
    assert.deepEqual(await shown(), [])
    mapped = [floating]
    await refreshAddresses(deps, told({}), true)
    assert.deepEqual(await shown(), [floating])
  })
})
