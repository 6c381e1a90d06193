/** Which networks need a way to the metadata service on this host, and the proxy's configuration for them. Pure. */

import type { Row } from '@strata/toolkit/ovsdb'
import { METADATA_IPV4, METADATA_IPV6 } from '../../logic/ports.ts'

export interface MetadataNetwork {
  readonly networkId: string
  /** The localport in the northbound database. */
  readonly portId: string
  readonly macAddress: string
  /** With prefix lengths. */
  readonly cidrs: readonly string[]
  readonly mtu: number
}

export const namespaceName = (networkId: string): string => `ovnmeta-${networkId}`
/** The host's end of the namespace's link, at most 15 characters. */
export const hostDevice = (networkId: string): string => `smd${networkId.replaceAll('-', '').slice(0, 11)}`
/** The namespace's end. */
export const METADATA_DEVICE = 'metadata'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Networks that have a localport and a guest's port on this chassis, from the southbound database's `Port_Binding` rows,
 * to which `ovn-northd` copies the external ids of the logical switch ports.
 */
export function metadataNetworks(bindings: Iterable<Row>, chassisUuid: string): MetadataNetwork[] {
  const local = new Set<unknown>()
  const localports: Row[] = []
  for (const row of bindings) {
    if (row['type'] === 'localport') localports.push(row)
    else if (row['type'] === '' && row['chassis'] === chassisUuid) local.add(row['datapath'])
  }
  return localports
    .filter(row => local.has(row['datapath']))
    .flatMap(row => {
      const ids = row['external_ids'] as Record<string, string>
      const networkId = (ids['neutron:network_name'] ?? '').replace(/^neutron-/, '')
      const [macAddress] = ((row['mac'] as string[])[0] ?? '').split(' ')
      // The id becomes a part of names and of a configuration file: nothing else than a UUID may get there.
      if (!UUID.test(networkId) || !macAddress) return []
      const cidrs = (ids['neutron:cidrs'] ?? '').split(' ').filter(cidr => cidr !== '')
      return {
        networkId,
        portId: row['logical_port'] as string,
        macAddress,
        cidrs,
        mtu: Number(ids['neutron:mtu'] ?? 1500),
      }
    })
    .sort((a, b) => (a.networkId < b.networkId ? -1 : 1))
}

export interface ProxyOptions {
  readonly networkIds: readonly string[]
  /** Unix socket of the metadata service. */
  readonly metadataSocket: string
  /** Unix socket over which a reloading proxy hands its listeners on. */
  readonly controlSocket: string
  /** Unprivileged account for the workers; undefined leaves them with the starter's. */
  readonly user: string | undefined
}

/**
 * One listener per network, in the network's namespace. The proxy says from which network and address a request came;
 * what a guest claims about that itself is dropped.
 */
export function proxyConfig({ networkIds, metadataSocket, controlSocket, user }: ProxyOptions): string {
  const account = user === undefined ? '' : `  user ${user}\n  group ${user}\n`
  const frontends = networkIds.map(id => {
    const namespace = namespaceName(id)
    return `
frontend ${id}
  bind ${METADATA_IPV4}:80 namespace ${namespace}
  bind [${METADATA_IPV6}]:80 namespace ${namespace} interface ${METADATA_DEVICE}
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-OVN-Network-ID ${id}
  http-request del-header X-Instance-ID
  http-request del-header X-Instance-ID-Signature
  http-request del-header X-Tenant-ID
  http-request del-header X-OVN-Router-ID
  http-request del-header Forwarded
  default_backend metadata
`
  })
  return `global
${account}  maxconn 1024
  nbthread 1
  stats socket ${controlSocket} mode 600 level admin expose-fd listeners
  hard-stop-after 30s

defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout http-request 30s

backend metadata
  server service unix@${metadataSocket}
${frontends.join('')}`
}
