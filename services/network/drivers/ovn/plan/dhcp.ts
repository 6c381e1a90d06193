/**
 * DHCP as OVN serves it itself: one `DHCP_Options` row for each subnet with DHCP, and one more for each port that has
 * options of its own. Option values are text of OVN's expression language: lists in braces, strings in quotes.
 */

import { createHash } from 'node:crypto'
import { METADATA_IPV4, METADATA_PORT_OWNER, type PortRecord, type SubnetRecord } from '../../../logic/ports.ts'
import { isIpv6, type PlannedRow, planned, type View } from './rows.ts'

const LEASE_SECONDS = '43200'

/** API name or number of a DHCP option, and its name in OVN; `text` values are quoted. */
const OPTIONS_V4: Readonly<Record<string, { readonly name: string; readonly text?: true }>> = {
  mtu: { name: 'mtu' },
  '26': { name: 'mtu' },
  router: { name: 'router' },
  '3': { name: 'router' },
  netmask: { name: 'netmask' },
  'dns-server': { name: 'dns_server' },
  '6': { name: 'dns_server' },
  'ntp-server': { name: 'ntp_server' },
  '42': { name: 'ntp_server' },
  'lease-time': { name: 'lease_time' },
  'domain-name': { name: 'domain_name', text: true },
  '15': { name: 'domain_name', text: true },
  'domain-search': { name: 'domain_search_list', text: true },
  '119': { name: 'domain_search_list', text: true },
  'bootfile-name': { name: 'bootfile_name', text: true },
  '67': { name: 'bootfile_name', text: true },
  'tftp-server': { name: 'tftp_server', text: true },
  '66': { name: 'tftp_server', text: true },
  'server-ip-address': { name: 'tftp_server_address' },
  '150': { name: 'tftp_server_address' },
  'path-prefix': { name: 'path_prefix', text: true },
  '210': { name: 'path_prefix', text: true },
  wpad: { name: 'wpad', text: true },
  '252': { name: 'wpad', text: true },
}
const OPTIONS_V6: typeof OPTIONS_V4 = {
  'dns-server': { name: 'dns_server' },
  '23': { name: 'dns_server' },
  'domain-search': { name: 'domain_search', text: true },
  '24': { name: 'domain_search', text: true },
  'bootfile-name': { name: 'bootfile_name', text: true },
  '59': { name: 'bootfile_name', text: true },
}

export const subnetOptionsKey = (subnetId: string): string => `dhcp:${subnetId}`
const portOptionsKey = (portId: string, subnetId: string): string => `dhcp:${subnetId}:${portId}`

/** A locally administered MAC that is the same at each planning: OVN answers as DHCP server with it. */
function serverMac(subnetId: string): string {
  const digest = createHash('sha256').update(subnetId).digest('hex')
  return `fa:16:3e:${digest.slice(0, 2)}:${digest.slice(2, 4)}:${digest.slice(4, 6)}`
}

function metadataAddress(view: View, subnet: SubnetRecord): string | undefined {
  const port = view.portsOfNetwork
    .get(subnet.network_id)
    ?.find(({ device_owner }) => device_owner === METADATA_PORT_OWNER)
  return port?.fixed_ips.find(({ subnet_id }) => subnet_id === subnet.id)?.ip_address
}

/**
 * Numbers, addresses and lists of them. Values become a part of OVN's flows as they are, so what a user typed must not
 * be able to end the option and begin something else.
 */
const PLAIN_VALUE = /^\{?[0-9A-Fa-f.:,/ ]+\}?$/

function list(items: readonly string[]): string {
  return `{${items.filter(item => PLAIN_VALUE.test(item)).join(', ')}}`
}

function resolvers(view: View, subnet: SubnetRecord): readonly string[] {
  const own = subnet.dns_nameservers
  const wanted = own.length > 0 ? own : view.options.dnsServers
  return wanted.filter(address => isIpv6(address) === (subnet.ip_version === 6))
}

