/** What makes a subnet right: its prefix, gateway, pools, routes and IPv6 modes. Pure; throws the API's own refusals. */
import {
  type Address,
  formatAddress,
  formatPrefix,
  holds,
  type Prefix,
  parseAddress,
  parsePrefix,
  type Range,
} from '@strata/toolkit/ip'
import { gatewayConflict, invalidInput, invalidPool, overlappingPools, poolOutOfBounds } from '../../contract/faults.ts'
import type { AllocationPool, HostRoute } from '../../contract/subnet.ts'
import { isHostAddress } from './ip-allocation.ts'

/** A subnet as asked for; `gateway_ip` and `allocation_pools` undefined mean: as usual. */
export interface SubnetWish {
  readonly ip_version: number
  readonly cidr: string
  readonly gateway_ip?: string | null
  readonly allocation_pools?: readonly AllocationPool[] | null
  readonly enable_dhcp: boolean
  readonly dns_nameservers: readonly string[]
  readonly host_routes: readonly HostRoute[]
  readonly ipv6_ra_mode: string | null
  readonly ipv6_address_mode: string | null
}

export interface SubnetPlan {
  readonly cidr: string
  readonly gateway_ip: string | null
  readonly allocation_pools: readonly AllocationPool[]
  readonly dns_nameservers: readonly string[]
  readonly host_routes: readonly HostRoute[]
}

/** The subnet with everything in canonical form and with defaults: the first address as gateway, the rest as one pool. */
export function planSubnet(wish: SubnetWish): SubnetPlan {
  const prefix = parsePrefix(wish.cidr)
  if (!prefix) throw invalidInput(`'${wish.cidr}' is not a valid IP subnet`)
  if (wish.ip_version !== 4 && wish.ip_version !== 6)
    throw invalidInput(`ip_version must be 4 or 6, not ${wish.ip_version}`)
  if (prefix.version !== wish.ip_version)
    throw invalidInput(`cidr '${wish.cidr}' does not match the ip_version '${wish.ip_version}'`)
  if (prefix.length === 0) throw invalidInput('0 is not allowed as CIDR prefix length')
  if (wish.enable_dhcp) checkDhcp(prefix)
  checkIpv6Modes(wish, prefix)
  const gateway = wish.gateway_ip === undefined ? defaultGateway(prefix) : wish.gateway_ip
  const gateway_ip = gateway === null ? null : checkGateway(gateway, prefix)
  const allocation_pools = wish.allocation_pools
    ? checkPools(wish.allocation_pools, prefix, gateway_ip)
    : defaultPools(prefix, gateway_ip)
  return {
    cidr: formatPrefix(prefix),
    gateway_ip,
    allocation_pools,
    dns_nameservers: wish.dns_nameservers.map(text => sameVersion(text, prefix, 'dns_nameserver')),
    host_routes: checkRoutes(wish.host_routes, prefix),
  }
}

function checkDhcp(prefix: Prefix): void {
  const { version, length, first } = prefix
  if (length > (version === 4 ? 30 : 126))
    throw invalidInput('Subnet has a prefix length that is incompatible with DHCP service enabled')
  const top = Number(first >> (version === 4 ? 24n : 120n))
  if (version === 4 ? top >= 224 && top < 240 : top === 0xff)
    throw invalidInput('Multicast IP subnet is not supported if enable_dhcp is True')
  if (version === 4 ? top === 127 : holds(prefix, 1n))
    throw invalidInput('Loopback IP subnet is not supported if enable_dhcp is True')
  if (version === 4 && first === 0n)
    throw invalidInput("First IP '0.0.0.0' of network is not supported if enable_dhcp is True.")
}

function checkIpv6Modes(wish: SubnetWish, prefix: Prefix): void {
  const { ipv6_ra_mode: ra, ipv6_address_mode: mode } = wish
  if (prefix.version === 4) {
    if (ra !== null) throw invalidInput('ipv6_ra_mode is not valid when ip_version is 4')
    if (mode !== null) throw invalidInput('ipv6_address_mode is not valid when ip_version is 4')
    return
  }
  if (ra === null && mode === null) return
  if (!wish.enable_dhcp)
    throw invalidInput('ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False')
  if (ra !== null && mode !== null && ra !== mode)
    throw invalidInput(
      `ipv6_ra_mode set to '${ra}' with ipv6_address_mode set to '${mode}' is not valid. If both attributes are set, they must be the same value`,
    )
  const makesOwn = [ra, mode].some(one => one === 'slaac' || one === 'dhcpv6-stateless')
  if (makesOwn && prefix.length !== 64)
    throw invalidInput(
      `Invalid CIDR ${wish.cidr} for IPv6 address mode. OpenStack uses the EUI-64 address format, which requires the prefix to be /64`,
    )
}

