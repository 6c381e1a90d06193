/** How a server is shown: its row as the latest version's view. Lists of a thousand go through here, so little is allocated. */
import { createHash } from 'node:crypto'
import { toNaive, toSeconds } from '@strata/toolkit/runtime'
import type { Nic } from '../../contract/nic.ts'
import type {
  BasicServerView,
  EmbeddedFlavor,
  Link,
  LinkedResource,
  ServerView,
  ShownAddress,
  ShownFault,
} from '../../contract/server.ts'
import { statusOf } from '../../contract/states.ts'
import type { FlavorCopy, ServerFault } from '../../store/database.ts'
import { instanceName, type Server } from '../../store/servers.ts'

/** What the caller may see, decided once for an answer. */
export interface ViewScene {
  /** `http://host:port/compute`. */
  readonly baseUrl: string
  readonly extended: boolean
  readonly extraSpecs: boolean
  /** Details of a fault that is not the caller's. */
  readonly faultDetails: boolean
  /** `UP`, `DOWN`, … of a host; absent when the caller may not see it. */
  readonly hostStatus: ((hostname: string) => string) | undefined
  /** Only some status is shown, the others are left out. */
  readonly onlyUnknownHosts?: boolean
  readonly groups: boolean
}

export function basicView(scene: Pick<ViewScene, 'baseUrl'>, server: Pick<Server, 'id' | 'name'>): BasicServerView {
  return { id: server.id, name: server.name, links: linksOf(scene, 'servers', server.id) }
}

export function linksOf({ baseUrl }: Pick<ViewScene, 'baseUrl'>, collection: string, id: string): readonly Link[] {
  return [
    { rel: 'self', href: `${baseUrl}/v2.1/${collection}/${id}` },
    { rel: 'bookmark', href: `${baseUrl}/${collection}/${id}` },
  ]
}

const bookmarked = ({ baseUrl }: Pick<ViewScene, 'baseUrl'>, collection: string, id: string): LinkedResource => ({
  id,
  links: [{ rel: 'bookmark', href: `${baseUrl}/${collection}/${id}` }],
})

/** The flavor as versions before 2.47 show it. */
export const flavorLink = (scene: Pick<ViewScene, 'baseUrl'>, server: Server): LinkedResource =>
  bookmarked(scene, 'flavors', encodeURIComponent(server.flavor_id))

const progressing = new Set(['ACTIVE', 'BUILD', 'REBUILD', 'RESIZE', 'VERIFY_RESIZE', 'MIGRATING'])
const faulty = new Set(['ERROR', 'DELETED'])
const noVolumes: ServerView['os-extended-volumes:volumes_attached'] = []

