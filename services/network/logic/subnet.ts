/** Subnets as users make, change and delete them. */
import { overlaps, parsePrefix } from '@strata/toolkit/ip'
import type { Create, Update } from '@strata/toolkit/schema'
import { addressInUse, badResource, gatewayInUse, invalidInput, subnetInUse } from '../contract/faults.ts'
import { DEVICE_OWNERS } from '../contract/port.ts'
import type { subnet } from '../contract/subnet.ts'
import { addressesOf, holderOf, portsOnSubnet, setAddresses } from '../store/address.ts'
import { type NetworkDb, networks, ports, subnets } from '../store/database.ts'
import { type Change, type NetworkDeps, type Scene, type SubnetRow, touch } from './deps.ts'
import { SERVICE_OWNERS } from './network.ts'
import { keepMetadataPort } from './port/metadata.ts'
import { isServicePort, seat } from './port/prepare.ts'
import { claim } from './quota.ts'
import { isAutomatic } from './rules/ip-allocation.ts'
import { checkGatewayAgainstPools, planSubnet } from './rules/subnet.ts'

type Fields = typeof subnet.fields

export async function beforeCreateSubnet(
  deps: NetworkDeps,
  scene: Scene,
  body: Create<Fields>,
  /** True when the caller named a gateway, if only to say that there is none. */
  gatewayGiven: boolean,
): Promise<Partial<SubnetRow>> {
  await claim(deps, scene.tx, body.project_id ?? '', { subnet: 1 })
  if (body.subnetpool_id || body.use_default_subnetpool || (body.prefixlen !== undefined && body.prefixlen !== null))
    throw badResource('subnets', 'subnet pools are not offered here; give a cidr')
  if (!body.cidr) throw badResource('subnets', 'a subnetpool must be specified in the absence of a cidr')
  const version = body.ip_version ?? parsePrefix(body.cidr)?.version
  if (body.ip_version === undefined || body.ip_version === null)
    throw badResource('subnets', 'ip_version must be specified in the absence of cidr and subnetpool_id')
  const plan = planSubnet({
    ip_version: version ?? 0,
    cidr: body.cidr,
    gateway_ip: gatewayGiven ? body.gateway_ip : undefined,
    allocation_pools: body.allocation_pools,
    enable_dhcp: body.enable_dhcp ?? true,
    dns_nameservers: body.dns_nameservers ?? [],
    host_routes: body.host_routes ?? [],
    ipv6_ra_mode: body.ipv6_ra_mode ?? null,
    ipv6_address_mode: body.ipv6_address_mode ?? null,
  })
  await refuseOverlap(scene.tx, body.network_id, plan.cidr)
  const owner = (await networks.find(scene.tx, body.network_id))!
  return { ...plan, ip_version: version, project_id: body.project_id || owner.project_id }
}

async function refuseOverlap(db: NetworkDb, networkId: string, cidr: string): Promise<void> {
  const prefix = parsePrefix(cidr)!
  for (const other of await subnets.list(db, { where: { network_id: networkId } })) {
    const theirs = parsePrefix(other.cidr)!
    if (theirs.version === prefix.version && overlaps(theirs, prefix))
      throw invalidInput(
        `Requested subnet with cidr: ${cidr} for network: ${networkId} overlaps with another subnet: ${other.id} (CIDR: ${other.cidr})`,
      )
  }
}

/** The network's metadata port gets an address in a new subnet that has DHCP. */
export async function afterCreateSubnet(deps: NetworkDeps, scene: Scene, row: SubnetRow): Promise<void> {
  touch(deps, scene, 'subnets', row.id)
  touch(deps, scene, 'networks', row.network_id)
  await keepMetadataPort(deps, scene, row.network_id)
  if (isAutomatic(row)) await seatGuests(deps, scene, row)
}

