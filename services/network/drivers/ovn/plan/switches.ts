/** Networks as logical switches, and their ports: guests', the metadata localport, the link to the physical network. */

import { named, type Row } from '@strata/toolkit/ovsdb'
import {
  FLOATING_IP_OWNER,
  METADATA_PORT_OWNER,
  type NetworkRecord,
  type PortRecord,
  ROUTER_GATEWAY_OWNER,
  ROUTER_INTERFACE_OWNER,
} from '../../../logic/ports.ts'
import { portDhcp } from './dhcp.ts'
import { addressesWithPrefix, type PlannedRow, planned, routerPortName, switchName, type View } from './rows.ts'

export const switchPortKey = (portId: string): string => `lsp:${portId}`
const localnetKey = (networkId: string): string => `localnet:${networkId}`

export function isRouterPort(port: PortRecord): boolean {
  return port.device_owner === ROUTER_INTERFACE_OWNER || port.device_owner === ROUTER_GATEWAY_OWNER
}

/** Ports that become logical switch ports: all but reservations, and router ports only with their router. */
export function isPlugged(view: View, port: PortRecord): boolean {
  if (port.device_owner === FLOATING_IP_OWNER) return false
  return !isRouterPort(port) || view.routers.has(port.device_id)
}

/** Is the port a guest's, held to its addresses and by security groups? */
export function isSecured(port: PortRecord): boolean {
  return port.port_security_enabled && !port.device_owner.startsWith('network:')
}

function ownAddresses(port: PortRecord): string {
  return [port.mac_address, ...port.fixed_ips.map(({ ip_address }) => ip_address)].join(' ')
}

/** One entry for each MAC the guest may send from, with the addresses it may use. */
function portSecurity(port: PortRecord): string[] {
  const addresses = new Map([[port.mac_address, port.fixed_ips.map(({ ip_address }) => ip_address)]])
  for (const { mac_address = port.mac_address, ip_address } of port.allowed_address_pairs) {
    const known = addresses.get(mac_address)
    if (known === undefined) addresses.set(mac_address, [ip_address])
    else if (!known.includes(ip_address)) known.push(ip_address)
  }
  return [...addresses].map(([mac, ips]) => [mac, ...ips].join(' '))
}

function routerPeer(port: PortRecord): Row {
  const gateway = port.device_owner === ROUTER_GATEWAY_OWNER
  return {
    type: 'router',
    addresses: ['router'],
    port_security: [],
    options: { 'router-port': routerPortName(port.id), ...(gateway ? { 'nat-addresses': 'router' } : {}) },
    dhcpv4_options: null,
    dhcpv6_options: null,
  }
}

function guestPort(view: View, port: PortRecord): { columns: Row; extra: PlannedRow[] } {
  const secured = isSecured(port)
  const isMetadata = port.device_owner === METADATA_PORT_OWNER
  const [v4, v6] = isMetadata ? [] : [portDhcp(view, port, 4), portDhcp(view, port, 6)]
  const host = port['binding:host_id']
  const columns = {
    type: isMetadata ? 'localport' : '',
    addresses: secured || isMetadata ? [ownAddresses(port)] : [ownAddresses(port), 'unknown'],
    port_security: secured ? portSecurity(port) : [],
    options: (host === '' || isMetadata ? {} : { 'requested-chassis': host }) as Record<string, string>,
    dhcpv4_options: v4 === undefined ? null : named(v4.key),
    dhcpv6_options: v6 === undefined ? null : named(v6.key),
  }
  return { columns, extra: [v4?.row, v6?.row].filter(row => row !== undefined) }
}

function planPort(view: View, network: NetworkRecord, port: PortRecord): PlannedRow[] {
  const { columns, extra } = isRouterPort(port) ? { columns: routerPeer(port), extra: [] } : guestPort(view, port)
  const enabled = network.admin_state_up && port.admin_state_up
  const row = planned(
    'Logical_Switch_Port',
    switchPortKey(port.id),
    { name: port.id, enabled, ...columns },
    {
      'neutron:network_name': switchName(network.id),
      'neutron:port_name': port.name ?? '',
      'neutron:device_id': port.device_id,
      'neutron:device_owner': port.device_owner,
      'neutron:project_id': port.project_id,
      'neutron:cidrs': addressesWithPrefix(view, port.fixed_ips).join(' '),
      'neutron:mtu': String(network.mtu),
    },
  )
  return [...extra, row]
}

function planLocalnet(network: NetworkRecord): PlannedRow[] {
  const physical = network['provider:physical_network']
  if (physical === null) return []
  const tag = network['provider:network_type'] === 'vlan' ? network['provider:segmentation_id'] : null
  const columns = { name: `provnet-${network.id}`, type: 'localnet', addresses: ['unknown'], tag }
  return [planned('Logical_Switch_Port', localnetKey(network.id), { ...columns, options: { network_name: physical } })]
}

function planSwitch(view: View, network: NetworkRecord): PlannedRow[] {
  const ports = (view.portsOfNetwork.get(network.id) ?? []).filter(port => isPlugged(view, port))
  const localnet = planLocalnet(network)
  const members = [...localnet.map(({ key }) => key), ...ports.map(({ id }) => switchPortKey(id))]
  const row = planned(
    'Logical_Switch',
    `ls:${network.id}`,
    {
      name: switchName(network.id),
      ports: members.map(named),
      // Unknown destinations of a provider network are the physical switch's business, not every chassis'.
      other_config: { mcast_snoop: 'false', mcast_flood_unregistered: 'false', 'vlan-passthru': 'false' },
    },
    { 'neutron:network_name': network.name, 'neutron:mtu': String(network.mtu) },
  )
  return [...localnet, ...ports.flatMap(port => planPort(view, network, port)), row]
}

export function planSwitches(view: View): PlannedRow[] {
  return view.snapshot.networks.flatMap(network => planSwitch(view, network))
}
