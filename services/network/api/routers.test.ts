import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { idOf } from '@strata/toolkit/testing'
import { admin, type Fixture, other, startNetwork } from './fixture.test.ts'

describe('routers and floating IPs', () => {
  let f: Fixture
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API shows
  let pub: { network: any; subnet: any }
  before(async () => {
    f = await startNetwork()
    pub = await f.external('public', '172.24.4.0/24')
  })
  after(() => f.close())

  const join = (router: string, body: object, as?: string) =>
    f.call('PUT', `routers/${router}/add_router_interface`, body, as)
  const part = (router: string, body: object, as?: string) =>
    f.call('PUT', `routers/${router}/remove_router_interface`, body, as)

  test('a gateway takes an address of the external network', async () => {
    const router = await f.make('router', { external_gateway_info: { network_id: pub.network.id } })
    const { external_fixed_ips, ...info } = router.external_gateway_info
    assert.deepEqual(info, { network_id: pub.network.id, enable_snat: true })
    assert.equal(external_fixed_ips[0].subnet_id, pub.subnet.id)
    const ports = await f.call('GET', `ports?device_id=${router.id}`, undefined, admin)
    assert.equal(ports.json.ports[0].device_owner, 'network:router_gateway')
    // The gateway's port is not of the project.
    assert.equal((await f.call('GET', `ports?device_id=${router.id}`)).json.ports.length, 0)
    await f.refused(f.call('DELETE', `ports/${ports.json.ports[0].id}`, undefined, admin), 409, 'ServicePortInUse')
    const put = (info: unknown, as?: string) =>
      f.call('PUT', `routers/${router.id}`, { router: { external_gateway_info: info } }, as)
    await f.refused(put({ network_id: pub.network.id, enable_snat: false }), 403, 'PolicyNotAuthorized')
    const wished = {
      network_id: pub.network.id,
      enable_snat: false,
      external_fixed_ips: [{ ip_address: '172.24.4.200' }],
    }
    const changed = (await put(wished, admin)).json.router.external_gateway_info
    assert.deepEqual([changed.enable_snat, changed.external_fixed_ips[0].ip_address], [false, '172.24.4.200'])
    assert.equal((await put(null)).json.router.external_gateway_info, null)
    assert.equal((await f.call('GET', `ports?device_id=${router.id}`, undefined, admin)).json.ports.length, 0)
    const { network } = await f.inside('10.10.0.0/24')
    await f.refused(put({ network_id: network.id }), 400, 'BadRequest')
    await f.refused(put({ network_id: router.id }), 404, 'NetworkNotFound')
    await f.refused(put({ enable_snat: 'x' }), 400)
    assert.equal((await f.call('DELETE', `routers/${router.id}`)).status, 204)
  })

  test('interfaces by subnet and by port', async () => {
    const router = await f.make('router', { name: 'r' })
    const a = await f.inside('10.11.0.0/24')
    const b = await f.inside('10.12.0.0/24')
    const joined = (await join(router.id, { subnet_id: a.subnet.id })).json
    assert.deepEqual(
      [joined.id, joined.subnet_id, joined.subnet_ids, joined.network_id],
      [router.id, a.subnet.id, [a.subnet.id], a.network.id],
    )
    const port = await f.show('port', joined.port_id)
    assert.deepEqual(port.fixed_ips, [{ subnet_id: a.subnet.id, ip_address: '10.11.0.1' }])
    assert.deepEqual([port.device_owner, port.device_id], ['network:router_interface', router.id])
    const own = await f.make('port', { network_id: b.network.id, fixed_ips: [{ ip_address: '10.12.0.9' }] })
    assert.equal((await join(router.id, { port_id: own.id })).status, 200)
    await f.refused(join(router.id, { subnet_id: a.subnet.id }), 400, 'BadRequest')
    await f.refused(join(router.id, { port_id: own.id }), 409, 'PortInUse')
    const twin = await f.inside('10.11.0.0/25')
    assert.match(await f.refused(join(router.id, { subnet_id: twin.subnet.id }), 400), /overlaps/)
    await f.refused(join(router.id, {}), 400, 'BadRequest')
    await f.refused(join(router.id, { subnet_id: a.subnet.id, port_id: own.id }), 400, 'BadRequest')
    await f.refused(join(router.id, { subnet_id: 'x' }), 400)
    await f.refused(join(router.id, { subnet_id: router.id }), 404, 'SubnetNotFound')
    await f.refused(join(router.id, { subnet_id: a.subnet.id }, other), 404, 'RouterNotFound')
    await f.refused(f.call('DELETE', `routers/${router.id}`), 409, 'RouterInUse')
    await f.refused(f.call('DELETE', `subnets/${a.subnet.id}`), 409, 'SubnetInUse')
    await f.refused(f.call('DELETE', `ports/${own.id}`), 409, 'ServicePortInUse')
    await f.refused(
      f.call('PUT', `subnets/${a.subnet.id}`, {
        subnet: { gateway_ip: '10.11.0.254', allocation_pools: [{ start: '10.11.0.2', end: '10.11.0.9' }] },
      }),
      409,
      'GatewayIpInUse',
    )
    await f.refused(part(router.id, { subnet_id: twin.subnet.id }), 404, 'RouterInterfaceNotFoundForSubnet')
    await f.refused(part(router.id, { port_id: twin.network.id }), 404, 'RouterInterfaceNotFound')
    await f.refused(part(router.id, { port_id: own.id, subnet_id: a.subnet.id }), 400, 'SubnetMismatchForPort')
    assert.equal((await part(router.id, { subnet_id: a.subnet.id })).status, 200)
    assert.equal((await part(router.id, { port_id: own.id })).status, 200)
    await f.refused(f.call('GET', `ports/${own.id}`), 404, 'PortNotFound')
    assert.equal((await f.call('DELETE', `routers/${router.id}`)).status, 204)
  })

  test('a subnet without a gateway cannot be joined; IPv6 subnets of a network share a port', async () => {
    const router = await f.make('router', {})
    const net = await f.make('network', {})
    const none = await f.make('subnet', { network_id: net.id, ip_version: 4, cidr: '10.13.0.0/24', gateway_ip: null })
    await f.refused(join(router.id, { subnet_id: none.id }), 400, 'BadRequest')
    const six = (cidr: string) =>
      f.make('subnet', { network_id: net.id, ip_version: 6, cidr, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' })
    const [a, b] = [await six('2001:db8:a::/64'), await six('2001:db8:b::/64')]
    const first = (await join(router.id, { subnet_id: a.id })).json
    const second = (await join(router.id, { subnet_id: b.id })).json
    assert.equal(second.port_id, first.port_id)
    assert.equal((await f.show('port', first.port_id)).fixed_ips.length, 2)
    await part(router.id, { subnet_id: a.id })
    assert.deepEqual(
      (await f.show('port', first.port_id)).fixed_ips.map((ip: { subnet_id: string }) => ip.subnet_id),
      [b.id],
    )
  })

  test('static routes lead over neighbours', async () => {
    const router = await f.make('router', {})
    const { subnet } = await f.inside('10.14.0.0/24')
    await join(router.id, { subnet_id: subnet.id })
    const route = { destination: '10.200.0.0/16', nexthop: '10.14.0.9' }
    const put = (routes: unknown) => f.call('PUT', `routers/${router.id}`, { router: { routes } })
    assert.deepEqual((await put([route])).json.router.routes, [route])
    await f.refused(put([{ ...route, nexthop: '10.15.0.9' }]), 400, 'InvalidRoutes')
    await f.refused(put([{ ...route, nexthop: '10.14.0.1' }]), 400, 'InvalidRoutes')
    await f.refused(put([{ destination: 'x', nexthop: '10.14.0.9' }]), 400)
    await f.refused(part(router.id, { subnet_id: subnet.id }), 409, 'RouterInterfaceInUseByRoute')
    const more = { destination: '10.201.0.0/16', nexthop: '10.14.0.9' }
    const change = (verb: string, routes: unknown) =>
      f.call('PUT', `routers/${router.id}/${verb}_extraroutes`, { router: { routes } })
    assert.deepEqual((await change('add', [more])).json.router.routes, [route, more])
    assert.deepEqual((await change('remove', [route])).json.router.routes, [more])
  })

  test('a floating IP maps to a port that a router leads to', async () => {
    const { network, subnet } = await f.inside('10.16.0.0/24')
    const port = await f.make('port', { network_id: network.id })
    const wish = { floating_network_id: pub.network.id, port_id: port.id }
    await f.refused(f.call('POST', 'floatingips', { floatingip: wish }), 404, 'ExternalGatewayForFloatingIPNotFound')
    const router = await f.make('router', { external_gateway_info: { network_id: pub.network.id } })
    await join(router.id, { subnet_id: subnet.id })
    const fip = await f.make('floatingip', wish)
    assert.deepEqual(
      [fip.status, fip.fixed_ip_address, fip.port_id, fip.router_id, fip.port_details.network_id],
      ['ACTIVE', port.fixed_ips[0].ip_address, port.id, router.id, network.id],
    )
    await f.refused(f.call('POST', 'floatingips', { floatingip: wish }), 409, 'FloatingIPPortAlreadyAssociated')
    await f.refused(part(router.id, { subnet_id: subnet.id }), 409, 'RouterInterfaceInUseByFloatingIP')
    await f.refused(
      f.call('PUT', `routers/${router.id}`, { router: { external_gateway_info: null } }),
      409,
      'RouterExternalGatewayInUseByFloatingIp',
    )
    const put = (body: object, as?: string) => f.call('PUT', `floatingips/${fip.id}`, { floatingip: body }, as)
    const free = (await put({ port_id: null })).json.floatingip
    assert.deepEqual(
      [free.status, free.fixed_ip_address, free.router_id, free.port_details],
      ['DOWN', null, null, null],
    )
    assert.equal((await put({ port_id: port.id })).json.floatingip.status, 'ACTIVE')
    await f.refused(put({ port_id: port.id, fixed_ip_address: '10.16.0.99' }), 400, 'BadRequest')
    await f.refused(put({ port_id: null, fixed_ip_address: '10.16.0.3' }), 400, 'BadRequest')
    await f.refused(put({ port_id: router.id }), 404, 'PortNotFound')
    await f.refused(put({ port_id: port.id }, other), 404, 'FloatingIPNotFound')
    const foreign = await f.make('port', { network_id: port.network_id, project_id: idOf('beta') }, admin)
    await f.refused(put({ port_id: foreign.id }), 400, 'BadRequest')
    assert.equal((await f.call('DELETE', `ports/${port.id}`)).status, 204)
    const left = await f.show('floatingip', fip.id)
    assert.deepEqual([left.status, left.port_id], ['DOWN', null])
    // Its own port is nobody's to see but the admin's.
    const ports = (as?: string) => f.call('GET', `ports?device_id=${fip.id}`, undefined, as)
    assert.equal((await ports()).json.ports.length, 0)
    assert.equal((await ports(admin)).json.ports[0].status, 'N/A')
    assert.equal((await f.call('DELETE', `floatingips/${fip.id}`)).status, 204)
    assert.equal((await ports(admin)).json.ports.length, 0)
  })

  test('addresses of floating IPs', async () => {
    const make = (body: object, as?: string) =>
      f.call('POST', 'floatingips', { floatingip: { floating_network_id: pub.network.id, ...body } }, as)
    assert.equal((await make({ subnet_id: pub.subnet.id })).json.floatingip.port_id, null)
    await f.refused(make({ floating_ip_address: '172.24.4.99' }), 403, 'PolicyNotAuthorized')
    assert.equal(
      (await make({ floating_ip_address: '172.24.4.99' }, admin)).json.floatingip.floating_ip_address,
      '172.24.4.99',
    )
    await f.refused(make({ floating_ip_address: '172.24.4.99' }, admin), 409, 'IpAddressInUse')
    await f.refused(make({ floating_ip_address: '10.0.0.1' }, admin), 400, 'InvalidIpForNetwork')
    await f.refused(make({ subnet_id: pub.network.id }), 404, 'SubnetNotFound')
    await f.refused(make({ fixed_ip_address: '10.0.0.1' }), 400, 'BadRequest')
    await f.refused(make({ floating_network_id: 'x' }), 400)
    const { network } = await f.inside('10.17.0.0/24')
    await f.refused(make({ floating_network_id: network.id }), 400, 'BadRequest')
    await f.refused(make({ floating_network_id: pub.subnet.id }), 404, 'NetworkNotFound')
    const tiny = await f.external('tiny', '172.25.0.0/30')
    assert.equal((await make({ floating_network_id: tiny.network.id })).status, 201)
    await f.refused(make({ floating_network_id: tiny.network.id }), 400, 'ExternalIpAddressExhausted')
    await f.refused(
      f.call('PUT', `networks/${tiny.network.id}`, { network: { 'router:external': false } }, admin),
      409,
      'ExternalNetworkInUse',
    )
  })

  test('an external network takes its unmapped floating IPs with it, and stays for a mapped one', async () => {
    const outside = await f.external('outside', '172.29.0.0/24')
    const wish = { floating_network_id: outside.network.id }
    const [free, mapped] = [await f.make('floatingip', wish), await f.make('floatingip', wish)]
    const router = await f.make('router', { external_gateway_info: { network_id: outside.network.id } })
    const { network, subnet } = await f.inside('10.19.0.0/24')
    await f.call('PUT', `routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
    const port = await f.make('port', { network_id: network.id })
    const map = (port_id: string | null) =>
      f.call('PUT', `floatingips/${mapped.id}`, { floatingip: { port_id } }).then(answer => answer.status)
    assert.equal(await map(port.id), 200)
    const remove = () => f.call('DELETE', `networks/${outside.network.id}`, undefined, admin)
    await f.refused(remove(), 409, 'NetworkInUse')
    assert.equal((await f.show('floatingip', free.id)).id, free.id)
    assert.equal(await map(null), 200)
    assert.equal((await f.call('PUT', `routers/${router.id}`, { router: { external_gateway_info: null } })).status, 200)
    assert.equal((await remove()).status, 204)
    for (const { id } of [free, mapped]) {
      assert.equal((await f.call('GET', `floatingips/${id}`)).status, 404)
      assert.equal((await f.call('GET', `ports?device_id=${id}`, undefined, admin)).json.ports.length, 0)
    }
  })
})
