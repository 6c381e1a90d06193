/** Networks: what they are made of below (their *segment*), and what keeps them from being deleted. */
import type { Create, Update } from '@strata/toolkit/schema'
import {
  availabilityZoneNotFound,
  externalNetworkInUse,
  flatNetworkInUse,
  invalidInput,
  invalidSharedSetting,
  networkInUse,
  noNetworkAvailable,
  tunnelIdInUse,
  vlanIdInUse,
} from '../contract/faults.ts'
import type { NetworkType, network } from '../contract/network.ts'
import { DEVICE_OWNERS } from '../contract/port.ts'
import type { NetworkDb } from '../store/database.ts'
import { type NetworkDeps, type NetworkRow, type Scene, touch } from './deps.ts'
import { removeUnmapped } from './floatingip.ts'
import { removePorts } from './port/remove.ts'
import { claim } from './quota.ts'
import { lowestFree } from './rules/segments.ts'

type Fields = typeof network.fields

/** Ports that a network takes with it when it goes. */
export const SERVICE_OWNERS: readonly string[] = [DEVICE_OWNERS.metadata, DEVICE_OWNERS.dhcp]

export async function beforeCreateNetwork(
  deps: NetworkDeps,
  scene: Scene,
  body: Create<Fields> & { readonly id: string },
): Promise<Partial<NetworkRow>> {
  await claim(deps, scene.tx, body.project_id ?? '', { network: 1 })
  checkZones(deps, body.availability_zone_hints ?? [])
  const segment = await takeSegment(deps, scene.tx, body)
  const type = segment['provider:network_type']
  const ceiling = deps.settings.physical_mtu - (type === 'geneve' ? deps.settings.overlay_overhead : 0)
  if (body.mtu !== undefined && body.mtu !== null) checkMtu(body.mtu, ceiling)
  return { ...segment, mtu: body.mtu ?? ceiling }
}

export function checkZones(deps: NetworkDeps, hints: readonly string[]): void {
  for (const hint of hints) if (hint !== deps.settings.availability_zone) throw availabilityZoneNotFound(hint)
}

function checkMtu(mtu: number, ceiling: number): void {
  if (mtu > ceiling) throw invalidInput(`Requested MTU is too big, maximum is ${ceiling}`)
}

type Segment = Pick<NetworkRow, 'provider:network_type' | 'provider:physical_network' | 'provider:segmentation_id'>

/** The segment as asked for, or of the usual type with an id of the pool; noted so that no other network takes it. */
async function takeSegment(
  deps: NetworkDeps,
  db: NetworkDb,
  body: Create<Fields> & { readonly id: string },
): Promise<Segment> {
  const wishedType = body['provider:network_type']
  const physical = body['provider:physical_network'] ?? null
  const wishedId = body['provider:segmentation_id'] ?? null
  if (!wishedType && (physical !== null || wishedId !== null)) throw invalidInput('network_type required')
  const type = wishedType ?? (deps.settings.project_network_type as NetworkType)
  const { key, id, physicalNetwork } = await segmentOf(deps, db, {
    ...body,
    type,
    physical,
    wishedId,
    own: !wishedType,
  })
  await db
    .insertInto('network_segments')
    .values({ network_id: body.id, segment: key, network_type: type, segmentation_id: id ?? 0 })
    .execute()
  return {
    'provider:network_type': type,
    'provider:physical_network': physicalNetwork,
    'provider:segmentation_id': id,
  }
}

interface SegmentWish {
  readonly id: string
  readonly type: NetworkType
  readonly physical: string | null
  readonly wishedId: number | null
  /** True when the caller said nothing of it. */
  readonly own: boolean
}

async function segmentOf(deps: NetworkDeps, db: NetworkDb, wish: SegmentWish) {
  const { type, physical, wishedId } = wish
  if (type === 'local' || type === 'geneve') {
    if (physical !== null) throw invalidInput(`provider:physical_network specified for ${type} network`)
    if (type === 'geneve') return overlay(deps, db, wishedId)
    if (wishedId !== null) throw invalidInput('provider:segmentation_id specified for local network')
    return { key: `local:${wish.id}`, id: null, physicalNetwork: null }
  }
  if (type === 'vlan') return vlan(deps, db, wish)
  if (physical === null) throw invalidInput('physical_network required for flat provider network')
  if (wishedId !== null) throw invalidInput('segmentation_id not allowed for flat provider network')
  knownPhysical(deps, physical)
  const key = `flat:${physical}`
  if (await isTaken(db, key)) throw flatNetworkInUse(physical)
  return { key, id: null, physicalNetwork: physical }
}

function knownPhysical(deps: NetworkDeps, physical: string): void {
  if (!(physical in deps.settings.physical_networks))
    throw invalidInput(`physical_network '${physical}' unknown for provider network`)
}

const isTaken = async (db: NetworkDb, segment: string): Promise<boolean> =>
  (await db.selectFrom('network_segments').select('network_id').where('segment', '=', segment).executeTakeFirst()) !==
  undefined

async function tunnels(db: NetworkDb): Promise<number[]> {
  const rows = await db
    .selectFrom('network_segments')
    .select('segmentation_id')
    .where('network_type', '=', 'geneve')
    .orderBy('segmentation_id')
    .execute()
  return rows.map(row => row.segmentation_id)
}

