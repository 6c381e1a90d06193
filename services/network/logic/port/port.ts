/** Ports as users make, change and delete them. */
import type { Create, Update } from '@strata/toolkit/schema'
import {
  deviceNotOwned,
  duplicateAddressPair,
  notAuthorized,
  portBound,
  portSecurityHasGroups,
  portSecurityNeeded,
  portSecurityNeededForPairs,
  servicePortInUse,
} from '../../contract/faults.ts'
import { type AddressPair, DEVICE_OWNERS, type FixedIp, type FixedIpRequest, type port } from '../../contract/port.ts'
import { addressesOf } from '../../store/address.ts'
import { type NetworkDb, networks, routers } from '../../store/database.ts'
import { type Change, isAdmin, isService, type NetworkDeps, type PortRow, type Scene, touch } from '../deps.ts'
import { claim } from '../quota.ts'
import { checkGroups, ensureDefaultGroup } from '../security-group.ts'
import { networkAspect } from '../visibility.ts'
import { isServicePort, seat, takeMac } from './prepare.ts'
import { releasePorts } from './remove.ts'

type Fields = typeof port.fields

export async function beforeCreatePort(
  deps: NetworkDeps,
  scene: Scene,
  body: Create<Fields> & { readonly id: string },
): Promise<Partial<PortRow>> {
  const { tx } = scene
  const network = (await networks.find(tx, body.network_id))!
  const projectId = body.project_id ?? ''
  const owner = body.device_owner ?? ''
  await claim(deps, tx, projectId, { port: 1 })
  await checkDevice(scene, owner, body.device_id ?? '')
  await checkAddressRights(scene, 'create_port', body.network_id, body.fixed_ips)
  const secure = body.port_security_enabled ?? (network.port_security_enabled && !isServicePort(owner))
  const mac_address = await takeMac(deps, tx, network.id, body.mac_address)
  const fixedIps = await seat(
    tx,
    { id: body.id, network_id: network.id, device_owner: owner, mac_address },
    body.fixed_ips ?? undefined,
  )
  const groups = await groupsOf(deps, scene, { given: body.security_groups, secure, projectId, owner, fixedIps })
  await bindGroups(tx, body.id, groups)
  return {
    mac_address,
    port_security_enabled: secure,
    allowed_address_pairs: checkPairs(body.allowed_address_pairs ?? [], mac_address, secure),
    extra_dhcp_opts: mergeOptions([], body.extra_dhcp_opts ?? []),
    'binding:host_id': body['binding:host_id'] ?? '',
    'binding:profile': body['binding:profile'] ?? {},
  }
}

/** Only admins may plug something into a router that is not of their project. */
async function checkDevice(scene: Scene, owner: string, device: string): Promise<void> {
  if (device === '' || isAdmin(scene.context)) return
  const known = await routers.find(scene.tx, device)
  if (known && known.project_id !== scene.context.projectId) throw deviceNotOwned(device)
  if (!known && owner === DEVICE_OWNERS.routerInterface) throw deviceNotOwned(device)
}

/** On a network of others one may choose among its subnets, not among its addresses. */
async function checkAddressRights(
  scene: Scene,
  rule: 'create_port' | 'update_port',
  networkId: string,
  requests: readonly FixedIpRequest[] | null | undefined,
): Promise<void> {
  const { context, tx } = scene
  const about = { ...(await networkAspect(tx, context, networkId)) }
  for (const request of requests ?? [])
    for (const name of ['ip_address', 'subnet_id'] as const) {
      const inner = `${rule}:fixed_ips:${name}`
      if (request[name] !== undefined && !context.can(inner, about)) throw notAuthorized(inner)
    }
}

async function groupsOf(
  deps: NetworkDeps,
  scene: Scene,
  port: {
    given: readonly string[] | null | undefined
    secure: boolean
    projectId: string
    owner: string
    fixedIps: readonly FixedIp[]
  },
): Promise<readonly string[]> {
  if (port.given && port.given.length > 0) {
    if (!port.secure) throw portSecurityNeeded()
    await checkGroups(scene, port.projectId, port.given)
    return port.given
  }
  if (port.given || !port.secure || isServicePort(port.owner) || port.projectId === '') return []
  return [await ensureDefaultGroup(deps, scene, port.projectId)]
}

