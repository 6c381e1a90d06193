/** A router's interfaces: its ports on the networks that it joins. */
import { holds, overlaps, parseAddress, parsePrefix } from '@strata/toolkit/ip'
import {
  badResource,
  interfaceInUseByFloatingIp,
  interfaceInUseByRoute,
  portInUse,
  portNotFound,
  routerInterfaceNotFound,
  routerInterfaceNotFoundForSubnet,
  subnetMismatch,
  subnetNotFound,
} from '../../contract/faults.ts'
import { DEVICE_OWNERS, type FixedIp } from '../../contract/port.ts'
import { addressesOf } from '../../store/address.ts'
import { type NetworkDb, networks, ports, subnets } from '../../store/database.ts'
import {
  countChange,
  type NetworkDeps,
  now,
  type PortRow,
  type RouterRow,
  type Scene,
  type SubnetRow,
  touch,
} from '../deps.ts'
import { makeServicePort, seat } from '../port/prepare.ts'
import { removePorts } from '../port/remove.ts'
import { visiblePorts, visibleSubnets } from '../visibility.ts'

/** What `add_router_interface` and `remove_router_interface` take: one of them (to remove: or both). */
export interface InterfaceRequest {
  readonly subnet_id?: string
  readonly port_id?: string
}

export interface InterfaceAnswer {
  readonly id: string
  readonly project_id: string
  readonly tenant_id: string
  readonly port_id: string
  readonly network_id: string
  readonly subnet_id: string
  readonly subnet_ids: readonly string[]
}

interface Interface {
  readonly port: PortRow
  readonly fixedIps: readonly FixedIp[]
}

export async function interfacesOf(db: NetworkDb, routerId: string): Promise<Interface[]> {
  const rows = await ports.list(db, { where: { device_id: routerId, device_owner: DEVICE_OWNERS.routerInterface } })
  const addresses = await addressesOf(
    db,
    rows.map(row => row.id),
  )
  return rows.map(port => ({ port, fixedIps: addresses.get(port.id) ?? [] }))
}

const joinedSubnets = async (db: NetworkDb, interfaces: readonly Interface[]): Promise<SubnetRow[]> => {
  const ids = interfaces.flatMap(one => one.fixedIps.map(ip => ip.subnet_id))
  return ids.length === 0 ? [] : subnets.list(db, { where: { id: ids } })
}

/** A router cannot tell two networks with the same addresses apart. */
export async function refuseOverlappingInterfaces(
  db: NetworkDb,
  routerId: string,
  wanted: readonly SubnetRow[],
): Promise<void> {
  const joined = await joinedSubnets(db, await interfacesOf(db, routerId))
  for (const subnet of wanted)
    for (const other of joined) {
      if (other.id === subnet.id) throw badResource('router', `Router already has a port on subnet ${subnet.id}`)
      const [a, b] = [parsePrefix(subnet.cidr)!, parsePrefix(other.cidr)!]
      if (a.version === b.version && overlaps(a, b))
        throw badResource(
          'router',
          `Cidr ${subnet.cidr} of subnet ${subnet.id} overlaps with cidr ${other.cidr} of subnet ${other.id}`,
        )
    }
}

async function refuseOverlap(db: NetworkDb, routerId: string, wanted: readonly SubnetRow[]): Promise<void> {
  await refuseOverlappingInterfaces(db, routerId, wanted)
  const gateway = await db
    .selectFrom('router_gateways')
    .select('network_id')
    .where('router_id', '=', routerId)
    .executeTakeFirst()
  if (!gateway) return
  for (const other of await subnets.list(db, { where: { network_id: gateway.network_id } }))
    for (const subnet of wanted) {
      const [a, b] = [parsePrefix(subnet.cidr)!, parsePrefix(other.cidr)!]
      if (a.version === b.version && overlaps(a, b))
        throw badResource(
          'router',
          `Cidr ${subnet.cidr} of subnet ${subnet.id} overlaps with cidr ${other.cidr} of subnet ${other.id}`,
        )
    }
}

export async function addInterface(
  deps: NetworkDeps,
  scene: Scene,
  router: RouterRow,
  request: InterfaceRequest,
): Promise<InterfaceAnswer> {
  const { subnet_id, port_id } = request
  if (subnet_id === undefined && port_id === undefined)
    throw badResource('router', 'Either subnet_id or port_id must be specified')
  if (subnet_id !== undefined && port_id !== undefined)
    throw badResource('router', 'Cannot specify both subnet-id and port-id')
  const joined =
    port_id === undefined
      ? await joinSubnet(deps, scene, router, subnet_id!)
      : await joinPort(deps, scene, router, port_id)
  touch(deps, scene, 'ports', joined.port.id)
  touch(deps, scene, 'routers', router.id)
  await countChange(scene, 'routers', router.id)
  return answer(router, joined.port, joined.subnetIds)
}

function answer(router: RouterRow, port: PortRow, subnetIds: readonly string[]): InterfaceAnswer {
  return {
    id: router.id,
    project_id: router.project_id,
    tenant_id: router.project_id,
    port_id: port.id,
    network_id: port.network_id,
    subnet_id: subnetIds[0]!,
    subnet_ids: subnetIds,
  }
}

