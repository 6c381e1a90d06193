import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNamed } from '@strata/toolkit/ovsdb'
import { EMPTY_SNAPSHOT, type NetworkSnapshot } from '../../../logic/ports.ts'
import { floatingIp, id, mac, network, port, router, rule, smallCloud, subnet } from '../fixtures.ts'
import { ruleMatch } from './acls.ts'
import { type PlannedRow, plan } from './index.ts'

const OPTIONS = {
  dnsServers: ['9.9.9.9', '2620:fe::fe'],
  gatewayCandidates: [
    { chassis: 'host1', physicalNetworks: ['public'] },
    { chassis: 'host2', physicalNetworks: ['other'] },
  ],
}

const rowsOf = (snapshot: Partial<NetworkSnapshot>): ReadonlyMap<string, PlannedRow> =>
  new Map(plan({ ...EMPTY_SNAPSHOT, ...snapshot }, OPTIONS).map(row => [row.key, row]))
const columns = (rows: ReadonlyMap<string, PlannedRow>, key: string): PlannedRow['columns'] => {
  const row = rows.get(key)
  assert.ok(row !== undefined, `no row ${key} among ${[...rows.keys()].join(' ')}`)
  return row.columns
}
const red = { networks: [network('red')], subnets: [subnet('red-v4', 'red', '10.61.0.0/24')] }

test('keys are unique, and every reference is to a row of the plan', () => {
  const rows = plan(smallCloud('203.0.113'), OPTIONS)
  const keys = new Set(rows.map(({ key }) => key))
  assert.equal(keys.size, rows.length)
  for (const row of rows) {
    assert.equal((row.columns['external_ids'] as Record<string, string>)['strata:id'], row.key)
    for (const value of Object.values(row.columns).flat())
      if (isNamed(value)) assert.ok(keys.has(value.namedUuid), `${row.key} refers to ${value.namedUuid}`)
  }
})

test('DHCP tells MTU, resolvers, host routes, the way to metadata and the default route twice', () => {
  const metadata = port('m', 'red', [['red-v4', '10.61.0.2']], { device_owner: 'network:distributed' })
  const subnets = [
    subnet('red-v4', 'red', '10.61.0.0/24', { host_routes: [{ destination: '10.9.0.0/16', nexthop: '10.61.0.7' }] }),
  ]
  const { options, cidr } = columns(rowsOf({ ...red, subnets, ports: [metadata] }), `dhcp:${id('red-v4')}`)
  const { server_mac, ...rest } = options as Record<string, string>
  assert.match(server_mac!, /^fa:16:3e(:[0-9a-f]{2}){3}$/)
  assert.equal(cidr, '10.61.0.0/24')
  assert.deepEqual(rest, {
    server_id: '10.61.0.1',
    lease_time: '43200',
    mtu: '1442',
    router: '10.61.0.1',
    dns_server: '{9.9.9.9}',
    classless_static_route: '{10.9.0.0/16,10.61.0.7, 169.254.169.254/32,10.61.0.2, 0.0.0.0/0,10.61.0.1}',
  })
})

test('a port with DHCP options of its own has a row of its own, or none when it switched DHCP off', () => {
  const own = port('p', 'red', [['red-v4', '10.61.0.5']], {
    extra_dhcp_opts: [
      { opt_name: 'bootfile-name', opt_value: 'a"b' },
      { opt_name: 'mtu', opt_value: '1300' },
      { opt_name: 'nobody-knows', opt_value: 'x' },
      { opt_name: 'ntp-server', opt_value: '10.0.0.1); output; (' },
      { opt_name: 'dns-server', opt_value: '{10.0.0.1, 10.0.0.2}' },
    ],
  })
  const off = port('q', 'red', [['red-v4', '10.61.0.6']], {
    extra_dhcp_opts: [{ opt_name: 'dhcp_disabled', opt_value: 'true' }],
  })
  const rows = rowsOf({ ...red, ports: [own, off] })
  const options = columns(rows, `dhcp:${id('red-v4')}:${id('p')}`)['options'] as Record<string, string>
  assert.deepEqual([options['bootfile_name'], options['mtu'], options['nobody-knows']], ['"a\\"b"', '1300', undefined])
  assert.deepEqual([options['ntp_server'], options['dns_server']], [undefined, '{10.0.0.1, 10.0.0.2}'])
  assert.equal(columns(rows, `lsp:${id('q')}`)['dhcpv4_options'], null)
})