export async function bindGroups(db: NetworkDb, portId: string, groups: readonly string[]): Promise<void> {
  await db.deleteFrom('port_security_groups').where('port_id', '=', portId).execute()
  if (groups.length > 0)
    await db
      .insertInto('port_security_groups')
      .values(groups.map(security_group_id => ({ port_id: portId, security_group_id })))
      .execute()
}

/** Groups of each port, by its id; ports without any are absent. */
export async function groupIdsOf(db: NetworkDb, portIds: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  if (portIds.length === 0) return found
  const rows = await db
    .selectFrom('port_security_groups')
    .selectAll()
    .where('port_id', 'in', portIds)
    .orderBy('security_group_id')
    .execute()
  for (const row of rows) {
    const known = found.get(row.port_id)
    if (known) known.push(row.security_group_id)
    else found.set(row.port_id, [row.security_group_id])
  }
  return found
}

function checkPairs(pairs: readonly AddressPair[], mac: string, secure: boolean): AddressPair[] {
  if (pairs.length > 0 && !secure) throw portSecurityNeededForPairs()
  const seen = new Set<string>()
  return pairs.map(pair => {
    const mac_address = (pair.mac_address ?? mac).toLowerCase()
    const key = `${mac_address} ${pair.ip_address}`
    if (seen.has(key)) throw duplicateAddressPair(mac_address, pair.ip_address)
    seen.add(key)
    return { ip_address: pair.ip_address, mac_address }
  })
}

export async function beforeUpdatePort(
  deps: NetworkDeps,
  scene: Scene,
  row: PortRow,
  body: Update<Fields>,
): Promise<Partial<PortRow>> {
  const { tx } = scene
  const change: Change<PortRow> = {}
  const host = body['binding:host_id'] === undefined ? row['binding:host_id'] : (body['binding:host_id'] ?? '')
  if (body.device_id !== undefined && body.device_id !== row.device_id)
    await checkDevice(scene, body.device_owner ?? row.device_owner, body.device_id)
  const mac = await changedMac(deps, scene, row, body, host ?? '')
  if (mac !== row.mac_address) change.mac_address = mac
  const own = (await addressesOf(tx, [row.id])).get(row.id) ?? []
  let fixedIps: readonly FixedIp[] = own
  if (body.fixed_ips !== undefined) {
    await checkAddressRights(scene, 'update_port', row.network_id, changedRequests(own, body.fixed_ips))
    const place = { ...row, device_owner: body.device_owner ?? row.device_owner, mac_address: mac }
    fixedIps = await seat(tx, place, body.fixed_ips ?? [], own)
    await refuseLosingFloatingIps(deps, scene, row, fixedIps)
  }
  await changeSecurity(deps, scene, { row, body, fixedIps, mac, change })
  if (body.extra_dhcp_opts !== undefined)
    change.extra_dhcp_opts = mergeOptions(row.extra_dhcp_opts, body.extra_dhcp_opts ?? [])
  if (body['binding:profile'] === null) change['binding:profile'] = {}
  if (host !== row['binding:host_id']) {
    change['binding:host_id'] = host
    // Whatever was plugged where it was before is not what is wanted now; the data plane tells when the new one is up.
    change.status = 'DOWN'
    scene.afterCommit(() => deps.portChanged(row.id, 'DOWN', host ?? ''))
  }
  return change
}

const changedRequests = (own: readonly FixedIp[], requests: readonly FixedIpRequest[] | null | undefined) =>
  (requests ?? []).filter(
    request =>
      !own.some(
        ip =>
          ip.ip_address === request.ip_address &&
          (request.subnet_id === undefined || request.subnet_id === ip.subnet_id),
      ),
  )