function defaultGateway(prefix: Prefix): string | null {
  const { version, first, last } = prefix
  if (first === last) return null
  const point = version === 4 ? prefix.length === 31 : prefix.length === 127
  return formatAddress({ version, value: point ? first : first + 1n })
}

function checkGateway(text: string, prefix: Prefix): string {
  const address = parseAddress(text)
  if (!address) throw invalidInput(`gateway_ip '${text}' is not a valid IP address`)
  if (address.version !== prefix.version)
    throw invalidInput(`gateway_ip '${text}' does not match the ip_version '${prefix.version}'`)
  // A link-local gateway is what IPv6 routers usually are; others off the prefix are reached by no host of it.
  const linkLocal = address.version === 6 && address.value >> 118n === 0x3fan
  if (!linkLocal && (!holds(prefix, address.value) || !isHostAddress(prefix, address)))
    throw invalidInput('Gateway is not valid on subnet')
  return formatAddress(address)
}

/** All host addresses but the gateway: one pool, or two around it. */
export function defaultPools(prefix: Prefix, gateway: string | null): AllocationPool[] {
  const { version, length } = prefix
  const small = version === 4 ? length >= 31 : length >= 127
  const first = small ? prefix.first : prefix.first + 1n
  const last = small || version === 6 ? prefix.last : prefix.last - 1n
  const at = gateway === null ? undefined : parseAddress(gateway)?.value
  const ranges: Range[] =
    at === undefined || at < first || at > last
      ? [{ first, last }]
      : [
          { first, last: at - 1n },
          { first: at + 1n, last },
        ]
  const text = (value: bigint) => formatAddress({ version, value })
  return ranges
    .filter(range => range.first <= range.last)
    .map(range => ({ start: text(range.first), end: text(range.last) }))
}

function checkPools(pools: readonly AllocationPool[], prefix: Prefix, gateway: string | null): AllocationPool[] {
  const cidr = formatPrefix(prefix)
  const ranges = pools.map(({ start, end }) => {
    const name = `${start}-${end}`
    const from = parseAddress(start)
    const to = parseAddress(end)
    if (!from || !to || from.version !== to.version || from.version !== prefix.version || from.value > to.value)
      throw invalidPool(name)
    if (!holds(prefix, from.value) || !holds(prefix, to.value)) throw poolOutOfBounds(name, cidr)
    if (!isHostAddress(prefix, from) || !isHostAddress(prefix, to)) throw poolOutOfBounds(name, cidr)
    return { name, first: from.value, last: to.value, start: formatAddress(from), end: formatAddress(to) }
  })
  ranges.sort((a, b) => (a.first < b.first ? -1 : 1))
  for (const [at, range] of ranges.entries()) {
    const next = ranges[at + 1]
    if (next && next.first <= range.last) throw overlappingPools(range.name, next.name, cidr)
    const address = gateway === null ? undefined : parseAddress(gateway)
    if (address && holds(range, address.value)) throw gatewayConflict(gateway!, range.name)
  }
  return ranges.map(({ start, end }) => ({ start, end }))
}

function sameVersion(text: string, { version }: { version: number }, what: string): string {
  const address = parseAddress(text)
  if (!address) throw invalidInput(`Error parsing ${what} address ${text}`)
  if (address.version !== version) throw invalidInput(`${what} '${text}' does not match the ip_version '${version}'`)
  return formatAddress(address)
}

/** Routes in canonical form; destination and next hop must be of the wanted IP version. */
export function checkRoutes(routes: readonly HostRoute[], { version }: { version: number }): HostRoute[] {
  const seen = new Set<string>()
  return routes.map(({ destination, nexthop }) => {
    const prefix = parsePrefix(destination)
    if (!prefix) throw invalidInput(`Invalid route: ${destination}`)
    if (prefix.version !== version)
      throw invalidInput(`destination '${destination}' does not match the ip_version '${version}'`)
    const route = { destination: formatPrefix(prefix), nexthop: sameVersion(nexthop, { version }, 'nexthop') }
    const key = `${route.destination} ${route.nexthop}`
    if (seen.has(key)) throw invalidInput(`Duplicate route to ${destination} via ${nexthop}`)
    seen.add(key)
    return route
  })
}

/** The gateway must not lie in a pool. */
export function checkGatewayAgainstPools(gateway: string | null, pools: readonly AllocationPool[]): void {
  const address: Address | undefined = gateway === null ? undefined : parseAddress(gateway)
  for (const { start, end } of pools)
    if (address && holds({ first: parseAddress(start)!.value, last: parseAddress(end)!.value }, address.value))
      throw gatewayConflict(gateway!, `${start}-${end}`)
}
