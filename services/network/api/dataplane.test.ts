import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '@strata/toolkit/testing'
import { admin, startNetwork } from './fixture.test.ts'

describe('the data plane follows the database', () => {
  test('every change arrives, and what is deleted is gone', async () => {
    const f = await startNetwork()
    const known = (
      kind: 'networks' | 'subnets' | 'ports' | 'routers' | 'floatingips' | 'security_groups',
      id: string,
    ) => (f.backend.snapshot()?.[kind] as { id: string }[] | undefined)?.find(record => record.id === id)
    const pub = await f.external('public', '172.24.4.0/24')
    const { network, subnet } = await f.inside('10.80.0.0/24')
    const router = await f.make('router', { external_gateway_info: { network_id: pub.network.id } })
    const joined = await f.call('PUT', `routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
    const port = await f.make('port', { network_id: network.id })
    const fip = await f.make('floatingip', { floating_network_id: pub.network.id, port_id: port.id })
    await until('all is there', () => known('floatingips', fip.id) && known('ports', port.id))
    const snapshot = f.backend.snapshot()!
    const byOwner = (owner: string) => snapshot.ports.filter(one => one.device_owner === owner)
    assert.deepEqual(
      byOwner('network:router_interface').map(one => one.id),
      [joined.json.port_id],
    )
    assert.deepEqual(
      byOwner('network:distributed').map(one => one.device_id),
      [`ovnmeta-${network.id}`],
    )
    const [gateway] = byOwner('network:router_gateway')
    const told = snapshot.routers.find(one => one.id === router.id)!
    assert.deepEqual(told.external_gateway_info!.external_fixed_ips, gateway!.fixed_ips)
    const record = snapshot.ports.find(one => one.id === port.id)!
    assert.deepEqual([record.fixed_ips, record.security_groups], [port.fixed_ips, port.security_groups])
    assert.deepEqual(
      snapshot.security_group_rules.filter(one => one.security_group_id === port.security_groups[0]).length,
      4,
    )
    assert.equal(snapshot.networks.find(one => one.id === pub.network.id)!['provider:network_type'], 'vlan')
    await until('its own ports are up', async () => (await f.show('port', joined.json.port_id)).status === 'ACTIVE')
    await f.call('DELETE', `floatingips/${fip.id}`)
    await f.call('DELETE', `ports/${port.id}`)
    await f.call('PUT', `routers/${router.id}/remove_router_interface`, { subnet_id: subnet.id })
    await f.call('DELETE', `routers/${router.id}`)
    await f.call('DELETE', `networks/${network.id}`)
    await f.call('DELETE', `networks/${pub.network.id}`, undefined, admin)
    await until('nothing is left', () => {
      const now = f.backend.snapshot()!
      return [now.networks, now.subnets, now.ports, now.routers, now.floatingips].every(records => records.length === 0)
    })
    await f.close()
  })

  test('while it refuses, the API goes on; afterwards everything arrives', async () => {
    const f = await startNetwork()
    f.faults.refuse = 'the switch is on fire'
    const { network } = await f.inside('10.81.0.0/24')
    const port = await f.make('port', { network_id: network.id, 'binding:host_id': 'host1' }, admin)
    await until('it is known', async () => (await f.service.instance.health!()).problems.length > 0)
    assert.match((await f.service.instance.health!()).problems[0]!, /on fire/)
    assert.equal((await f.show('port', port.id, admin)).status, 'DOWN')
    f.faults.refuse = undefined
    await until('it is mended', async () => (await f.service.instance.health!()).problems.length === 0)
    await until('the port is up', async () => (await f.show('port', port.id, admin)).status === 'ACTIVE')
    await f.close()
  })
})
