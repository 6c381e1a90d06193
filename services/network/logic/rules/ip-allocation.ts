/**
 * Which addresses a port gets: a pure choice over a snapshot of its network's subnets and of what is taken in them. The
 * database's unique key on (network, address) is the last word when two choose at once.
 *
 * Words: an *automatic* subnet is an IPv6 one in which hosts make their address from their MAC (SLAAC, DHCPv6 stateless);
 * *own* addresses are those that the port has already and may keep.
 */
import {
  type Address,
  canonicalAddress,
  eui64,
  formatAddress,
  holds,
  type Prefix,
  parseAddress,
  parsePrefix,
} from '@strata/toolkit/ip'
import {
  addressesExhausted,
  addressInUse,
  autoAddressSubnet,
  invalidAddressForNetwork,
  invalidAddressForSubnet,
  invalidInput,
  noServiceSubnet,
} from '../../contract/faults.ts'
import { DEVICE_OWNERS, type FixedIp, type FixedIpRequest } from '../../contract/port.ts'
import type { AllocationPool } from '../../contract/subnet.ts'

export interface SubnetFacts {
  readonly id: string
  readonly ip_version: number
  readonly cidr: string
  readonly gateway_ip: string | null
  readonly allocation_pools: readonly AllocationPool[]
  readonly ipv6_address_mode: string | null
  readonly service_types: readonly string[]
}

export interface AllocationQuestion {
  readonly networkId: string
  readonly subnets: readonly SubnetFacts[]
  /** Addresses in use, by subnet. */
  readonly taken: ReadonlyMap<string, ReadonlySet<string>>
  readonly mac: string
  readonly deviceOwner: string
  /** Undefined: one address of each IP version, and all automatic ones. */
  readonly requests: readonly FixedIpRequest[] | undefined
  readonly own?: readonly FixedIp[]
}

export const isAutomatic = (subnet: Pick<SubnetFacts, 'ipv6_address_mode'>): boolean =>
  subnet.ipv6_address_mode === 'slaac' || subnet.ipv6_address_mode === 'dhcpv6-stateless'

const routerOwners: readonly string[] = [DEVICE_OWNERS.routerInterface, DEVICE_OWNERS.routerGateway]

/** The port's fixed IPs. Throws the API's own refusals: 400 for an impossible wish, 409 for what is taken or used up. */
export function allocateAddresses(question: AllocationQuestion): FixedIp[] {
  const subnets = serving(question)
  const book = openBook(question)
  const { requests } = question
  if (requests === undefined) return automaticChoice(question, subnets, book)
  const isRouter = routerOwners.includes(question.deviceOwner)
  const known = new Map(question.subnets.map(subnet => [subnet.id, subnet]))
  // Wished addresses first, so that no choice of ours takes one of them away.
  const chosen = new Map<number, FixedIp>()
  for (const [at, request] of requests.entries())
    if (request.ip_address !== undefined) chosen.set(at, wished(question, request, { known, book, isRouter }))
  for (const [at, request] of requests.entries()) {
    if (chosen.has(at)) continue
    if (request.subnet_id === undefined) throw invalidInput('IP allocation requires subnet_id or ip_address')
    const subnet = known.get(request.subnet_id)
    if (!subnet) throw invalidSubnet(question.networkId, request.subnet_id)
    const address =
      isAutomatic(subnet) && !isRouter
        ? derived(question, subnet, book)
        : (book.keep(subnet) ?? book.free(subnet) ?? fail(addressesExhausted(question.networkId)))
    chosen.set(at, { subnet_id: subnet.id, ip_address: address })
  }
  return requests.map((_, at) => chosen.get(at)!)
}

const fail = (fault: Error): never => {
  throw fault
}

const invalidSubnet = (networkId: string, subnetId: string) =>
  invalidInput(`Failed to create port on network ${networkId}, because fixed_ips included invalid subnet ${subnetId}`)

/** Subnets with service types serve only devices of those types. */
function serving({ subnets, deviceOwner, networkId }: AllocationQuestion): readonly SubnetFacts[] {
  const fit = subnets.filter(
    ({ service_types }) => service_types.length === 0 || service_types.some(type => deviceOwner.startsWith(type)),
  )
  if (subnets.length > 0 && fit.length === 0) throw noServiceSubnet(networkId, deviceOwner)
  // A subnet meant for this very type of device goes before one for all.
  return [...fit].sort((a, b) => Number(b.service_types.length > 0) - Number(a.service_types.length > 0))
}

