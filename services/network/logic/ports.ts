/**
 * What the network service asks of the data plane under it. Drivers implement this; nothing here knows OVN or OVSDB.
 *
 * Words: a *snapshot* is all that should exist, as plain records whose fields have the names of the Networking API v2.0;
 * a *backend* makes the data plane equal to it and tells what really is (which ports are up, which agents live).
 * Desired state flows one way: whoever owns the database hands in snapshots or changes, the backend never asks for more.
 *
 * Which records a complete snapshot holds beside what users made:
 * - each router interface is a port with `device_owner` `network:router_interface` and `device_id` the router's id;
 * - each router gateway is a port with `network:router_gateway`, the router's id, and the addresses of
 *   `external_gateway_info.external_fixed_ips`;
 * - each network whose guests shall reach metadata has one port with `network:distributed` (see `METADATA_PORT_OWNER`),
 *   `device_id` `ovnmeta-<network id>`, with one fixed IP in each subnet that has DHCP;
 * - ports with `network:floatingip` only reserve an address; they may be in the snapshot and are ignored.
 */

/** `device_owner` of the port through which a network's guests reach the metadata service. */
export const METADATA_PORT_OWNER = 'network:distributed'
export const ROUTER_INTERFACE_OWNER = 'network:router_interface'
export const ROUTER_GATEWAY_OWNER = 'network:router_gateway'
export const FLOATING_IP_OWNER = 'network:floatingip'

/** The address at which guests find their metadata, IPv4 and IPv6. */
export const METADATA_IPV4 = '169.254.169.254'
export const METADATA_IPV6 = 'fe80::a9fe:a9fe'

export interface NetworkRecord {
  readonly id: string
  readonly project_id: string
  readonly name: string
  /** Bytes of an IP packet; told to guests by DHCP and by router advertisement. */
  readonly mtu: number
  readonly admin_state_up: boolean
  readonly 'router:external': boolean
  readonly port_security_enabled?: boolean
  /** `flat` and `vlan` need `provider:physical_network`, `vlan` needs a segmentation id; `geneve` is an overlay. */
  readonly 'provider:network_type': 'flat' | 'vlan' | 'geneve' | 'local'
  readonly 'provider:physical_network': string | null
  readonly 'provider:segmentation_id': number | null
}

export type Ipv6Mode = 'slaac' | 'dhcpv6-stateful' | 'dhcpv6-stateless'

export interface SubnetRecord {
  readonly id: string
  readonly network_id: string
  readonly name?: string
  readonly cidr: string
  readonly ip_version: 4 | 6
  readonly gateway_ip: string | null
  readonly enable_dhcp: boolean
  readonly dns_nameservers: readonly string[]
  readonly host_routes: readonly { readonly destination: string; readonly nexthop: string }[]
  readonly ipv6_ra_mode: Ipv6Mode | null
  readonly ipv6_address_mode: Ipv6Mode | null
}

export interface FixedIp {
  readonly subnet_id: string
  readonly ip_address: string
}

export interface PortRecord {
  readonly id: string
  readonly network_id: string
  readonly project_id: string
  readonly name?: string
  readonly mac_address: string
  readonly fixed_ips: readonly FixedIp[]
  readonly admin_state_up: boolean
  readonly security_groups: readonly string[]
  readonly port_security_enabled: boolean
  /** `ip_address` may be an address or a CIDR; `mac_address` defaults to the port's own. */
  readonly allowed_address_pairs: readonly { readonly ip_address: string; readonly mac_address?: string }[]
  readonly device_owner: string
  readonly device_id: string
  /** Empty while no host was chosen. When set, only that host may bind the port. */
  readonly 'binding:host_id': string
  readonly extra_dhcp_opts: readonly {
    readonly opt_name: string
    readonly opt_value: string
    readonly ip_version?: 4 | 6
  }[]
}

export interface RouterRecord {
  readonly id: string
  readonly project_id: string
  readonly name: string
  readonly admin_state_up: boolean
  readonly external_gateway_info: {
    readonly network_id: string
    readonly enable_snat: boolean
    readonly external_fixed_ips: readonly FixedIp[]
  } | null
  readonly routes: readonly { readonly destination: string; readonly nexthop: string }[]
}

/** Counts only while `port_id`, `router_id` and `fixed_ip_address` are set. */
export interface FloatingIpRecord {
  readonly id: string
  readonly project_id: string
  readonly floating_network_id: string
  readonly floating_ip_address: string
  readonly fixed_ip_address: string | null
  readonly port_id: string | null
  readonly router_id: string | null
}

export interface SecurityGroupRecord {
  readonly id: string
  readonly project_id: string
  readonly name: string
  readonly stateful?: boolean
}

