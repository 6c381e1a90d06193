/** Small makers of API records for this driver's tests. Ids are UUIDs that stay the same for a name. */

import { createHash } from 'node:crypto'
import type {
  FloatingIpRecord,
  NetworkRecord,
  NetworkSnapshot,
  PortRecord,
  RouterRecord,
  SecurityGroupRuleRecord,
  SubnetRecord,
} from '../../logic/ports.ts'

const PROJECT = 'b3a1c2d4e5f60718293a4b5c6d7e8f90'

export function id(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export function mac(name: string): string {
  return `fa:16:3e:${createHash('sha256').update(name).digest('hex').slice(0, 6).match(/../g)!.join(':')}`
}

export function network(name: string, more: Partial<NetworkRecord> = {}): NetworkRecord {
  return {
    id: id(name),
    project_id: PROJECT,
    name,
    mtu: 1442,
    admin_state_up: true,
    'router:external': false,
    'provider:network_type': 'geneve',
    'provider:physical_network': null,
    'provider:segmentation_id': 1,
    ...more,
  }
}

export function subnet(
  name: string,
  networkName: string,
  cidr: string,
  more: Partial<SubnetRecord> = {},
): SubnetRecord {
  const version = cidr.includes(':') ? 6 : 4
  return {
    id: id(name),
    network_id: id(networkName),
    cidr,
    ip_version: version,
    gateway_ip: cidr.replace(version === 6 ? /::\/.*/ : /0\/.*/, version === 6 ? '::1' : '1'),
    enable_dhcp: true,
    dns_nameservers: [],
    host_routes: [],
    ipv6_ra_mode: null,
    ipv6_address_mode: null,
    ...more,
  }
}

/** `addresses` are pairs of a subnet's name and an address in it. */
export function port(
  name: string,
  networkName: string,
  addresses: readonly (readonly [string, string])[],
  more: Partial<PortRecord> = {},
): PortRecord {
  return {
    id: id(name),
    network_id: id(networkName),
    project_id: PROJECT,
    name,
    mac_address: mac(name),
    fixed_ips: addresses.map(([subnetName, ip_address]) => ({ subnet_id: id(subnetName), ip_address })),
    admin_state_up: true,
    security_groups: [],
    port_security_enabled: true,
    allowed_address_pairs: [],
    device_owner: 'compute:nova',
    device_id: id(`device of ${name}`),
    'binding:host_id': '',
    extra_dhcp_opts: [],
    ...more,
  }
}

export function router(name: string, more: Partial<RouterRecord> = {}): RouterRecord {
  return {
    id: id(name),
    project_id: PROJECT,
    name,
    admin_state_up: true,
    external_gateway_info: null,
    routes: [],
    ...more,
  }
}

export function rule(group: string, more: Partial<SecurityGroupRuleRecord>): SecurityGroupRuleRecord {
  return {
    id: id(`${group} ${JSON.stringify(more)}`),
    security_group_id: id(group),
    direction: 'ingress',
    ethertype: 'IPv4',
    protocol: null,
    port_range_min: null,
    port_range_max: null,
    remote_group_id: null,
    remote_ip_prefix: null,
    ...more,
  }
}

export function floatingIp(address: string, more: Partial<FloatingIpRecord>): FloatingIpRecord {
  return {
    id: id(address),
    project_id: PROJECT,
    floating_network_id: id('public'),
    floating_ip_address: address,
    fixed_ip_address: null,
    port_id: null,
    router_id: null,
    ...more,
  }
}

/**
 * Networks `red` (10.61.0.0/24, routed to `public`) and `blue` (10.62.0.0/24, alone), guests r1, r2 and b1, a floating IP
 * for r1. Group `web` lets in ICMP and, from its members, TCP 8080; `default` lets everything out and nothing in.
 * `external` is the prefix of the external network, such as `172.31.77`.
 */
export function smallCloud(external: string): NetworkSnapshot {
  const gatewayIps = [['public-v4', `${external}.10`]] as const
  const groups = { security_groups: [id('default'), id('web')] }
  const metadata = (networkName: string, subnetName: string, address: string): PortRecord =>
    port(`metadata of ${networkName}`, networkName, [[subnetName, address]], {
      device_owner: 'network:distributed',
      device_id: `ovnmeta-${id(networkName)}`,
      port_security_enabled: false,
    })
  return {
    networks: [
      network('red'),
      network('blue'),
      network('public', {
        mtu: 1500,
        'router:external': true,
        'provider:network_type': 'flat',
        'provider:physical_network': 'public',
        'provider:segmentation_id': null,
      }),
    ],
    subnets: [
      subnet('red-v4', 'red', '10.61.0.0/24', { dns_nameservers: ['10.61.0.1'] }),
      subnet('red-v6', 'red', 'fd61::/64', { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' }),
      subnet('blue-v4', 'blue', '10.62.0.0/24'),
      subnet('public-v4', 'public', `${external}.0/24`, { enable_dhcp: false }),
    ],
    ports: [
      port('r1', 'red', [['red-v4', '10.61.0.11']], groups),
      port('r2', 'red', [['red-v4', '10.61.0.12']], groups),
      port('b1', 'blue', [['blue-v4', '10.62.0.11']], { security_groups: [id('default')] }),
      metadata('red', 'red-v4', '10.61.0.2'),
      metadata('blue', 'blue-v4', '10.62.0.2'),
      port('r0-red', 'red', [['red-v4', '10.61.0.1']], {
        device_owner: 'network:router_interface',
        device_id: id('r0'),
      }),
      port('r0-red6', 'red', [['red-v6', 'fd61::1']], {
        device_owner: 'network:router_interface',
        device_id: id('r0'),
      }),
      port('r0-public', 'public', gatewayIps, { device_owner: 'network:router_gateway', device_id: id('r0') }),
    ],
    routers: [
      router('r0', {
        external_gateway_info: {
          network_id: id('public'),
          enable_snat: true,
          external_fixed_ips: gatewayIps.map(([name, ip_address]) => ({ subnet_id: id(name), ip_address })),
        },
      }),
    ],
    floatingips: [
      floatingIp(`${external}.50`, { fixed_ip_address: '10.61.0.11', port_id: id('r1'), router_id: id('r0') }),
    ],
    security_groups: ['default', 'web'].map(name => ({ id: id(name), project_id: PROJECT, name })),
    security_group_rules: [
      rule('default', { direction: 'egress' }),
      rule('default', { direction: 'egress', ethertype: 'IPv6' }),
      rule('web', { protocol: 'icmp' }),
      rule('web', { protocol: 'tcp', port_range_min: 8080, port_range_max: 8080, remote_group_id: id('web') }),
    ],
  }
}
