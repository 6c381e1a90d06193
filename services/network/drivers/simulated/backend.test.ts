import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_SNAPSHOT, type PortRecord, type PortStatus } from '../../logic/ports.ts'
import { createSimulatedNetwork, type SimulatedNetworkFaults } from './backend.ts'

const guest = (id: string, host: string): PortRecord => ({
  id,
  network_id: 'n',
  project_id: 'p',
  mac_address: 'fa:16:3e:00:00:01',
  fixed_ips: [],
  admin_state_up: true,
  security_groups: [],
  port_security_enabled: true,
  allowed_address_pairs: [],
  device_owner: 'compute:nova',
  device_id: '',
  'binding:host_id': host,
  extra_dhcp_opts: [],
})

/** Resolves with the first status that fits. */
function seen(watch: (listener: (status: PortStatus) => void) => () => void, wanted: PortStatus): Promise<void> {
  return new Promise(resolve => {
    watch(status => {
      if (JSON.stringify(status) === JSON.stringify(wanted)) resolve()
    })
  })
}

test('a port is DOWN until it is bound, comes up on its host, and leaves no trace', async () => {
  const backend = createSimulatedNetwork({ hosts: ['h1'], syncMs: 1, portUpMs: 1 })
  await backend.open()
  const report = await backend.sync({ ...EMPTY_SNAPSHOT, ports: [guest('a', '')] })
  assert.deepEqual([report.created, report.updated, report.deleted], [1, 0, 0])
  assert.deepEqual(backend.portStatuses(), [{ port_id: 'a', status: 'DOWN' }])
  const up = seen(backend.watchPorts, { port_id: 'a', status: 'ACTIVE', host: 'h1' })
  await backend.apply({ put: { ports: [guest('a', 'h1')] } })
  await up
  await backend.apply({ removed: ['a'] })
  assert.deepEqual(backend.portStatuses(), [])
  await backend.close()
})

test('faults: refused writes change nothing, stuck ports and dead hosts stay DOWN', async () => {
  const faults: SimulatedNetworkFaults = { stuckPorts: new Set(['a']), deadHosts: new Set(['h2']) }
  const backend = createSimulatedNetwork({ hosts: ['h1', 'h2'], faults })
  await assert.rejects(backend.apply({}), { name: 'BackendError' })
  const up = seen(backend.watchPorts, { port_id: 'c', status: 'ACTIVE', host: 'h1' })
  await backend.sync({ ...EMPTY_SNAPSHOT, ports: [guest('a', 'h1'), guest('b', 'h2'), guest('c', 'h1')] })
  await up
  const down = backend.portStatuses().filter(({ status }) => status === 'DOWN')
  assert.deepEqual(
    down.map(({ port_id }) => port_id),
    ['a', 'b'],
  )
  assert.deepEqual(
    (await backend.agents()).map(({ host, alive }) => `${host} ${alive}`),
    ['h1 true', 'h2 false'],
  )
  faults.refuse = 'the network is on strike'
  await assert.rejects(backend.apply({ removed: ['c'] }), /on strike/)
  assert.equal(backend.snapshot()?.ports.length, 3)
  await backend.close()
})
