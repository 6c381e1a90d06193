import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { idOf, persona, startService, type TestService, until } from '@strata/toolkit/testing'
import { createSimulatedNetwork } from './drivers/simulated/backend.ts'
import { network } from './service.ts'

const admin = persona({ roles: ['admin'], project: 'admin' })

describe('network service', () => {
  let service: TestService
  before(async () => {
    service = await startService(network, { backend: createSimulatedNetwork({ hosts: ['host1', 'host2'] }) })
  })
  after(() => service.close())

  const call = (method: string, path: string, body?: unknown, as?: string) =>
    service.request(method, `/v2.0/${path}`, { body, as })
  const make = async (kind: string, body: object, as?: string) => {
    const answer = await call('POST', `${kind.replaceAll('_', '-')}s`, { [kind]: body }, as)
    assert.equal(answer.status, 201, answer.text)
    return answer.json[kind]
  }

  test('the way of a guest: network, subnet, port, router, floating IP', async () => {
    const pub = await make(
      'network',
      {
        name: 'public',
        'router:external': true,
        'provider:network_type': 'flat',
        'provider:physical_network': 'public',
      },
      admin,
    )
    const pubnet = await make(
      'subnet',
      {
        network_id: pub.id,
        ip_version: 4,
        cidr: '172.24.4.0/24',
        enable_dhcp: false,
        allocation_pools: [{ start: '172.24.4.10', end: '172.24.4.250' }],
      },
      admin,
    )
    assert.equal(pubnet.gateway_ip, '172.24.4.1')
    const net = await make('network', { name: 'private' })
    const sub = await make('subnet', { network_id: net.id, ip_version: 4, cidr: '10.1.0.0/24' })
    const router = await make('router', { name: 'r', external_gateway_info: { network_id: pub.id } })
    assert.equal(router.external_gateway_info.external_fixed_ips[0].ip_address, '172.24.4.10')
    const joined = await call('PUT', `routers/${router.id}/add_router_interface`, { subnet_id: sub.id })
    assert.equal(joined.status, 200, joined.text)
    const port = await make('port', { network_id: net.id })
    assert.deepEqual(port.fixed_ips, [{ subnet_id: sub.id, ip_address: '10.1.0.3' }])
    assert.equal(port.security_groups.length, 1)
    const fip = await make('floatingip', { floating_network_id: pub.id, port_id: port.id })
    assert.equal(fip.status, 'ACTIVE')
    assert.equal(fip.fixed_ip_address, '10.1.0.3')
    assert.equal(fip.router_id, router.id)
    const bound = await call('PUT', `ports/${port.id}`, { port: { 'binding:host_id': 'host1' } }, admin)
    assert.equal(bound.json.port['binding:vif_type'], 'ovs', bound.text)
    await until('the port is up', async () => (await call('GET', `ports/${port.id}`)).json.port.status === 'ACTIVE')
    assert.equal(idOf('alpha'), port.project_id)
  })
})
