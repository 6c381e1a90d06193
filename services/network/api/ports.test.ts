import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { idOf, persona, until } from '@strata/toolkit/testing'
import { PORT_TOPIC, type PortEvent } from '../contract/events.ts'
import { admin, type Fixture, other, startNetwork } from './fixture.test.ts'

const service = persona({ roles: ['service'], project: 'service' })

describe('ports', () => {
  let f: Fixture
  before(async () => {
    f = await startNetwork()
  })
  after(() => f.close())

  test('a port gets a MAC, an address, and the default security group of its project', async () => {
    const { network, subnet } = await f.inside('10.60.0.0/24')
    const port = await f.make('port', { network_id: network.id, name: 'p' })
    assert.match(port.mac_address, /^fa:16:3e:/)
    assert.deepEqual(port.fixed_ips, [{ subnet_id: subnet.id, ip_address: '10.60.0.3' }])
    assert.deepEqual(
      [port.status, port.device_id, port.device_owner, port.admin_state_up, port.port_security_enabled],
      ['DOWN', '', '', true, true],
    )
    const [group] = port.security_groups
    assert.equal((await f.show('security_group', group)).name, 'default')
    assert.equal('binding:host_id' in port, false)
    assert.equal(port['binding:vnic_type'], 'normal')
    const seen = await f.show('port', port.id, admin)
    assert.deepEqual([seen['binding:vif_type'], seen['binding:host_id']], ['unbound', ''])
  })

  test('wished addresses', async () => {
    const { network, subnet } = await f.inside('10.61.0.0/24')
    const six = await f.make('subnet', { network_id: network.id, ip_version: 6, cidr: '2001:db8:61::/64' })
    const port = (fixed_ips: unknown) => f.call('POST', 'ports', { port: { network_id: network.id, fixed_ips } })
    const ips = async (fixed_ips: unknown) =>
      (await port(fixed_ips)).json.port.fixed_ips.map((ip: { ip_address: string }) => ip.ip_address)
    assert.deepEqual(await ips(undefined), ['10.61.0.3', '2001:db8:61::3'])
    assert.deepEqual(await ips([{ subnet_id: subnet.id }]), ['10.61.0.4'])
    assert.deepEqual(await ips([{ ip_address: '10.61.0.77' }]), ['10.61.0.77'])
    assert.deepEqual(await ips([{ ip_address: '2001:DB8:61::00FF', subnet_id: six.id }]), ['2001:db8:61::ff'])
    assert.deepEqual(await ips([{ subnet_id: subnet.id }, { subnet_id: subnet.id }]), ['10.61.0.5', '10.61.0.6'])
    assert.deepEqual(await ips([]), [])
    await f.refused(port([{ ip_address: '10.61.0.77' }]), 409, 'IpAddressInUse')
    await f.refused(port([{ ip_address: '10.62.0.7' }]), 400, 'InvalidIpForNetwork')
    await f.refused(port([{ ip_address: '10.61.0.255' }]), 400, 'InvalidIpForSubnet')
    await f.refused(port([{ ip_address: '10.62.0.7', subnet_id: subnet.id }]), 400, 'InvalidIpForSubnet')
    await f.refused(port([{ subnet_id: network.id }]), 400, 'InvalidInput')
    await f.refused(port([{}]), 400, 'InvalidInput')
  })

  test('a subnet that is full has no more addresses', async () => {
    const { network } = await f.inside('10.63.0.0/29')
    for (let i = 0; i < 4; i++) await f.make('port', { network_id: network.id })
    await f.refused(f.call('POST', 'ports', { port: { network_id: network.id } }), 409, 'IpAddressGenerationFailure')
  })

  test('a hundred at once get a hundred addresses and MACs', async () => {
    const as = persona({ project: 'crowd' })
    const { network } = await f.inside('10.64.0.0/24', as)
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => f.call('POST', 'ports', { port: { network_id: network.id } }, as)),
    )
    assert.ok(answers.every(answer => answer.status === 201))
    const distinct = (pick: (port: { mac_address: string; fixed_ips: { ip_address: string }[] }) => string) =>
      new Set(answers.map(answer => pick(answer.json.port))).size
    assert.equal(
      distinct(port => port.mac_address),
      100,
    )
    assert.equal(
      distinct(port => port.fixed_ips[0]!.ip_address),
      100,
    )
  })

  test('MACs', async () => {
    const { network } = await f.inside('10.65.0.0/24')
    const port = await f.make('port', { network_id: network.id, mac_address: 'FA:16:3E:00:00:01' })
    assert.equal(port.mac_address, 'fa:16:3e:00:00:01')
    const again = { network_id: network.id, mac_address: 'fa:16:3e:00:00:01' }
    await f.refused(f.call('POST', 'ports', { port: again }), 409, 'MacAddressInUse')
    for (const mac of ['x', '00:00:00:00:00:00', '01:00:5e:00:00:01', 5])
      await f.refused(f.call('POST', 'ports', { port: { network_id: network.id, mac_address: mac } }), 400)
    await f.refused(f.call('PUT', `ports/${port.id}`, { port: { mac_address: 'fa:16:3e:00:00:02' } }), 403)
    const fresh = await f.call('PUT', `ports/${port.id}`, { port: { mac_address: null } }, admin)
    assert.notEqual(fresh.json.port.mac_address, port.mac_address)
  })

  test('changing addresses keeps those that are kept', async () => {
    const { network, subnet } = await f.inside('10.66.0.0/24')
    const port = await f.make('port', { network_id: network.id })
    const put = (fixed_ips: unknown) => f.call('PUT', `ports/${port.id}`, { port: { fixed_ips } })
    const both = [{ subnet_id: subnet.id, ip_address: '10.66.0.3' }, { ip_address: '10.66.0.99' }]
    assert.deepEqual(
      (await put(both)).json.port.fixed_ips.map((ip: { ip_address: string }) => ip.ip_address),
      ['10.66.0.3', '10.66.0.99'],
    )
    assert.deepEqual((await put([{ subnet_id: subnet.id }])).json.port.fixed_ips, [
      { subnet_id: subnet.id, ip_address: '10.66.0.3' },
    ])
    assert.deepEqual((await put([])).json.port.fixed_ips, [])
    await f.refused(put([{ ip_address: '10.66.0.2' }]), 409, 'IpAddressInUse')
  })

  test('security: groups, port security, address pairs', async () => {
    const { network } = await f.inside('10.67.0.0/24')
    const group = await f.make('security_group', { name: 'g' })
    const make = (body: object) => f.call('POST', 'ports', { port: { network_id: network.id, ...body } })
    const port = (await make({ security_groups: [group.id] })).json.port
    assert.deepEqual(port.security_groups, [group.id])
    await f.refused(f.call('DELETE', `security-groups/${group.id}`), 409, 'SecurityGroupInUse')
    await f.refused(make({ security_groups: [network.id] }), 404, 'SecurityGroupNotFound')
    const theirs = await f.make('security_group', { name: 'theirs' }, other)
    await f.refused(make({ security_groups: [theirs.id] }), 404, 'SecurityGroupNotFound')
    await f.refused(
      make({ port_security_enabled: false, security_groups: [group.id] }),
      400,
      'PortSecurityAndIPRequiredForSecurityGroups',
    )
    const pair = { ip_address: '10.67.0.0/28' }
    await f.refused(
      make({ port_security_enabled: false, allowed_address_pairs: [pair] }),
      409,
      'AddressPairAndPortSecurityRequired',
    )
    await f.refused(make({ allowed_address_pairs: [pair, pair] }), 400, 'DuplicateAddressPairInRequest')
    const paired = (await make({ allowed_address_pairs: [pair] })).json.port
    assert.deepEqual(paired.allowed_address_pairs, [{ ...pair, mac_address: paired.mac_address }])
    const put = (body: object) => f.call('PUT', `ports/${port.id}`, { port: body })
    await f.refused(put({ port_security_enabled: false }), 409, 'PortSecurityPortHasSecurityGroup')
    const open = await put({ port_security_enabled: false, security_groups: [] })
    assert.deepEqual([open.json.port.port_security_enabled, open.json.port.security_groups], [false, []])
  })

  test('DHCP options change one by one', async () => {
    const { network } = await f.inside('10.68.0.0/24')
    const options = [
      { opt_name: 'mtu', opt_value: '1400' },
      { opt_name: 'tftp-server', opt_value: '10.68.0.9', ip_version: 4 },
    ]
    const port = await f.make('port', { network_id: network.id, extra_dhcp_opts: options })
    const { json } = await f.call('PUT', `ports/${port.id}`, {
      port: { extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: null }] },
    })
    assert.deepEqual(json.port.extra_dhcp_opts, [options[1]])
  })

  test('filters', async () => {
    const { network, subnet } = await f.inside('10.69.0.0/24')
    const a = await f.make('port', { network_id: network.id, device_id: 'd1' })
    await f.make('port', { network_id: network.id })
    const found = async (query: string) =>
      (await f.call('GET', `ports?network_id=${network.id}&${query}`)).json.ports.map((p: { id: string }) => p.id)
    assert.deepEqual(await found('device_id=d1'), [a.id])
    assert.deepEqual(await found(`fixed_ips=ip_address%3D10.69.0.3`), [a.id])
    assert.deepEqual(await found(`fixed_ips=ip_address_substr%3D69.0.3`), [a.id])
    assert.equal((await found(`fixed_ips=subnet_id%3D${subnet.id}`)).length, 3)
    assert.equal((await found(`security_groups=${a.security_groups[0]}`)).length, 2)
    assert.equal((await found('status=ACTIVE&device_owner=')).length, 0)
    await f.refused(f.call('GET', 'ports?fixed_ips=nonsense'), 400, 'InvalidInput')
  })

  test('on a network of others: on a shared one a port, without choice of address; on others nothing', async () => {
    const { network } = await f.inside('10.70.0.0/24')
    const make = (body: object, as = other) =>
      f.call('POST', 'ports', { port: { network_id: network.id, ...body } }, as)
    await f.refused(make({}), 404, 'NetworkNotFound')
    await f.call('PUT', `networks/${network.id}`, { network: { shared: true } }, admin)
    const theirs = await make({})
    assert.equal(theirs.status, 201, theirs.text)
    for (const field of [
      { mac_address: 'fa:16:3e:00:00:09' },
      { fixed_ips: [{ ip_address: '10.70.0.50' }] },
      { port_security_enabled: false },
      { allowed_address_pairs: [{ ip_address: '10.70.0.9' }] },
      { device_owner: 'network:dhcp' },
      { 'binding:host_id': 'host1' },
      { 'binding:profile': { a: 1 } },
    ])
      await f.refused(make(field), 403, 'PolicyNotAuthorized')
    // The network's owner sees what is plugged in; others don't see each other.
    assert.equal((await f.show('port', theirs.json.port.id)).id, theirs.json.port.id)
    await f.refused(f.call('GET', `ports/${theirs.json.port.id}`, undefined, persona({ project: 'gamma' })), 404)
    await f.refused(
      f.call('PUT', `networks/${network.id}`, { network: { shared: false } }, admin),
      409,
      'InvalidSharedSetting',
    )
    const external = await f.external('ext', '172.30.0.0/24')
    await f.refused(f.call('POST', 'ports', { port: { network_id: external.network.id } }), 403, 'PolicyNotAuthorized')
  })

  test('a service makes, binds and unbinds the port of a guest, and hears when it is up', async () => {
    const heard: PortEvent[] = []
    const stop = f.service.environment.bus.subscribe(PORT_TOPIC, event => void heard.push(event as PortEvent))
    const { network } = await f.inside('10.71.0.0/24')
    const port = await f.make(
      'port',
      { network_id: network.id, project_id: idOf('alpha'), device_id: 'vm', device_owner: 'compute:nova' },
      service,
    )
    const put = (body: object) => f.call('PUT', `ports/${port.id}`, { port: body }, service)
    const bound = (await put({ 'binding:host_id': 'host1', 'binding:profile': { os_vif_delegation: true } })).json.port
    assert.deepEqual([bound['binding:vif_type'], bound['binding:vif_details'].bridge_name], ['ovs', 'br-int'])
    assert.deepEqual(bound['binding:profile'], { os_vif_delegation: true })
    await until('the port is up', async () => (await f.show('port', port.id)).status === 'ACTIVE')
    await until('the bus told', () =>
      heard.some(e => e.port_id === port.id && e.status === 'ACTIVE' && e.host === 'host1'),
    )
    await f.refused(put({ mac_address: null }), 409, 'PortBound')
    const moved = (await put({ 'binding:host_id': 'host2' })).json.port
    assert.equal(moved.status, 'DOWN')
    await until('it is up again', async () => (await f.show('port', port.id)).status === 'ACTIVE')
    const free = (await put({ 'binding:host_id': null, 'binding:profile': {}, device_id: '', device_owner: '' })).json
      .port
    assert.deepEqual([free['binding:vif_type'], free.status], ['unbound', 'DOWN'])
    stop()
  })

  test('a bad body is refused by the name of its field', async () => {
    const { network } = await f.inside('10.72.0.0/24')
    const wrong = {
      network_id: [5, 'x', null],
      name: [1],
      admin_state_up: ['up'],
      mac_address: ['fa:16', 7],
      fixed_ips: ['10.0.0.1', [{ ip: '10.0.0.1' }], [{ ip_address: 'x' }], [7]],
      security_groups: ['x', [1], ['not-a-uuid']],
      port_security_enabled: ['on'],
      allowed_address_pairs: [{}, [{ mac_address: 'fa:16:3e:00:00:01' }], [{ ip_address: 'x' }]],
      extra_dhcp_opts: ['x', [{ opt_value: '1' }], [{ opt_name: 'a b', opt_value: '1' }]],
      device_id: [1, 'x'.repeat(256)],
      'binding:vnic_type': ['fancy'],
      'binding:profile': ['x'],
      status: ['ACTIVE'],
    }
    for (const [field, values] of Object.entries(wrong))
      for (const value of values) {
        const body = { port: { network_id: network.id, [field]: value } }
        const message = await f.refused(f.call('POST', 'ports', body, admin), 400)
        assert.match(message, new RegExp(field), `${field}: ${JSON.stringify(value)}`)
      }
    await f.refused(f.call('POST', 'ports', { port: {} }), 400)
  })
})