export function serverView(scene: ViewScene, server: Server): ServerView {
  const status = statusOf(server.vm_state, server.task_state)
  const { extended } = scene
  const seen = <T>(value: T): T | undefined => (extended ? value : undefined)
  return {
    id: server.id,
    name: server.name,
    status,
    tenant_id: server.project_id,
    user_id: server.user_id,
    metadata: server.metadata,
    hostId: hostId(server),
    image: server.image_id === null ? '' : bookmarked(scene, 'images', server.image_id),
    flavor: embedded(server.flavor, scene.extraSpecs),
    created: toSeconds(server.created_at),
    updated: toSeconds(server.updated_at),
    addresses: addressesOf(server.nics),
    accessIPv4: server.access_ip_v4 ?? '',
    accessIPv6: server.access_ip_v6 ?? '',
    links: linksOf(scene, 'servers', server.id),
    'OS-DCF:diskConfig': server.disk_config,
    fault: server.fault !== null && faulty.has(status) ? shownFault(server.fault, scene.faultDetails) : undefined,
    progress: progressing.has(status) ? server.progress : undefined,
    'OS-EXT-AZ:availability_zone': server.availability_zone,
    pinned_availability_zone: server.requested_zone,
    config_drive: server.config_drive ? 'True' : '',
    key_name: server.key_name,
    'OS-SRV-USG:launched_at': server.launched_at === null ? null : toNaive(server.launched_at),
    'OS-SRV-USG:terminated_at': null,
    security_groups: server.nics.length === 0 ? undefined : server.security_groups.map(name => ({ name })),
    'OS-EXT-SRV-ATTR:host': seen(server.host),
    'OS-EXT-SRV-ATTR:instance_name': seen(instanceName(server)),
    'OS-EXT-SRV-ATTR:hypervisor_hostname': seen(server.host),
    'OS-EXT-SRV-ATTR:reservation_id': seen(server.reservation_id),
    'OS-EXT-SRV-ATTR:launch_index': seen(server.launch_index),
    'OS-EXT-SRV-ATTR:hostname': server.hostname,
    'OS-EXT-SRV-ATTR:kernel_id': seen(''),
    'OS-EXT-SRV-ATTR:ramdisk_id': seen(''),
    'OS-EXT-SRV-ATTR:root_device_name': seen(server.root_device_name),
    'OS-EXT-SRV-ATTR:user_data': seen(server.user_data),
    'OS-EXT-STS:task_state': server.task_state,
    'OS-EXT-STS:vm_state': server.vm_state,
    'OS-EXT-STS:power_state': server.power_state,
    'os-extended-volumes:volumes_attached': noVolumes,
    host_status: shownHostStatus(scene, server.host),
    locked: server.locked,
    locked_reason: server.locked_reason,
    description: server.description,
    tags: server.tags,
    trusted_image_certificates: null,
    server_groups: scene.groups ? (server.server_group_id === null ? [] : [server.server_group_id]) : undefined,
  }
}

function embedded(flavor: FlavorCopy, extraSpecs: boolean): EmbeddedFlavor {
  return {
    vcpus: flavor.vcpus,
    ram: flavor.ram,
    disk: flavor.disk,
    ephemeral: flavor.ephemeral,
    swap: flavor.swap,
    original_name: flavor.name,
    extra_specs: extraSpecs ? flavor.extra_specs : undefined,
  }
}

function shownFault(fault: ServerFault, details: boolean): ShownFault {
  return {
    code: fault.code,
    created: toSeconds(fault.created),
    message: fault.message,
    details: fault.details !== undefined && (details || fault.code !== 500) ? fault.details : undefined,
  }
}

function shownHostStatus(scene: ViewScene, host: string | null): string | undefined {
  if (!scene.hostStatus) return undefined
  const status = host === null ? '' : scene.hostStatus(host)
  return scene.onlyUnknownHosts && status !== 'UNKNOWN' ? undefined : status
}

/** Addresses by the name of their network. */
export function addressesOf(nics: readonly Nic[]): Readonly<Record<string, readonly ShownAddress[]>> {
  const byLabel: Record<string, ShownAddress[]> = {}
  for (const nic of nics) {
    byLabel[nic.label] ??= []
    const list = byLabel[nic.label]!
    const add = (addr: string, type: 'fixed' | 'floating') =>
      list.push({
        version: addr.includes(':') ? 6 : 4,
        addr,
        'OS-EXT-IPS:type': type,
        'OS-EXT-IPS-MAC:mac_addr': nic.mac_address,
      })
    for (const { ip_address } of nic.fixed_ips) add(ip_address, 'fixed')
    for (const { floating_ip_address } of nic.floating_ips) add(floating_ip_address, 'floating')
  }
  return byLabel
}

const hostIds = new Map<string, string>()

/** The same for servers of one project on one host, telling nothing of the host: SHA-224 of both names, as Nova's. */
export function hostId(server: Pick<Server, 'host' | 'project_id'>): string {
  if (server.host === null) return ''
  const key = server.project_id + server.host
  let id = hostIds.get(key)
  if (id === undefined) {
    // Forgotten whole when it grows large: it is quickly made again.
    if (hostIds.size > 10_000) hostIds.clear()
    id = createHash('sha224').update(key).digest('hex')
    hostIds.set(key, id)
  }
  return id
}