/** What of each subnet is still to be had; what is given out is written down. */
function openBook(question: AllocationQuestion) {
  const own = question.own ?? []
  const ownOf = (subnetId: string) => own.filter(ip => ip.subnet_id === subnetId).map(ip => ip.ip_address)
  const given = new Set<string>()
  const takenElsewhere = (subnet: SubnetFacts, address: string) =>
    question.taken.get(subnet.id)?.has(address) === true && !ownOf(subnet.id).includes(address)
  return {
    has: (subnet: SubnetFacts, address: string) => given.has(address) || takenElsewhere(subnet, address),
    give(address: string) {
      given.add(address)
      return address
    },
    /** An address that the port has in the subnet and has not been asked for yet. */
    keep(subnet: SubnetFacts): string | undefined {
      const address = ownOf(subnet.id).find(one => !given.has(one))
      return address === undefined ? undefined : this.give(address)
    },
    free(subnet: SubnetFacts): string | undefined {
      const address = firstFree(subnet, one => given.has(one) || question.taken.get(subnet.id)?.has(one) === true)
      return address === undefined ? undefined : this.give(address)
    },
  }
}

type Book = ReturnType<typeof openBook>

/** The lowest address of the pools that is not taken. */
export function firstFree(subnet: SubnetFacts, isTaken: (address: string) => boolean): string | undefined {
  const version = subnet.ip_version === 4 ? 4 : 6
  for (const { start, end } of subnet.allocation_pools) {
    const last = parseAddress(end)!.value
    for (let value = parseAddress(start)!.value; value <= last; value++) {
      const address = formatAddress({ version, value })
      if (address !== subnet.gateway_ip && !isTaken(address)) return address
    }
  }
  return undefined
}

function automaticChoice(question: AllocationQuestion, subnets: readonly SubnetFacts[], book: Book): FixedIp[] {
  const isRouter = routerOwners.includes(question.deviceOwner)
  const result: FixedIp[] = []
  const pick = (candidates: readonly SubnetFacts[]) => {
    for (const subnet of candidates) {
      const address = book.keep(subnet) ?? book.free(subnet)
      if (address !== undefined) return void result.push({ subnet_id: subnet.id, ip_address: address })
    }
    if (candidates.length > 0) throw addressesExhausted(question.networkId)
  }
  pick(subnets.filter(subnet => subnet.ip_version === 4))
  pick(subnets.filter(subnet => subnet.ip_version === 6 && (isRouter || !isAutomatic(subnet))))
  if (!isRouter)
    for (const subnet of subnets.filter(isAutomatic))
      result.push({ subnet_id: subnet.id, ip_address: derived(question, subnet, book) })
  return result
}

/** The address that the device will make for itself. */
function derived(question: AllocationQuestion, subnet: SubnetFacts, book: Book): string {
  const address = formatAddress(eui64(parsePrefix(subnet.cidr)!, question.mac))
  if (book.has(subnet, address)) throw addressInUse(question.networkId, address)
  return book.give(address)
}

function wished(
  question: AllocationQuestion,
  request: FixedIpRequest,
  { known, book, isRouter }: { known: ReadonlyMap<string, SubnetFacts>; book: Book; isRouter: boolean },
): FixedIp {
  const text = request.ip_address!
  const address = parseAddress(text)
  if (!address) throw invalidInput(`'${text}' is not a valid IP address`)
  const canonical = canonicalAddress(text)!
  const subnet =
    request.subnet_id === undefined
      ? [...known.values()].find(one => belongs(one, address))
      : known.get(request.subnet_id)
  if (!subnet) {
    if (request.subnet_id === undefined) throw invalidAddressForNetwork(text)
    throw invalidSubnet(question.networkId, request.subnet_id)
  }
  if (!belongs(subnet, address) || !isHostAddress(parsePrefix(subnet.cidr)!, address))
    throw invalidAddressForSubnet(text)
  if (isAutomatic(subnet) && !isRouter && canonical !== formatAddress(eui64(parsePrefix(subnet.cidr)!, question.mac)))
    throw autoAddressSubnet(text, subnet.id)
  if (book.has(subnet, canonical)) throw addressInUse(question.networkId, canonical)
  return { subnet_id: subnet.id, ip_address: book.give(canonical) }
}

const belongs = ({ cidr }: SubnetFacts, address: Address): boolean => {
  const prefix = parsePrefix(cidr)!
  return prefix.version === address.version && holds(prefix, address.value)
}

/** False for the address of an IPv4 network itself and for its broadcast address, and for the router anycast one of IPv6. */
export function isHostAddress(prefix: Prefix, { version, value }: Address): boolean {
  if (version === 4) return prefix.length >= 31 || (value !== prefix.first && value !== prefix.last)
  return prefix.length >= 127 || value !== prefix.first
}
