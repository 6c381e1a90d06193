/** Routers: their ports, routes, source NAT, floating IPs, and the chassis that carry their gateways. */

import { createHash } from 'node:crypto'
import { named } from '@strata/toolkit/ovsdb'
import {
  type PortRecord,
  ROUTER_GATEWAY_OWNER,
  ROUTER_INTERFACE_OWNER,
  type RouterRecord,
  type SubnetRecord,
} from '../../../logic/ports.ts'
import {
  addressesWithPrefix,
  isIpv6,
  type PlannedRow,
  planned,
  routerName,
  routerPortName,
  switchName,
  type View,
} from './rows.ts'

/** More stand-ins than this for one gateway help nobody; OVN probes each of them. */
const MAX_GATEWAY_CHASSIS = 5

const RA_MODES = {
  slaac: 'slaac',
  'dhcpv6-stateful': 'dhcpv6_stateful',
  'dhcpv6-stateless': 'dhcpv6_stateless',
} as const

function subnetsOf(view: View, port: PortRecord): SubnetRecord[] {
  return port.fixed_ips.flatMap(({ subnet_id }) => view.subnets.get(subnet_id) ?? [])
}

function routerAdvertisement(view: View, port: PortRecord): Record<string, string> {
  const subnet = subnetsOf(view, port).find(({ ip_version, ipv6_ra_mode }) => ip_version === 6 && ipv6_ra_mode !== null)
  if (subnet?.ipv6_ra_mode === undefined || subnet.ipv6_ra_mode === null) return {}
  const [resolver] = subnet.dns_nameservers.filter(isIpv6)
  return {
    address_mode: RA_MODES[subnet.ipv6_ra_mode],
    send_periodic: 'true',
    mtu: String(view.networks.get(port.network_id)!.mtu),
    ...(resolver === undefined ? {} : { rdnss: resolver }),
  }
}

/**
 * The chassis for a router's gateway, best first. Every router starts at another place of the same ring, so that
 * gateways spread, and a chassis that comes or goes moves few of them.
 */