/** Devices that are there already make themselves an address in a new automatic subnet: their ports get it. */
async function seatGuests(deps: NetworkDeps, scene: Scene, row: SubnetRow): Promise<void> {
  const { tx } = scene
  const guests = (await ports.list(tx, { where: { network_id: row.network_id } })).filter(
    port => !isServicePort(port.device_owner),
  )
  for (const port of guests) {
    const own = (await addressesOf(tx, [port.id])).get(port.id) ?? []
    await seat(tx, { ...port, mac_address: port.mac_address! }, [...own, { subnet_id: row.id }], own)
    touch(deps, scene, 'ports', port.id)
  }
}

export async function beforeUpdateSubnet(
  deps: NetworkDeps,
  scene: Scene,
  row: SubnetRow,
  body: Update<Fields>,
): Promise<Partial<SubnetRow>> {
  const plan = planSubnet({
    ip_version: row.ip_version,
    cidr: row.cidr,
    gateway_ip: body.gateway_ip === undefined ? row.gateway_ip : body.gateway_ip,
    allocation_pools: body.allocation_pools ?? row.allocation_pools,
    enable_dhcp: body.enable_dhcp ?? row.enable_dhcp,
    dns_nameservers: body.dns_nameservers === undefined ? row.dns_nameservers : (body.dns_nameservers ?? []),
    host_routes: body.host_routes === undefined ? row.host_routes : (body.host_routes ?? []),
    ipv6_ra_mode: row.ipv6_ra_mode,
    ipv6_address_mode: row.ipv6_address_mode,
  })
  checkGatewayAgainstPools(plan.gateway_ip, plan.allocation_pools)
  if (plan.gateway_ip !== row.gateway_ip) await checkNewGateway(scene.tx, row, plan.gateway_ip)
  const change: Change<SubnetRow> = {
    gateway_ip: plan.gateway_ip,
    allocation_pools: plan.allocation_pools,
    dns_nameservers: plan.dns_nameservers,
    host_routes: plan.host_routes,
  }
  touch(deps, scene, 'subnets', row.id)
  return change
}

/** A router that is the gateway stays it; and nobody else may have the new gateway's address. */
async function checkNewGateway(db: NetworkDb, row: SubnetRow, gateway: string | null): Promise<void> {
  if (row.gateway_ip !== null) {
    const holder = await holderOf(db, row.network_id, row.gateway_ip)
    if (holder) {
      const owner = await db
        .selectFrom('ports')
        .select('device_owner')
        .where('id', '=', holder.port_id)
        .executeTakeFirst()
      if (owner?.device_owner === DEVICE_OWNERS.routerInterface) throw gatewayInUse(row.gateway_ip, holder.port_id)
    }
  }
  if (gateway !== null && (await holderOf(db, row.network_id, gateway))) throw addressInUse(row.network_id, gateway)
}

export async function afterUpdateSubnet(
  deps: NetworkDeps,
  scene: Scene,
  row: SubnetRow,
  before: SubnetRow,
): Promise<void> {
  if (row.enable_dhcp !== before.enable_dhcp) await keepMetadataPort(deps, scene, row.network_id)
}

/** Service ports and addresses that guests make for themselves don't keep a subnet. */
export async function beforeDeleteSubnet(deps: NetworkDeps, scene: Scene, row: SubnetRow): Promise<void> {
  const { tx } = scene
  const holders = await portsOnSubnet(tx, row.id)
  const blocking = holders.filter(
    port =>
      !SERVICE_OWNERS.includes(port.device_owner) &&
      (!isAutomatic(row) || port.device_owner === DEVICE_OWNERS.routerInterface),
  )
  if (blocking.length > 0) throw subnetInUse(row.id)
  for (const port of holders) {
    const kept = ((await addressesOf(tx, [port.id])).get(port.id) ?? []).filter(ip => ip.subnet_id !== row.id)
    await setAddresses(tx, { id: port.id, network_id: row.network_id }, kept)
    touch(deps, scene, 'ports', port.id)
  }
  touch(deps, scene, 'subnets', row.id)
  touch(deps, scene, 'networks', row.network_id)
}

export const afterDeleteSubnet = (deps: NetworkDeps, scene: Scene, row: SubnetRow): Promise<void> =>
  keepMetadataPort(deps, scene, row.network_id)
