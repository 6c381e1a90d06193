/** Floating IPs: taking an address of an external network, and mapping it to a port's fixed IP by way of a router. */
import { Fault } from '@strata/toolkit/fault'
import type { Create, Update } from '@strata/toolkit/schema'
import {
  badResource,
  externalAddressesExhausted,
  externalNetworkUnreachable,
  floatingIpPortTaken,
  networkNotFound,
  portNotFound,
  subnetNotFound,
} from '../contract/faults.ts'
import type { floatingip } from '../contract/floatingip.ts'
import { DEVICE_OWNERS, type FixedIp, type FixedIpRequest } from '../contract/port.ts'
import { addressesOf } from '../store/address.ts'
import { type NetworkDb, ports, subnets } from '../store/database.ts'
import { type FloatingIpRow, isAdmin, type NetworkDeps, type PortRow, type Scene, touch } from './deps.ts'
import { isServicePort, makeServicePort } from './port/prepare.ts'
import { removePorts } from './port/remove.ts'
import { claim } from './quota.ts'
import { seenNetwork, visiblePorts } from './visibility.ts'

type Fields = typeof floatingip.fields

type Mapping = Pick<FloatingIpRow, 'port_id' | 'fixed_ip_address' | 'router_id' | 'status'>

const UNMAPPED: Mapping = { port_id: null, fixed_ip_address: null, router_id: null, status: 'DOWN' }

export async function beforeCreateFloatingIp(
  deps: NetworkDeps,
  scene: Scene,
  body: Create<Fields> & { readonly id: string },
): Promise<Partial<FloatingIpRow>> {
  const { tx, context } = scene
  await claim(deps, tx, body.project_id ?? '', { floatingip: 1 })
  const network = await seenNetwork(tx, context, body.floating_network_id).catch(() => {
    throw networkNotFound(body.floating_network_id)
  })
  if (!network['router:external'])
    throw badResource('floatingip', `Network ${network.id} is not a valid external network`)
  const { fixedIps } = await makeServicePort(deps, scene, {
    network,
    projectId: '',
    deviceOwner: DEVICE_OWNERS.floatingIp,
    deviceId: body.id,
    fixedIps: [await placeOf(tx, body)],
  }).catch(thrown => {
    if (thrown instanceof Fault && thrown.code === 'IpAddressGenerationFailure')
      throw externalAddressesExhausted(network.id)
    throw thrown
  })
  const address = fixedIps[0]!.ip_address
  const mapping = await mappingOf(scene, {
    id: body.id,
    project_id: body.project_id ?? '',
    floating_network_id: network.id,
    floating_ip_address: address,
    port_id: body.port_id ?? null,
    fixed_ip_address: body.fixed_ip_address ?? null,
  })
  return { floating_ip_address: address, ...mapping }
}

/** Where the address shall come from: as wished, else the first IPv4 subnet with a free one. */
async function placeOf(db: NetworkDb, body: Create<Fields>): Promise<FixedIpRequest> {
  const all = await subnets.list(db, {
    where: { network_id: body.floating_network_id, ip_version: 4 },
    sort: [{ field: 'created_at', direction: 'asc' }],
  })
  if (all.length === 0)
    throw badResource('floatingip', `Network ${body.floating_network_id} does not contain any IPv4 subnet`)
  if (body.subnet_id && !all.some(subnet => subnet.id === body.subnet_id)) throw subnetNotFound(body.subnet_id)
  const wished = body.floating_ip_address ?? undefined
  if (wished !== undefined) return { ip_address: wished, ...(body.subnet_id ? { subnet_id: body.subnet_id } : {}) }
  return {
    subnet_id:
      body.subnet_id ??
      (await roomiest(
        db,
        all.map(subnet => subnet.id),
      )),
  }
}

/** The subnet with the fewest addresses taken. */
async function roomiest(db: NetworkDb, ids: readonly string[]): Promise<string> {
  if (ids.length === 1) return ids[0]!
  const rows = await db
    .selectFrom('ip_allocations')
    .select(eb => ['subnet_id', eb.fn.countAll().as('n')])
    .where('subnet_id', 'in', ids)
    .groupBy('subnet_id')
    .execute()
  const used = new Map(rows.map(row => [row.subnet_id, Number(row.n)]))
  return [...ids].sort((a, b) => (used.get(a) ?? 0) - (used.get(b) ?? 0))[0]!
}

interface Association {
  readonly id: string
  readonly project_id: string
  readonly floating_network_id: string
  readonly floating_ip_address: string
  readonly port_id: string | null
  readonly fixed_ip_address: string | null
}