export interface SecurityGroupRuleRecord {
  readonly id: string
  readonly security_group_id: string
  readonly direction: 'ingress' | 'egress'
  readonly ethertype: 'IPv4' | 'IPv6'
  /** A name (`tcp`, `udp`, `icmp`, `ipv6-icmp`, `sctp`, …) or a number 0 to 255; null is any. */
  readonly protocol: string | null
  /** For ICMP these are the type (`min`) and the code (`max`). */
  readonly port_range_min: number | null
  readonly port_range_max: number | null
  readonly remote_group_id: string | null
  readonly remote_ip_prefix: string | null
}

/** All that should exist in the data plane. Records that refer to others which are absent are ignored by backends. */
export interface NetworkSnapshot {
  readonly networks: readonly NetworkRecord[]
  readonly subnets: readonly SubnetRecord[]
  readonly ports: readonly PortRecord[]
  readonly routers: readonly RouterRecord[]
  readonly floatingips: readonly FloatingIpRecord[]
  readonly security_groups: readonly SecurityGroupRecord[]
  readonly security_group_rules: readonly SecurityGroupRuleRecord[]
}

/** New or changed records, whole, and the ids of removed ones (of any kind). Removal comes first. */
export interface SnapshotChange {
  readonly put?: Partial<NetworkSnapshot>
  readonly removed?: readonly string[]
}

export interface SyncReport {
  /** How many rows of the data plane's configuration were made, changed and removed; all 0 when it was equal already. */
  readonly created: number
  readonly updated: number
  readonly deleted: number
  readonly durationMs: number
}

export interface PortStatus {
  readonly port_id: string
  readonly status: 'ACTIVE' | 'DOWN'
  /** The host that has bound the port; absent while none has. */
  readonly host?: string
}

/** One line of `openstack network agent list`, in the API's names. */
export interface NetworkAgent {
  readonly id: string
  readonly agent_type: 'OVN Controller agent' | 'OVN Controller Gateway agent' | 'OVN Metadata agent'
  readonly binary: string
  readonly host: string
  readonly topic: string
  readonly alive: boolean
  readonly admin_state_up: boolean
  readonly availability_zone: string
  /** RFC 3339 in UTC; the last time the agent was heard. */
  readonly heartbeat_timestamp: string
  readonly configurations: Readonly<Record<string, unknown>>
}

export interface NetworkBackend {
  readonly name: string
  /** Connects to (and, where the backend owns it, starts) the data plane. Call once, before anything else. */
  open(): Promise<void>
  /**
   * Makes the data plane equal to `desired`, whatever was in it. Idempotent; resolves once the configuration is
   * accepted (ports come up later, see `watchPorts`). Calls queue up behind each other.
   */
  sync(desired: NetworkSnapshot): Promise<SyncReport>
  /**
   * Like `sync` with the last snapshot changed by `change`; cheap. Changes that wait for the same turn are made together.
   * Rejects when there was no `sync` before, and when the data plane refuses; in both cases the cure is a `sync`.
   */
  apply(change: SnapshotChange): Promise<SyncReport>
  /** What is known now of every port that the data plane has. */
  portStatuses(): readonly PortStatus[]
  /**
   * Calls `listener` at each change of a port's status or host, starting with all that is known. Events are hints: after
   * a reconnection all statuses are told anew. Returns the way to stop.
   */
  watchPorts(listener: (status: PortStatus) => void): () => void
  /** Agents seen by the data plane, dead ones too until they are removed. */
  agents(): Promise<readonly NetworkAgent[]>
  /** Lets go of connections and timers. The data plane goes on. */
  close(): Promise<void>
}

/** The data plane refused a change or cannot be reached; `message` says which, for the operator. */
export class BackendError extends Error {
  override readonly name = 'BackendError'
}

export const EMPTY_SNAPSHOT: NetworkSnapshot = {
  networks: [],
  subnets: [],
  ports: [],
  routers: [],
  floatingips: [],
  security_groups: [],
  security_group_rules: [],
}

/** The snapshot after `change`: pure, keeps the order of records. */
export function changeSnapshot(snapshot: NetworkSnapshot, change: SnapshotChange): NetworkSnapshot {
  const removed = new Set(change.removed ?? [])
  const merge = <T extends { readonly id: string }>(records: readonly T[], put: readonly T[] = []): readonly T[] => {
    if (put.length === 0 && removed.size === 0) return records
    const byId = new Map<string, T>()
    for (const record of records) if (!removed.has(record.id)) byId.set(record.id, record)
    for (const record of put) byId.set(record.id, record)
    return [...byId.values()]
  }
  const put = change.put ?? {}
  return {
    networks: merge(snapshot.networks, put.networks),
    subnets: merge(snapshot.subnets, put.subnets),
    ports: merge(snapshot.ports, put.ports),
    routers: merge(snapshot.routers, put.routers),
    floatingips: merge(snapshot.floatingips, put.floatingips),
    security_groups: merge(snapshot.security_groups, put.security_groups),
    security_group_rules: merge(snapshot.security_group_rules, put.security_group_rules),
  }
}