async function joinSubnet(deps: NetworkDeps, scene: Scene, router: RouterRow, subnetId: string) {
  const { tx, context } = scene
  const [subnet] = await subnets.list(tx, { where: { id: subnetId }, conditions: visibleSubnets(context), limit: 1 })
  if (!subnet) throw subnetNotFound(subnetId)
  if (subnet.gateway_ip === null) throw badResource('router', 'Subnet for router interface must have a gateway IP')
  await refuseOverlap(tx, router.id, [subnet])
  const network = (await networks.find(tx, subnet.network_id))!
  const place = { subnet_id: subnet.id, ip_address: subnet.gateway_ip }
  if (subnet.ip_version === 6) {
    // One port serves all IPv6 subnets of a network: a network has one router advertiser.
    const sibling = await ipv6Sibling(tx, router.id, network.id)
    if (sibling) {
      await seat(
        tx,
        { ...sibling.port, mac_address: sibling.port.mac_address! },
        [...sibling.fixedIps, place],
        sibling.fixedIps,
      )
      return { port: sibling.port, subnetIds: [subnet.id] }
    }
  }
  const { port } = await makeServicePort(deps, scene, {
    network,
    projectId: router.project_id,
    deviceOwner: DEVICE_OWNERS.routerInterface,
    deviceId: router.id,
    fixedIps: [place],
  })
  return { port, subnetIds: [subnet.id] }
}

async function ipv6Sibling(db: NetworkDb, routerId: string, networkId: string): Promise<Interface | undefined> {
  const here = (await interfacesOf(db, routerId)).filter(one => one.port.network_id === networkId)
  return here.find(one => one.fixedIps.some(ip => ip.ip_address.includes(':')))
}

async function joinPort(deps: NetworkDeps, scene: Scene, router: RouterRow, portId: string) {
  const { tx, context } = scene
  const [port] = await ports.list(tx, { where: { id: portId }, conditions: visiblePorts(context), limit: 1 })
  if (!port) throw portNotFound(portId)
  if (port.device_id !== '') throw portInUse(port.id, port.network_id, port.device_id)
  const fixedIps = (await addressesOf(tx, [port.id])).get(port.id) ?? []
  if (fixedIps.length === 0) throw badResource('router', 'Router port must have at least one fixed IP')
  const wanted = await subnets.list(tx, { where: { id: fixedIps.map(ip => ip.subnet_id) } })
  if (wanted.filter(subnet => subnet.ip_version === 4).length > 1)
    throw badResource('router', 'Cannot have multiple IPv4 subnets on router port')
  await refuseOverlap(tx, router.id, wanted)
  await tx.deleteFrom('port_security_groups').where('port_id', '=', port.id).execute()
  const change = {
    device_id: router.id,
    device_owner: DEVICE_OWNERS.routerInterface,
    port_security_enabled: false,
    allowed_address_pairs: [],
    revision_number: port.revision_number + 1,
    updated_at: now(deps),
  }
  await ports.update(tx, port.id, change)
  return { port: { ...port, ...change }, subnetIds: wanted.map(subnet => subnet.id) }
}

export async function removeInterface(
  deps: NetworkDeps,
  scene: Scene,
  router: RouterRow,
  request: InterfaceRequest,
): Promise<InterfaceAnswer> {
  const { subnet_id, port_id } = request
  const { tx } = scene
  if (subnet_id === undefined && port_id === undefined)
    throw badResource('router', 'Either subnet_id or port_id must be specified')
  const all = await interfacesOf(tx, router.id)
  const found =
    port_id === undefined ? await bySubnet(scene, all, router, subnet_id!) : all.find(one => one.port.id === port_id)
  if (!found) throw routerInterfaceNotFound(router.id, port_id!)
  if (subnet_id !== undefined && !found.fixedIps.some(ip => ip.subnet_id === subnet_id))
    throw subnetMismatch(found.port.id, subnet_id)
  // Without a port named, only the subnet leaves; other IPv6 subnets keep the port.
  const leaving = found.fixedIps.filter(ip => port_id !== undefined || ip.subnet_id === subnet_id)
  for (const ip of leaving) await refuseWhileUsed(tx, router, ip.subnet_id)
  const staying = found.fixedIps.filter(ip => !leaving.includes(ip))
  if (staying.length === 0) await removePorts(deps, scene, [found.port.id])
  else {
    await seat(tx, { ...found.port, mac_address: found.port.mac_address! }, staying, found.fixedIps)
    touch(deps, scene, 'ports', found.port.id)
  }
  touch(deps, scene, 'routers', router.id)
  await countChange(scene, 'routers', router.id)
  return answer(
    router,
    found.port,
    leaving.map(ip => ip.subnet_id),
  )
}

async function bySubnet(
  scene: Scene,
  all: readonly Interface[],
  router: RouterRow,
  subnetId: string,
): Promise<Interface> {
  const found = all.find(one => one.fixedIps.some(ip => ip.subnet_id === subnetId))
  if (found) return found
  if (!(await subnets.find(scene.tx, subnetId))) throw subnetNotFound(subnetId)
  throw routerInterfaceNotFoundForSubnet(router.id, subnetId)
}

async function refuseWhileUsed(db: NetworkDb, router: RouterRow, subnetId: string): Promise<void> {
  const mapped = await db
    .selectFrom('floatingips')
    .innerJoin('ip_allocations', join =>
      join
        .onRef('ip_allocations.port_id', '=', 'floatingips.port_id')
        .onRef('ip_allocations.ip_address', '=', 'floatingips.fixed_ip_address'),
    )
    .select('floatingips.id as id')
    .where('floatingips.router_id', '=', router.id)
    .where('ip_allocations.subnet_id', '=', subnetId)
    .executeTakeFirst()
  if (mapped) throw interfaceInUseByFloatingIp(router.id, subnetId)
  const prefix = parsePrefix((await subnets.find(db, subnetId))!.cidr)!
  for (const { nexthop } of router.routes) {
    const hop = parseAddress(nexthop)!
    if (hop.version === prefix.version && holds(prefix, hop.value)) throw interfaceInUseByRoute(router.id, subnetId)
  }
}