/** What the floating IP maps to; throws when the port has no such address, or no router leads there. */
async function mappingOf(scene: Scene, wish: Association): Promise<Mapping> {
  const { tx, context } = scene
  if (wish.port_id === null) {
    if (wish.fixed_ip_address !== null)
      throw badResource('floatingip', 'fixed_ip_address cannot be specified without a port_id')
    return UNMAPPED
  }
  const [port] = await ports.list(tx, { where: { id: wish.port_id }, conditions: visiblePorts(context), limit: 1 })
  if (!port) throw portNotFound(wish.port_id)
  if (port.project_id !== wish.project_id && !isAdmin(context))
    throw badResource('floatingip', `Port ${port.id} is owned by a different project than the floating IP`)
  if (isServicePort(port.device_owner))
    throw badResource('floatingip', `Port ${port.id} is unable to be assigned a floating IP`)
  const inner = innerAddress(port, (await addressesOf(tx, [port.id])).get(port.id) ?? [], wish.fixed_ip_address)
  const taken = await tx
    .selectFrom('floatingips')
    .select(['id', 'floating_ip_address'])
    .where('port_id', '=', port.id)
    .where('fixed_ip_address', '=', inner.ip_address)
    .where('floating_network_id', '=', wish.floating_network_id)
    .where('id', '!=', wish.id)
    .executeTakeFirst()
  if (taken)
    throw floatingIpPortTaken({
      address: wish.floating_ip_address,
      id: wish.id,
      portId: port.id,
      fixedIp: inner.ip_address,
      networkId: wish.floating_network_id,
    })
  const router = await routerBetween(tx, inner.subnet_id, port.network_id, wish.floating_network_id)
  if (router === undefined) throw externalNetworkUnreachable(wish.floating_network_id, inner.subnet_id, port.id)
  return { port_id: port.id, fixed_ip_address: inner.ip_address, router_id: router, status: 'ACTIVE' }
}

function innerAddress(port: PortRow, fixedIps: readonly FixedIp[], wished: string | null): FixedIp {
  const ipv4 = fixedIps.filter(ip => ip.ip_address.includes('.'))
  if (wished !== null) {
    const found = ipv4.find(ip => ip.ip_address === wished)
    if (!found) throw badResource('floatingip', `Port ${port.id} does not have fixed ip ${wished}`)
    return found
  }
  if (ipv4.length === 0)
    throw badResource('floatingip', `Cannot add floating IP to port ${port.id} that has no fixed IPv4 addresses`)
  if (ipv4.length > 1)
    throw badResource(
      'floatingip',
      `Port ${port.id} has multiple fixed IPv4 addresses. Must provide a specific IPv4 address when assigning a floating IP`,
    )
  return ipv4[0]!
}

/** A router with an interface on the subnet and its gateway on the external network. The subnet's own gateway goes first. */
async function routerBetween(
  db: NetworkDb,
  subnetId: string,
  networkId: string,
  externalId: string,
): Promise<string | undefined> {
  const rows = await db
    .selectFrom('ports')
    .innerJoin('ip_allocations', 'ip_allocations.port_id', 'ports.id')
    .innerJoin('router_gateways', 'router_gateways.router_id', 'ports.device_id')
    .select(['ports.device_id as router', 'ip_allocations.ip_address as address'])
    .where('ports.network_id', '=', networkId)
    .where('ports.device_owner', '=', DEVICE_OWNERS.routerInterface)
    .where('ip_allocations.subnet_id', '=', subnetId)
    .where('router_gateways.network_id', '=', externalId)
    .orderBy('ports.created_at')
    .execute()
  const gateway = (await subnets.find(db, subnetId))?.gateway_ip
  return (rows.find(row => row.address === gateway) ?? rows[0])?.router
}

export async function beforeUpdateFloatingIp(
  deps: NetworkDeps,
  scene: Scene,
  row: FloatingIpRow,
  body: Update<Fields>,
): Promise<Partial<FloatingIpRow>> {
  touch(deps, scene, 'floatingips', row.id)
  if (body.port_id === undefined && body.fixed_ip_address === undefined) return {}
  const port_id = body.port_id === undefined ? row.port_id : body.port_id
  return mappingOf(scene, {
    id: row.id,
    project_id: row.project_id,
    floating_network_id: row.floating_network_id,
    floating_ip_address: row.floating_ip_address!,
    port_id,
    fixed_ip_address: body.fixed_ip_address ?? null,
  })
}

export const beforeDeleteFloatingIp = (deps: NetworkDeps, scene: Scene, row: FloatingIpRow): Promise<void> =>
  releaseAddresses(deps, scene, [row.id])

/** Takes floating IPs' own ports away, and with them the addresses. */
async function releaseAddresses(deps: NetworkDeps, scene: Scene, ids: readonly string[]): Promise<void> {
  const own = await scene.tx
    .selectFrom('ports')
    .select('id')
    .where('device_id', 'in', ids)
    .where('device_owner', '=', DEVICE_OWNERS.floatingIp)
    .execute()
  await removePorts(
    deps,
    scene,
    own.map(port => port.id),
  )
  touch(deps, scene, 'floatingips', ...ids)
}

/** Removes those of an external network that are mapped to no port: they do not keep it from being deleted. */
export async function removeUnmapped(deps: NetworkDeps, scene: Scene, networkId: string): Promise<void> {
  const { tx } = scene
  const rows = await tx
    .selectFrom('floatingips')
    .select('id')
    .where('floating_network_id', '=', networkId)
    .where('port_id', 'is', null)
    .execute()
  if (rows.length === 0) return
  const ids = rows.map(row => row.id)
  await releaseAddresses(deps, scene, ids)
  await tx.deleteFrom('tags').where('resource_id', 'in', ids).execute()
  await tx.deleteFrom('floatingips').where('id', 'in', ids).execute()
}

/** `port_details` of each floating IP that is mapped: what clients show of its port. */
export async function portDetailsOf(db: NetworkDb, rows: readonly FloatingIpRow[]): Promise<Map<string, object>> {
  const ids = rows.flatMap(row => (row.port_id === null ? [] : [row.port_id]))
  if (ids.length === 0) return new Map()
  const found = await ports.list(db, { where: { id: ids } })
  return new Map(
    found.map(({ id, name, network_id, mac_address, admin_state_up, status, device_id, device_owner }) => [
      id,
      { name, network_id, mac_address, admin_state_up, status, device_id, device_owner },
    ]),
  )
}