function gatewayChassis(view: View, routerId: string, port: PortRecord): PlannedRow[] {
  const physical = view.networks.get(port.network_id)?.['provider:physical_network']
  const rank = (chassis: string): string => createHash('sha256').update(`${routerId} ${chassis}`).digest('hex')
  const chosen = view.options.gatewayCandidates
    .filter(
      ({ physicalNetworks }) => physical === null || physical === undefined || physicalNetworks.includes(physical),
    )
    .map(({ chassis }) => ({ chassis, rank: rank(chassis) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, MAX_GATEWAY_CHASSIS)
  return chosen.map(({ chassis }, index) => {
    const name = `${routerPortName(port.id)}_${chassis}`
    const columns = { name, chassis_name: chassis, priority: chosen.length - index }
    return planned('Gateway_Chassis', `gwc:${name}`, columns)
  })
}

function planRouterPort(view: View, router: RouterRecord, port: PortRecord): PlannedRow[] {
  const networks = addressesWithPrefix(view, port.fixed_ips)
  if (networks.length === 0 || !view.networks.has(port.network_id)) return []
  const chassis = port.device_owner === ROUTER_GATEWAY_OWNER ? gatewayChassis(view, router.id, port) : []
  const row = planned(
    'Logical_Router_Port',
    `lrp:${port.id}`,
    {
      name: routerPortName(port.id),
      mac: port.mac_address,
      networks,
      enabled: port.admin_state_up,
      gateway_chassis: chassis.map(({ key }) => named(key)),
      ipv6_ra_configs: routerAdvertisement(view, port),
    },
    {
      'neutron:network_name': switchName(port.network_id),
      'neutron:router_name': routerName(router.id),
      'neutron:subnet_ids': port.fixed_ips.map(({ subnet_id }) => subnet_id).join(' '),
    },
  )
  return [...chassis, row]
}

function planRoutes(view: View, router: RouterRecord, gateway: PortRecord | undefined): PlannedRow[] {
  const route = (destination: string, nexthop: string, outputPort: string | null, external: boolean): PlannedRow =>
    planned(
      'Logical_Router_Static_Route',
      `route:${router.id}:${destination}:${nexthop}`,
      { ip_prefix: destination, nexthop, output_port: outputPort },
      external ? { 'neutron:is_ext_gw': 'true' } : {},
    )
  const defaults =
    gateway === undefined
      ? []
      : subnetsOf(view, gateway).flatMap(({ gateway_ip, ip_version }) =>
          gateway_ip === null
            ? []
            : [route(ip_version === 4 ? '0.0.0.0/0' : '::/0', gateway_ip, routerPortName(gateway.id), true)],
        )
  const own = router.routes.map(({ destination, nexthop }) => route(destination, nexthop, null, false))
  return [...new Map([...defaults, ...own].map(row => [row.key, row])).values()]
}

function planSnat(
  view: View,
  router: RouterRecord,
  gateway: PortRecord,
  interfaces: readonly PortRecord[],
): PlannedRow[] {
  const external = gateway.fixed_ips.find(({ ip_address }) => !isIpv6(ip_address))?.ip_address
  if (external === undefined || router.external_gateway_info?.enable_snat !== true) return []
  const inside = new Map(interfaces.flatMap(port => subnetsOf(view, port)).map(subnet => [subnet.id, subnet]))
  return [...inside.values()]
    .filter(({ ip_version }) => ip_version === 4)
    .map(({ id, cidr }) =>
      planned('NAT', `snat:${router.id}:${id}`, { type: 'snat', external_ip: external, logical_ip: cidr }),
    )
}

function planFloatingIps(view: View, router: RouterRecord, gateway: PortRecord): PlannedRow[] {
  return view.snapshot.floatingips.flatMap(fip => {
    const { fixed_ip_address, port_id, router_id, floating_network_id } = fip
    if (router_id !== router.id || fixed_ip_address === null || port_id === null) return []
    if (floating_network_id !== gateway.network_id || !view.ports.has(port_id)) return []
    return planned(
      'NAT',
      `fip:${fip.id}`,
      { type: 'dnat_and_snat', external_ip: fip.floating_ip_address, logical_ip: fixed_ip_address },
      {
        'neutron:fip_id': fip.id,
        'neutron:fip_port_id': port_id,
        'neutron:fip_network_id': floating_network_id,
        'neutron:router_name': routerName(router.id),
      },
    )
  })
}

function planRouter(view: View, router: RouterRecord): PlannedRow[] {
  const ports = view.portsOfDevice.get(router.id) ?? []
  const interfaces = ports.filter(({ device_owner }) => device_owner === ROUTER_INTERFACE_OWNER)
  const gateways = ports.filter(({ device_owner }) => device_owner === ROUTER_GATEWAY_OWNER)
  const portRows = [...interfaces, ...gateways].flatMap(port => planRouterPort(view, router, port))
  const present = new Set(portRows.map(({ key }) => key))
  const gateway = gateways.find(({ id }) => present.has(`lrp:${id}`))
  const routes = planRoutes(view, router, gateway)
  const nat =
    gateway === undefined
      ? []
      : [...planSnat(view, router, gateway, interfaces), ...planFloatingIps(view, router, gateway)]
  const refs = (rows: readonly PlannedRow[]) => rows.map(({ key }) => named(key))
  const row = planned(
    'Logical_Router',
    `lr:${router.id}`,
    {
      name: routerName(router.id),
      enabled: router.admin_state_up,
      ports: refs(portRows.filter(({ table }) => table === 'Logical_Router_Port')),
      static_routes: refs(routes),
      nat: refs(nat),
      options: { always_learn_from_arp_request: 'false', dynamic_neigh_routers: 'true' },
    },
    { 'neutron:router_name': router.name },
  )
  return [...portRows, ...routes, ...nat, row]
}

export function planRouters(view: View): PlannedRow[] {
  return view.snapshot.routers.flatMap(router => planRouter(view, router))
}