test('IPv6: router advertisements by mode, DHCPv6 rows for all but SLAAC', () => {
  for (const [mode, word, stateless] of [
    ['slaac', 'slaac', undefined],
    ['dhcpv6-stateful', 'dhcpv6_stateful', undefined],
    ['dhcpv6-stateless', 'dhcpv6_stateless', 'true'],
  ] as const) {
    const subnets = [subnet('red-v6', 'red', 'fd61::/64', { ipv6_ra_mode: mode, ipv6_address_mode: mode })]
    const gateway = port('gw', 'red', [['red-v6', 'fd61::1']], {
      device_owner: 'network:router_interface',
      device_id: id('r'),
    })
    const rows = rowsOf({ ...red, subnets, ports: [gateway], routers: [router('r')] })
    const lrp = columns(rows, `lrp:${id('gw')}`)
    assert.deepEqual(lrp['ipv6_ra_configs'], { address_mode: word, send_periodic: 'true', mtu: '1442' })
    assert.deepEqual(lrp['networks'], ['fd61::1/64'])
    const dhcp = rows.get(`dhcp:${id('red-v6')}`)?.columns['options'] as Record<string, string> | undefined
    assert.equal(dhcp === undefined, mode === 'slaac')
    assert.equal(dhcp?.['dhcpv6_stateless'], stateless)
  }
})

test('port security holds a guest to its addresses and pairs; without it anything may pass', () => {
  const secured = port('p', 'red', [['red-v4', '10.61.0.5']], {
    allowed_address_pairs: [
      { ip_address: '10.61.0.100' },
      { ip_address: '10.61.1.0/24', mac_address: '00:00:5e:00:01:01' },
    ],
    'binding:host_id': 'host1',
  })
  const open = port('q', 'red', [['red-v4', '10.61.0.6']], { port_security_enabled: false, admin_state_up: false })
  const rows = rowsOf({ ...red, ports: [secured, open] })
  const p = columns(rows, `lsp:${id('p')}`)
  assert.deepEqual(p['port_security'], [`${mac('p')} 10.61.0.5 10.61.0.100`, '00:00:5e:00:01:01 10.61.1.0/24'])
  assert.deepEqual(p['options'], { 'requested-chassis': 'host1' })
  const q = columns(rows, `lsp:${id('q')}`)
  assert.deepEqual(
    [q['addresses'], q['port_security'], q['enabled']],
    [[`${mac('q')} 10.61.0.6`, 'unknown'], [], false],
  )
  assert.deepEqual(columns(rows, 'pg:drop')['ports'], [{ namedUuid: `lsp:${id('p')}` }])
})

test('an external VLAN network has a tagged localnet port, a gateway only where its wire is', () => {
  const cloud = smallCloud('203.0.113')
  const networks = cloud.networks.map(item =>
    item.name === 'public'
      ? { ...item, 'provider:network_type': 'vlan' as const, 'provider:segmentation_id': 7 }
      : item,
  )
  const rows = rowsOf({ ...cloud, networks })
  const localnet = columns(rows, `localnet:${id('public')}`)
  assert.deepEqual([localnet['tag'], localnet['options']], [7, { network_name: 'public' }])
  const chassis = [...rows.values()].filter(({ table }) => table === 'Gateway_Chassis')
  assert.deepEqual(
    chassis.map(row => [row.columns['chassis_name'], row.columns['priority']]),
    [['host1', 1]],
  )
})

