/** The image and network services as a caller of compute sees them, over their APIs. */
import { type ImageView, paths as imagePaths } from '@strata/image/contract'
import { floatingip, network, port, securityGroup } from '@strata/network/contract'
import { client, type Session } from '@strata/sdk'
import type {
  AsCaller,
  CallerFloatingIp,
  CallerImage,
  CallerNetwork,
  CallerPort,
  CallerSecurityGroup,
  CallerSecurityRule,
  CallerServices,
} from '../../logic/ports/caller.ts'

/** `session` is any; its transport is used with the caller's token. */
export function asCallerOf(session: Session): AsCaller {
  return caller => callerServices(session.as(caller.tokenText ?? ''))
}

function callerServices(session: Session): CallerServices {
  const ports = client(session, 'network', port)
  const networks = client(session, 'network', network)
  const groups = client(session, 'network', securityGroup)
  const floatingIps = client(session, 'network', floatingip)
  return {
    async image(id) {
      const path = imagePaths.image(id)
      const answer = await session.call<ImageView>({ service: 'image', method: 'GET', path, accept: [404] })
      return answer.status === 404 ? undefined : imageOf(answer.body)
    },
    network: async id => optional(await networks.find(id), networkOf),
    async networks(projectId) {
      const [own, shared] = await Promise.all([
        networks.list({ project_id: projectId, 'router:external': false }),
        networks.list({ shared: true, 'router:external': false }),
      ])
      const all = new Map([...own, ...shared].map(one => [one.id, networkOf(one)]))
      return [...all.values()].filter(one => one.subnets.length > 0)
    },
    port: async id => optional(await ports.find(id), portOf),
    portsOf: async serverId => (await ports.list({ device_id: serverId })).map(portOf),
    securityGroups: async projectId => (await groups.list({ project_id: projectId })).map(groupOf),
    async setSecurityGroups(portId, groupIds) {
      await ports.update(portId, { security_groups: [...groupIds] })
    },
    async floatingIp(address) {
      const [found] = await floatingIps.list({ floating_ip_address: address })
      return optional(found, floatingIpOf)
    },
    async assignFloatingIp(id, to) {
      const target = to === null ? { port_id: null } : { port_id: to.portId, ...fixedIpOf(to) }
      await floatingIps.update(id, target)
    },
  }
}

type Listed<C extends { list(): Promise<readonly unknown[]> }> = Awaited<ReturnType<C['list']>>[number]
type Port = Listed<ReturnType<typeof client<typeof port.fields>>>
type Network = Listed<ReturnType<typeof client<typeof network.fields>>>
type Group = Listed<ReturnType<typeof client<typeof securityGroup.fields>>>
export type FloatingIp = Listed<ReturnType<typeof client<typeof floatingip.fields>>>

const optional = <A, B>(value: A | undefined, map: (value: A) => B): B | undefined =>
  value === undefined ? undefined : map(value)

const fixedIpOf = ({ fixedIp }: { readonly fixedIp?: string }) =>
  fixedIp === undefined ? {} : { fixed_ip_address: fixedIp }

const networkOf = (found: Network): CallerNetwork => ({
  id: found.id,
  name: found.name,
  external: found['router:external'],
  shared: found.shared,
  subnets: found.subnets,
})

const portOf = (found: Port): CallerPort => ({
  id: found.id,
  networkId: found.network_id,
  macAddress: found.mac_address ?? '',
  status: found.status,
  deviceId: found.device_id,
  fixedIps: (found.fixed_ips ?? []).map(({ subnet_id = '', ip_address = '' }) => ({ subnet_id, ip_address })),
  securityGroups: found.security_groups ?? [],
})

export const groupOf = (found: Group): CallerSecurityGroup => ({
  id: found.id,
  name: found.name,
  description: found.description ?? '',
  projectId: found.project_id,
  rules: ((found.security_group_rules ?? []) as readonly Partial<ListedRule>[]).map(ruleOf),
})

interface ListedRule {
  readonly id: string
  readonly direction: 'ingress' | 'egress'
  readonly protocol: string | number | null
  readonly port_range_min: number | null
  readonly port_range_max: number | null
  readonly remote_ip_prefix: string | null
  readonly remote_group_id: string | null
}

export const ruleOf = (found: Partial<ListedRule>): CallerSecurityRule => ({
  id: found.id ?? '',
  direction: found.direction ?? 'ingress',
  protocol: found.protocol === null || found.protocol === undefined ? null : String(found.protocol),
  portMin: found.port_range_min ?? null,
  portMax: found.port_range_max ?? null,
  remotePrefix: found.remote_ip_prefix ?? null,
  remoteGroupId: found.remote_group_id ?? null,
})

export const floatingIpOf = (found: FloatingIp): CallerFloatingIp => ({
  id: found.id,
  address: found.floating_ip_address ?? '',
  portId: found.port_id,
})

const baseAttributes = new Set([
  ...['id', 'name', 'status', 'visibility', 'protected', 'os_hidden', 'checksum', 'os_hash_algo', 'os_hash_value'],
  ...['owner', 'size', 'virtual_size', 'container_format', 'disk_format', 'created_at', 'updated_at', 'tags'],
  ...['min_ram', 'min_disk', 'self', 'file', 'schema', 'stores'],
])

export const imageOf = (image: ImageView): CallerImage => ({
  id: image.id,
  name: image.name,
  status: image.status,
  size: image.size,
  virtualSize: image.virtual_size,
  minDisk: image.min_disk,
  minRam: image.min_ram,
  properties: Object.fromEntries(
    Object.entries(image).filter(
      (entry): entry is [string, string] => !baseAttributes.has(entry[0]) && typeof entry[1] === 'string',
    ),
  ),
})