/** Undefined when the subnet has neither a gateway nor a metadata port: DHCP needs an address to answer from. */
function optionsV4(view: View, subnet: SubnetRecord): Record<string, string> | undefined {
  const metadata = metadataAddress(view, subnet)
  const server = subnet.gateway_ip ?? metadata
  if (server === undefined) return undefined
  const routes = subnet.host_routes.map(({ destination, nexthop }) => `${destination},${nexthop}`)
  if (metadata !== undefined) routes.push(`${METADATA_IPV4}/32,${metadata}`)
  // A guest that takes classless routes ignores the router option (RFC 3442), so the default route is told twice.
  if (routes.length > 0 && subnet.gateway_ip !== null) routes.push(`0.0.0.0/0,${subnet.gateway_ip}`)
  const dns = resolvers(view, subnet)
  return {
    server_id: server,
    server_mac: serverMac(subnet.id),
    lease_time: LEASE_SECONDS,
    mtu: String(view.networks.get(subnet.network_id)!.mtu),
    ...(subnet.gateway_ip === null ? {} : { router: subnet.gateway_ip }),
    ...(dns.length === 0 ? {} : { dns_server: list(dns) }),
    ...(routes.length === 0 ? {} : { classless_static_route: list(routes) }),
  }
}

/** Undefined when guests of the subnet make their addresses themselves. */
function optionsV6(view: View, subnet: SubnetRecord): Record<string, string> | undefined {
  const mode = subnet.ipv6_address_mode
  if (mode !== 'dhcpv6-stateful' && mode !== 'dhcpv6-stateless') return undefined
  const dns = resolvers(view, subnet)
  return {
    server_id: serverMac(subnet.id),
    ...(mode === 'dhcpv6-stateless' ? { dhcpv6_stateless: 'true' } : {}),
    ...(dns.length === 0 ? {} : { dns_server: list(dns) }),
  }
}

function subnetOptions(view: View, subnet: SubnetRecord): Record<string, string> | undefined {
  if (!subnet.enable_dhcp || !view.networks.has(subnet.network_id)) return undefined
  return subnet.ip_version === 4 ? optionsV4(view, subnet) : optionsV6(view, subnet)
}

/** Options of the port's own for one IP version; undefined when it switched DHCP off. What is unknown or malformed is left out. */
function portOptions(port: PortRecord, version: 4 | 6): Record<string, string> | undefined {
  const known = version === 4 ? OPTIONS_V4 : OPTIONS_V6
  const own: Record<string, string> = {}
  for (const { opt_name, opt_value, ip_version = 4 } of port.extra_dhcp_opts) {
    if (ip_version !== version) continue
    if (opt_name === 'dhcp_disabled' && opt_value.toLowerCase() === 'true') return undefined
    const option = known[opt_name]
    if (option === undefined) continue
    if (option.text === true) own[option.name] = JSON.stringify(opt_value)
    else if (PLAIN_VALUE.test(opt_value)) own[option.name] = opt_value
  }
  return own
}

/** The key of the DHCP_Options row that serves a port in one IP version, with the row itself when it is the port's own. */
export function portDhcp(view: View, port: PortRecord, version: 4 | 6): { key: string; row?: PlannedRow } | undefined {
  const own = portOptions(port, version)
  if (own === undefined) return undefined
  for (const { subnet_id } of port.fixed_ips) {
    const subnet = view.subnets.get(subnet_id)
    if (subnet?.ip_version !== version) continue
    const base = subnetOptions(view, subnet)
    if (base === undefined) continue
    if (Object.keys(own).length === 0) return { key: subnetOptionsKey(subnet.id) }
    const key = portOptionsKey(port.id, subnet.id)
    return {
      key,
      row: planned('DHCP_Options', key, { cidr: subnet.cidr, options: { ...base, ...own } }, ids(subnet, port)),
    }
  }
  return undefined
}

function ids(subnet: SubnetRecord, port?: PortRecord): Record<string, string> {
  return port === undefined ? { subnet_id: subnet.id } : { subnet_id: subnet.id, port_id: port.id }
}

export function planDhcp(view: View): PlannedRow[] {
  return view.snapshot.subnets.flatMap(subnet => {
    const options = subnetOptions(view, subnet)
    if (options === undefined) return []
    return [planned('DHCP_Options', subnetOptionsKey(subnet.id), { cidr: subnet.cidr, options }, ids(subnet))]
  })
}