test('routers: default and own routes, source NAT unless switched off, floating IPs that are bound', () => {
  const cloud = smallCloud('203.0.113')
  const routes = [{ destination: '10.8.0.0/16', nexthop: '10.61.0.9' }]
  const unbound = floatingIp('203.0.113.51', {})
  const withRoutes = {
    ...cloud,
    routers: cloud.routers.map(r => ({ ...r, routes })),
    floatingips: [...cloud.floatingips, unbound],
  }
  const rows = rowsOf(withRoutes)
  const nat = [...rows.values()]
    .filter(({ table }) => table === 'NAT')
    .map(({ columns: c }) => [c['type'], c['external_ip'], c['logical_ip']])
  assert.deepEqual(nat, [
    ['snat', '203.0.113.10', '10.61.0.0/24'],
    ['dnat_and_snat', '203.0.113.50', '10.61.0.11'],
  ])
  const gatewayPort = `lrp-${id('r0-public')}`
  const planned = [...rows.values()].filter(({ table }) => table === 'Logical_Router_Static_Route')
  assert.deepEqual(
    planned.map(({ columns: c }) => [c['ip_prefix'], c['nexthop'], c['output_port']]),
    [
      ['0.0.0.0/0', '203.0.113.1', gatewayPort],
      ['10.8.0.0/16', '10.61.0.9', null],
    ],
  )
  const noSnat = cloud.routers.map(r => ({
    ...r,
    external_gateway_info: { ...r.external_gateway_info!, enable_snat: false },
  }))
  const quiet = [...rowsOf({ ...cloud, routers: noSnat }).values()].filter(({ table }) => table === 'NAT')
  assert.deepEqual(
    quiet.map(({ columns: c }) => c['type']),
    ['dnat_and_snat'],
  )
})

test('rules as matches', () => {
  const groups = new Set([id('g'), id('other')])
  const match = (more: Parameters<typeof rule>[1]) => ruleMatch(rule('g', more), groups)
  const [pg, other] = ['g', 'other'].map(name => `pg_${id(name).replaceAll('-', '_')}`)
  assert.equal(match({}), `outport == @${pg} && ip4`)
  assert.equal(match({ direction: 'egress', ethertype: 'IPv6' }), `inport == @${pg} && ip6`)
  assert.equal(
    match({ protocol: 'tcp', port_range_min: 80, port_range_max: 90, remote_ip_prefix: '10.0.0.0/8' }),
    `outport == @${pg} && ip4 && ip4.src == 10.0.0.0/8 && tcp && tcp.dst >= 80 && tcp.dst <= 90`,
  )
  assert.equal(
    match({ protocol: '17', port_range_min: 53, port_range_max: 53 }),
    `outport == @${pg} && ip4 && udp && udp.dst == 53`,
  )
  assert.equal(
    match({ protocol: 'icmp', port_range_min: 8, port_range_max: 0 }),
    `outport == @${pg} && ip4 && icmp4 && icmp4.type == 8 && icmp4.code == 0`,
  )
  assert.equal(match({ protocol: 'ipv6-icmp', ethertype: 'IPv6' }), `outport == @${pg} && ip6 && icmp6`)
  assert.equal(match({ protocol: 'vrrp' }), `outport == @${pg} && ip4 && ip.proto == 112`)
  assert.equal(match({ remote_group_id: id('other') }), `outport == @${pg} && ip4 && ip4.src == $${other}_ip4`)
  assert.equal(match({ direction: 'egress', remote_ip_prefix: '0.0.0.0/0' }), `inport == @${pg} && ip4`)
})

test('what is not an address, a known protocol or a present group opens nothing', () => {
  const groups = new Set([id('g')])
  for (const more of [
    { remote_ip_prefix: '10.0.0.0/8 || ip4' },
    { remote_ip_prefix: 'fd00::/8' },
    { remote_ip_prefix: '10.0.0.0/8}' },
    { remote_group_id: id('absent') },
    { protocol: 'tcp || 1' },
  ])
    assert.equal(ruleMatch(rule('g', more), groups), undefined, JSON.stringify(more))
})