/** A floating IP of an address that the port gives up is let go. */
async function refuseLosingFloatingIps(
  deps: NetworkDeps,
  scene: Scene,
  row: PortRow,
  fixedIps: readonly FixedIp[],
): Promise<void> {
  const kept = fixedIps.map(ip => ip.ip_address)
  const mapped = await scene.tx
    .selectFrom('floatingips')
    .select(['id', 'fixed_ip_address'])
    .where('port_id', '=', row.id)
    .execute()
  const lost = mapped.filter(ip => !kept.includes(ip.fixed_ip_address!)).map(ip => ip.id)
  if (lost.length === 0) return
  await scene.tx
    .updateTable('floatingips')
    .set({ port_id: null, fixed_ip_address: null, router_id: null, status: 'DOWN' })
    .where('id', 'in', lost)
    .execute()
  touch(deps, scene, 'floatingips', ...lost)
}

async function changedMac(
  deps: NetworkDeps,
  scene: Scene,
  row: PortRow,
  body: Update<Fields>,
  host: string,
): Promise<string> {
  const before = row.mac_address!
  if (body.mac_address === undefined || body.mac_address?.toLowerCase() === before) return before
  if (host !== '') throw portBound(row.id, 'ovs', before, body.mac_address ?? 'a new one')
  return takeMac(deps, scene.tx, row.network_id, body.mac_address)
}

async function changeSecurity(
  deps: NetworkDeps,
  scene: Scene,
  scope: {
    row: PortRow
    body: Update<Fields>
    fixedIps: readonly FixedIp[]
    mac: string
    change: Change<PortRow>
  },
): Promise<void> {
  const { row, body, fixedIps, mac, change } = scope
  const secure = body.port_security_enabled ?? row.port_security_enabled
  const before = (await groupIdsOf(scene.tx, [row.id])).get(row.id) ?? []
  let groups: readonly string[] = before
  if (body.security_groups !== undefined) {
    groups = body.security_groups ?? []
    if (groups.length > 0 && !secure) throw portSecurityNeeded()
    await checkGroups(
      scene,
      row.project_id,
      groups.filter(id => !before.includes(id)),
    )
    await bindGroups(scene.tx, row.id, groups)
  } else if (secure && !row.port_security_enabled && before.length === 0) {
    groups = await groupsOf(deps, scene, {
      given: undefined,
      secure,
      projectId: row.project_id,
      owner: row.device_owner,
      fixedIps,
    })
    await bindGroups(scene.tx, row.id, groups)
  }
  if (!secure && groups.length > 0) throw portSecurityHasGroups()
  if (body.allowed_address_pairs !== undefined || !secure)
    change.allowed_address_pairs = checkPairs(body.allowed_address_pairs ?? row.allowed_address_pairs, mac, secure)
}

/** Options are changed one by one: a null value takes one away, the others stay. */
function mergeOptions(before: PortRow['extra_dhcp_opts'], given: PortRow['extra_dhcp_opts']) {
  const key = (option: PortRow['extra_dhcp_opts'][number]) => `${option.opt_name} ${option.ip_version ?? 4}`
  const merged = new Map(before.map(option => [key(option), option]))
  for (const option of given)
    if (option.opt_value === null) merged.delete(key(option))
    else merged.set(key(option), { ...option, ip_version: option.ip_version ?? 4 })
  return [...merged.values()]
}

/** Ports that belong to a router or a floating IP go with it, not by themselves. */
export async function beforeDeletePort(deps: NetworkDeps, scene: Scene, row: PortRow): Promise<void> {
  const owned = [DEVICE_OWNERS.routerInterface, DEVICE_OWNERS.routerGateway, DEVICE_OWNERS.floatingIp] as string[]
  if (owned.includes(row.device_owner) && (await deviceExists(scene.tx, row)))
    throw servicePortInUse(row.id, `has device owner ${row.device_owner}`)
  if (row.device_owner === DEVICE_OWNERS.metadata && !isAdmin(scene.context) && !isService(scene.context))
    throw servicePortInUse(row.id, `has device owner ${row.device_owner}`)
  await releasePorts(deps, scene, [row.id])
}

async function deviceExists(db: NetworkDb, row: PortRow): Promise<boolean> {
  const table = row.device_owner === DEVICE_OWNERS.floatingIp ? 'floatingips' : 'routers'
  return (await db.selectFrom(table).select('id').where('id', '=', row.device_id).executeTakeFirst()) !== undefined
}