async function overlay(deps: NetworkDeps, db: NetworkDb, wishedId: number | null) {
  if (wishedId !== null) {
    const key = `geneve:${wishedId}`
    if (await isTaken(db, key)) throw tunnelIdInUse(wishedId)
    return { key, id: wishedId, physicalNetwork: null }
  }
  const id = lowestFree([deps.settings.geneve_ids], await tunnels(db))
  if (id === undefined) throw noNetworkAvailable()
  return { key: `geneve:${id}`, id, physicalNetwork: null }
}

async function vlan(deps: NetworkDeps, db: NetworkDb, { physical, wishedId, own }: SegmentWish) {
  if (physical === null && wishedId !== null)
    throw invalidInput('provider:segmentation_id requires physical_network for VLAN provider network')
  if (physical !== null) knownPhysical(deps, physical)
  if (wishedId !== null && (wishedId < 1 || wishedId > 4094))
    throw invalidInput('segmentation_id out of range (1 through 4094)')
  if (physical !== null && wishedId !== null) {
    const key = `vlan:${physical}:${wishedId}`
    if (await isTaken(db, key)) throw vlanIdInUse(wishedId, physical)
    return { key, id: wishedId, physicalNetwork: physical }
  }
  for (const [name, ranges] of Object.entries(deps.settings.physical_networks)) {
    if (physical !== null && name !== physical) continue
    const id = lowestFree(ranges, await vlansOf(db, name))
    if (id !== undefined) return { key: `vlan:${name}:${id}`, id, physicalNetwork: name }
  }
  if (own || physical === null) throw noNetworkAvailable()
  throw invalidInput(`no VLAN id of physical_network '${physical}' is left for project networks`)
}

async function vlansOf(db: NetworkDb, physical: string): Promise<number[]> {
  const rows = await db
    .selectFrom('networks')
    .select('provider:segmentation_id as id')
    .where('provider:network_type', '=', 'vlan')
    .where('provider:physical_network', '=', physical)
    .orderBy('id')
    .execute()
  return rows.map(row => row.id!)
}

export async function beforeUpdateNetwork(
  deps: NetworkDeps,
  scene: Scene,
  row: NetworkRow,
  body: Update<Fields>,
): Promise<void> {
  const { tx } = scene
  for (const field of ['provider:network_type', 'provider:physical_network', 'provider:segmentation_id'] as const)
    if (body[field] !== undefined && body[field] !== row[field])
      throw invalidInput(`${field} of a network cannot be changed`)
  if (body.mtu !== undefined && body.mtu !== null) {
    const overhead = row['provider:network_type'] === 'geneve' ? deps.settings.overlay_overhead : 0
    checkMtu(body.mtu, deps.settings.physical_mtu - overhead)
  }
  if (body['router:external'] === false && row['router:external']) {
    const used = await tx
      .selectFrom('ports')
      .select('id')
      .where('network_id', '=', row.id)
      .where('device_owner', 'in', [DEVICE_OWNERS.routerGateway, DEVICE_OWNERS.floatingIp])
      .executeTakeFirst()
    if (used) throw externalNetworkInUse(row.id)
  }
  if (body.shared === false && row.shared) {
    const foreign = await tx
      .selectFrom('ports')
      .select('id')
      .where('network_id', '=', row.id)
      .where('project_id', 'not in', [row.project_id, ''])
      .executeTakeFirst()
    if (foreign) throw invalidSharedSetting(row.name)
  }
}

/** A network goes with its subnets, its own service ports and unmapped floating IPs, unless others are plugged into it. */
export async function beforeDeleteNetwork(deps: NetworkDeps, scene: Scene, row: NetworkRow): Promise<void> {
  const { tx } = scene
  if (row['router:external']) await removeUnmapped(deps, scene, row.id)
  const all = await tx
    .selectFrom('ports')
    .select(['id', 'device_owner'])
    .where('network_id', '=', row.id)
    .orderBy('id')
    .execute()
  const others = all.filter(port => !SERVICE_OWNERS.includes(port.device_owner)).map(port => port.id)
  if (others.length > 0) throw networkInUse(row.id, others)
  await removePorts(
    deps,
    scene,
    all.map(port => port.id),
  )
  const subnets = await tx.selectFrom('subnets').select('id').where('network_id', '=', row.id).execute()
  const ids = subnets.map(subnet => subnet.id)
  if (ids.length > 0) {
    await tx.deleteFrom('subnets').where('id', 'in', ids).execute()
    await tx.deleteFrom('tags').where('resource_id', 'in', ids).execute()
  }
  await tx.deleteFrom('network_segments').where('network_id', '=', row.id).execute()
  await tx.deleteFrom('rbac_policies').where('object_id', '=', row.id).execute()
  touch(deps, scene, 'subnets', ...ids)
  touch(deps, scene, 'networks', row.id)
}

/** `subnets` of each network, by its id. */
export async function subnetIdsOf(db: NetworkDb, networkIds: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>(networkIds.map(id => [id, []]))
  if (networkIds.length === 0) return found
  const rows = await db
    .selectFrom('subnets')
    .select(['id', 'network_id'])
    .where('network_id', 'in', networkIds)
    .orderBy('created_at')
    .execute()
  for (const row of rows) found.get(row.network_id)!.push(row.id)
  return found
}
