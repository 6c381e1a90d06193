import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { idOf, persona } from '@strata/toolkit/testing'
import { admin, type Fixture, other, startNetwork } from './fixture.test.ts'

describe('networks and subnets', () => {
  let f: Fixture
  before(async () => {
    f = await startNetwork()
  })
  after(() => f.close())

  test('a network of a project is an overlay with an id of its own, which only admins see', async () => {
    const one = await f.make('network', { name: 'one', description: 'first' })
    assert.deepEqual(
      [one.status, one.admin_state_up, one.shared, one['router:external'], one.mtu, one.subnets, one.tags],
      ['ACTIVE', true, false, false, 1442, [], []],
    )
    assert.equal(one.project_id, idOf('alpha'))
    assert.equal(one.tenant_id, idOf('alpha'))
    assert.match(one.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.equal('provider:network_type' in one, false)
    const [a, b] = [await f.show('network', one.id, admin), await f.make('network', {}, admin)]
    assert.deepEqual([a['provider:network_type'], a['provider:physical_network']], ['geneve', null])
    assert.notEqual(a['provider:segmentation_id'], b['provider:segmentation_id'])
  })

  test('provider networks take what they name, once', async () => {
    const flat = { 'provider:network_type': 'flat', 'provider:physical_network': 'public' }
    const made = await f.make('network', flat, admin)
    await f.refused(f.call('POST', 'networks', { network: flat }, admin), 409, 'FlatNetworkInUse')
    assert.equal((await f.call('DELETE', `networks/${made.id}`, undefined, admin)).status, 204)
    await f.make('network', flat, admin)
    const vlan = { 'provider:network_type': 'vlan', 'provider:physical_network': 'physnet1' }
    const tagged = { ...vlan, 'provider:segmentation_id': 7 }
    await f.make('network', tagged, admin)
    await f.refused(f.call('POST', 'networks', { network: tagged }, admin), 409, 'VlanIdInUse')
    const pool = []
    for (let i = 0; i < 3; i++) pool.push((await f.make('network', vlan, admin))['provider:segmentation_id'])
    assert.deepEqual(pool, [1000, 1001, 1002])
    await f.refused(f.call('POST', 'networks', { network: vlan }, admin), 400, 'InvalidInput')
    const geneve = { 'provider:network_type': 'geneve', 'provider:segmentation_id': 5000 }
    await f.make('network', geneve, admin)
    await f.refused(f.call('POST', 'networks', { network: geneve }, admin), 409, 'TunnelIdInUse')
    for (const bad of [
      { ...vlan, 'provider:segmentation_id': 4095 },
      { ...flat, 'provider:physical_network': 'nowhere' },
      { 'provider:network_type': 'flat' },
      { 'provider:segmentation_id': 5 },
      { 'provider:network_type': 'geneve', 'provider:physical_network': 'public' },
    ])
      await f.refused(f.call('POST', 'networks', { network: bad }, admin), 400)
    await f.refused(f.call('POST', 'networks', { network: flat }), 403, 'PolicyNotAuthorized')
  })

  test('update, filters, sorting, fields, pages', async () => {
    const as = persona({ project: 'lists' })
    const names = ['b', 'a', 'c']
    for (const name of names) await f.make('network', { name }, as)
    const names2 = async (query: string) =>
      (await f.call('GET', `networks?${query}`, undefined, as)).json.networks
        .filter((one: { project_id: string }) => one.project_id === idOf('lists'))
        .map((one: { name: string }) => one.name)
    const own = `project_id=${idOf('lists')}`
    assert.deepEqual(await names2(`${own}&sort_key=name&sort_dir=asc`), ['a', 'b', 'c'])
    assert.deepEqual(await names2(`tenant_id=${idOf('lists')}&name=a&name=c&sort_key=name`), ['a', 'c'])
    const { json } = await f.call('GET', `networks?${own}&limit=2&sort_key=name`, undefined, as)
    assert.equal(json.networks.length, 2)
    assert.match(json.networks_links[0].href, /marker=/)
    const id = json.networks[0].id
    const changed = await f.call('PUT', `networks/${id}`, { network: { name: 'z', admin_state_up: false } }, as)
    assert.deepEqual(
      [changed.json.network.name, changed.json.network.admin_state_up, changed.json.network.revision_number],
      ['z', false, 2],
    )
    assert.deepEqual(await names2(`${own}&admin_state_up=False`), ['z'])
    await f.refused(f.call('GET', 'networks?colour=red', undefined, as), 400, 'InvalidInput')
    const only = await f.call('GET', `networks/${id}?fields=name`, undefined, as)
    assert.deepEqual(Object.keys(only.json.network), ['name'])
  })

  test('shared and external networks are seen by all, others by their project alone', async () => {
    const mine = await f.make('network', {})
    const shared = await f.make('network', { shared: true }, admin)
    const external = await f.make('network', { 'router:external': true }, admin)
    await f.refused(f.call('GET', `networks/${mine.id}`, undefined, other), 404, 'NetworkNotFound')
    for (const verb of ['PUT', 'DELETE'])
      await f.refused(
        f.call(verb, `networks/${mine.id}`, verb === 'PUT' ? { network: { name: 'x' } } : undefined, other),
        404,
      )
    for (const { id } of [shared, external]) {
      assert.equal((await f.show('network', id, other)).id, id)
      await f.refused(f.call('DELETE', `networks/${id}`, undefined, other), 403, 'PolicyNotAuthorized')
    }
    for (const field of ['shared', 'router:external', 'is_default'])
      await f.refused(f.call('POST', 'networks', { network: { [field]: true } }), 403, 'PolicyNotAuthorized')
  })

  test('subnets are found by whether their network is shared', async () => {
    const { network, subnet } = await f.inside('10.78.0.0/24', admin)
    const found = async (shared: string) =>
      (await f.call('GET', `subnets?shared=${shared}`, undefined, admin)).json.subnets.some(
        (one: { id: string }) => one.id === subnet.id,
      )
    assert.deepEqual([await found('True'), await found('false')], [false, true])
    await f.call('PUT', `networks/${network.id}`, { network: { shared: true } }, admin)
    assert.deepEqual([await found('True'), await found('false')], [true, false])
  })

  test('subnets of an external network are seen by its project, unless it is shared', async () => {
    const { network, subnet } = await f.external('seen', '10.77.0.0/24')
    const listed = async (as: typeof other) =>
      (await f.call('GET', `subnets?network_id=${network.id}`, undefined, as)).json.subnets.map(
        (one: { id: string }) => one.id,
      )
    assert.deepEqual(await listed(admin), [subnet.id])
    assert.deepEqual(await listed(other), [])
    await f.refused(f.call('GET', `subnets/${subnet.id}`, undefined, other), 404, 'SubnetNotFound')
    assert.equal((await f.call('PUT', `networks/${network.id}`, { network: { shared: true } }, admin)).status, 200)
    assert.deepEqual(await listed(other), [subnet.id])
  })

  test('a bad body is refused by the name of its field', async () => {
    const { network } = await f.inside('10.3.0.0/24')
    const networks = {
      name: [5, null, 'x'.repeat(256)],
      admin_state_up: ['yes', 1],
      shared: ['true'],
      mtu: ['1400', 10, 70000],
      port_security_enabled: [0],
      availability_zone_hints: ['nova', [1]],
      'provider:network_type': ['token-ring'],
      'provider:segmentation_id': ['x', 0],
      description: [{}],
      status: ['DOWN'],
      nonsense: [1],
    }
    for (const [field, values] of Object.entries(networks))
      for (const value of values) {
        const message = await f.refused(f.call('POST', 'networks', { network: { [field]: value } }, admin), 400)
        assert.match(message, new RegExp(field), `${field}: ${JSON.stringify(value)}`)
      }
    const base = { network_id: network.id, ip_version: 4, cidr: '10.9.0.0/24' }
    const subnets = {
      network_id: ['x', 1],
      ip_version: ['4', 5, 6],
      cidr: ['10.0.0.0', '10.0.0.0/33', 7, 'fe80::/64'],
      gateway_ip: ['10.9.0', 5, 'x'],
      enable_dhcp: ['no'],
      allocation_pools: ['x', [{ start: '10.9.0.2' }], [{ start: 'a', end: 'b' }]],
      dns_nameservers: ['8.8.8.8', ['dns'], [1]],
      host_routes: [[{ destination: '10.0.0.0/8' }], [{ destination: 'x', nexthop: '10.9.0.9' }]],
      ipv6_ra_mode: ['always', 'slaac'],
      ipv6_address_mode: ['slaac'],
    }
    for (const [field, values] of Object.entries(subnets))
      for (const value of values) {
        const message = await f.refused(f.call('POST', 'subnets', { subnet: { ...base, [field]: value } }), 400)
        assert.match(message, new RegExp(field), `${field}: ${JSON.stringify(value)}`)
      }
    for (const body of [{}, { network: null }, { network: [] }, [], { network: 'x' }])
      await f.refused(f.call('POST', 'networks', body), 400)
  })

  test('subnets: defaults, gateways, pools', async () => {
    const net = await f.make('network', {})
    const subnet = (body: object) =>
      f.call('POST', 'subnets', { subnet: { network_id: net.id, ip_version: 4, ...body } })
    const first = (await subnet({ cidr: '10.20.0.5/24' })).json.subnet
    assert.deepEqual(
      [first.cidr, first.gateway_ip, first.allocation_pools, first.enable_dhcp],
      ['10.20.0.0/24', '10.20.0.1', [{ start: '10.20.0.2', end: '10.20.0.254' }], true],
    )
    await f.refused(subnet({ cidr: '10.20.0.128/25' }), 400, 'InvalidInput')
    const none = (await subnet({ cidr: '10.21.0.0/24', gateway_ip: null })).json.subnet
    assert.deepEqual([none.gateway_ip, none.allocation_pools[0].start], [null, '10.21.0.1'])
    const middle = (await subnet({ cidr: '10.22.0.0/29', gateway_ip: '10.22.0.3' })).json.subnet
    assert.deepEqual(middle.allocation_pools, [
      { start: '10.22.0.1', end: '10.22.0.2' },
      { start: '10.22.0.4', end: '10.22.0.6' },
    ])
    const pools = (...pairs: string[]) => ({
      cidr: '10.23.0.0/24',
      allocation_pools: pairs.map(pair => ({ start: pair.split('-')[0], end: pair.split('-')[1] })),
    })
    await f.refused(subnet(pools('10.23.0.9-10.23.0.5')), 400, 'InvalidAllocationPool')
    await f.refused(subnet(pools('10.23.0.9-10.23.1.5')), 400, 'OutOfBoundsAllocationPool')
    await f.refused(subnet(pools('10.23.0.2-10.23.0.9', '10.23.0.8-10.23.0.20')), 409, 'OverlappingAllocationPools')
    await f.refused(subnet(pools('10.23.0.1-10.23.0.9')), 409, 'GatewayConflictWithAllocationPools')
    await f.refused(subnet({ cidr: '10.24.0.0/24', gateway_ip: '10.25.0.1' }), 400, 'InvalidInput')
    await f.refused(subnet({ cidr: '10.24.0.0/24', gateway_ip: '10.24.0.255' }), 400, 'InvalidInput')
    await f.refused(subnet({ cidr: '10.24.0.0/31' }), 400, 'InvalidInput')
    await f.refused(subnet({ cidr: '224.0.0.0/24' }), 400, 'InvalidInput')
    assert.deepEqual((await f.show('network', net.id)).subnets, [first.id, none.id, middle.id])
    const update = await f.call('PUT', `subnets/${first.id}`, {
      subnet: {
        dns_nameservers: ['9.9.9.9'],
        name: 'n',
        host_routes: [{ destination: '10.99.0.0/16', nexthop: '10.20.0.9' }],
      },
    })
    assert.deepEqual(update.json.subnet.dns_nameservers, ['9.9.9.9'])
    assert.equal((await f.call('PUT', `subnets/${first.id}`, { subnet: { cidr: '10.1.0.0/24' } })).status, 400)
    await f.refused(
      f.call('POST', 'subnets', { subnet: { network_id: net.id, ip_version: 4, cidr: '10.30.0.0/24' } }, other),
      404,
      'NetworkNotFound',
    )
  })

  test('IPv6 modes are checked', async () => {
    const net = await f.make('network', {})
    const subnet = (body: object) =>
      f.call('POST', 'subnets', { subnet: { network_id: net.id, ip_version: 6, cidr: '2001:db8:1::/64', ...body } })
    await f.refused(subnet({ ipv6_ra_mode: 'slaac', ipv6_address_mode: 'dhcpv6-stateful' }), 400)
    await f.refused(subnet({ ipv6_ra_mode: 'slaac', cidr: '2001:db8:1::/80' }), 400)
    await f.refused(subnet({ ipv6_ra_mode: 'slaac', enable_dhcp: false }), 400)
    const made = (await subnet({ ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' })).json.subnet
    assert.deepEqual([made.gateway_ip, made.ip_version], ['2001:db8:1::1', 6])
    const port = await f.make('port', { network_id: net.id, mac_address: 'fa:16:3e:01:02:03' })
    assert.deepEqual(port.fixed_ips, [{ subnet_id: made.id, ip_address: '2001:db8:1:0:f816:3eff:fe01:203' }])
    const late = (await subnet({ cidr: '2001:db8:2::/64', ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' })).json
      .subnet
    assert.equal((await f.show('port', port.id)).fixed_ips[1].ip_address, '2001:db8:2:0:f816:3eff:fe01:203')
    assert.equal((await f.call('DELETE', `subnets/${late.id}`)).status, 204)
    // A subnet whose addresses guests make for themselves goes although they have them.
    assert.equal((await f.call('DELETE', `subnets/${made.id}`)).status, 204)
    assert.deepEqual((await f.show('port', port.id)).fixed_ips, [])
  })

  test('what is in use stays', async () => {
    const { network, subnet } = await f.inside('10.40.0.0/24')
    const port = await f.make('port', { network_id: network.id })
    const message = await f.refused(f.call('DELETE', `networks/${network.id}`), 409, 'NetworkInUse')
    assert.ok(message.includes(port.id))
    await f.refused(f.call('DELETE', `subnets/${subnet.id}`), 409, 'SubnetInUse')
    assert.equal((await f.call('DELETE', `ports/${port.id}`)).status, 204)
    assert.equal((await f.call('DELETE', `networks/${network.id}`)).status, 204)
    await f.refused(f.call('GET', `subnets/${subnet.id}`), 404, 'SubnetNotFound')
  })

  test('the metadata port follows the subnets that have DHCP', async () => {
    const net = await f.make('network', {})
    const ports = async () =>
      (await f.call('GET', `ports?network_id=${net.id}&device_owner=network:distributed`)).json.ports
    assert.equal((await ports()).length, 0)
    const a = await f.make('subnet', { network_id: net.id, ip_version: 4, cidr: '10.50.0.0/24' })
    const b = await f.make('subnet', { network_id: net.id, ip_version: 4, cidr: '10.51.0.0/24' })
    const [port] = await ports()
    assert.equal(port.device_id, `ovnmeta-${net.id}`)
    assert.deepEqual(port.fixed_ips.map((ip: { ip_address: string }) => ip.ip_address).sort(), [
      '10.50.0.2',
      '10.51.0.2',
    ])
    await f.refused(f.call('DELETE', `ports/${port.id}`), 409, 'ServicePortInUse')
    await f.call('PUT', `subnets/${a.id}`, { subnet: { enable_dhcp: false } })
    assert.deepEqual((await ports())[0].fixed_ips, [{ subnet_id: b.id, ip_address: '10.51.0.2' }])
    assert.equal((await f.call('DELETE', `subnets/${b.id}`)).status, 204)
    assert.equal((await ports()).length, 0)
  })

  test('several at once, all or none', async () => {
    const as = persona({ project: 'bulk' })
    const made = await f.call('POST', 'networks', { networks: [{ name: 'x' }, { name: 'y' }] }, as)
    assert.equal(made.json.networks.length, 2)
    assert.equal((await f.call('POST', 'networks', { networks: [{ name: 'z' }, { mtu: 65000 }] }, as)).status, 400)
    assert.equal((await f.call('GET', 'networks?name=z', undefined, as)).json.networks.length, 0)
  })

  test('tags', async () => {
    const as = persona({ project: 'tags' })
    const [a, b] = [await f.make('network', { name: 'a' }, as), await f.make('network', { name: 'b' }, as)]
    const tags = (id: string) => `networks/${id}/tags`
    assert.deepEqual((await f.call('PUT', tags(a.id), { tags: ['red', 'blue'] }, as)).json, { tags: ['blue', 'red'] })
    assert.equal((await f.call('PUT', `${tags(b.id)}/red`, undefined, as)).status, 201)
    assert.deepEqual((await f.show('network', a.id, as)).tags, ['blue', 'red'])
    const found = async (query: string) =>
      (
        await f.call('GET', `networks?project_id=${idOf('tags')}&${query}&sort_key=name`, undefined, as)
      ).json.networks.map((one: { name: string }) => one.name)
    assert.deepEqual(await found('tags=red'), ['a', 'b'])
    assert.deepEqual(await found('tags=red,blue'), ['a'])
    assert.deepEqual(await found('tags-any=blue,green'), ['a'])
    assert.deepEqual(await found('not-tags=red,blue'), ['b'])
    assert.deepEqual(await found('not-tags-any=blue'), ['b'])
    assert.equal((await f.call('GET', `${tags(a.id)}/red`, undefined, as)).status, 204)
    await f.refused(f.call('GET', `${tags(a.id)}/green`, undefined, as), 404, 'TagNotFound')
    assert.equal((await f.call('DELETE', `${tags(a.id)}/red`, undefined, as)).status, 204)
    assert.equal((await f.call('DELETE', tags(a.id), undefined, as)).status, 204)
    assert.deepEqual((await f.call('GET', tags(a.id), undefined, as)).json, { tags: [] })
    await f.refused(f.call('PUT', tags(a.id), { tags: ['x'.repeat(256)] }, as), 400)
    await f.refused(f.call('PUT', tags(a.id), { tags: ['x'] }, other), 404)
  })

  test('what the service is', async () => {
    const root = await f.service.request('GET', '/', { as: '' })
    assert.equal(root.json.versions[0].id, 'v2.0')
    const { json } = await f.call('GET', 'extensions')
    for (const { alias } of json.extensions)
      assert.equal((await f.call('GET', `extensions/${alias}`)).json.extension.alias, alias)
    assert.equal((await f.call('GET', 'extensions/trunk')).status, 404)
    assert.equal((await f.call('GET', '')).json.resources.length, 8)
  })
})
