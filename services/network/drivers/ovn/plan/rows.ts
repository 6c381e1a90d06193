/**
 * The form of a plan: northbound rows as data, before anything has a UUID. A row is known by its *key*, which is unique
 * among all rows and stored as external id `strata:id`; `named(key)` as a value refers to the row with that key.
 */

import type { Row } from '@strata/toolkit/ovsdb'
import type {
  FixedIp,
  NetworkRecord,
  NetworkSnapshot,
  PortRecord,
  RouterRecord,
  SubnetRecord,
} from '../../../logic/ports.ts'

/** The external id that marks rows as ours; its value is the row's key. */
export const MARK = 'strata:id'

export type NorthboundTable =
  | 'Logical_Switch'
  | 'Logical_Switch_Port'
  | 'Logical_Router'
  | 'Logical_Router_Port'
  | 'Logical_Router_Static_Route'
  | 'NAT'
  | 'DHCP_Options'
  | 'ACL'
  | 'Port_Group'
  | 'Gateway_Chassis'

export interface PlannedRow {
  readonly table: NorthboundTable
  readonly key: string
  /** Every column that the plan governs; `external_ids` always holds the mark. */
  readonly columns: Row
}

/** A row with its mark set. */
export function planned(
  table: NorthboundTable,
  key: string,
  columns: Row,
  externalIds: Readonly<Record<string, string>> = {},
): PlannedRow {
  return { table, key, columns: { ...columns, external_ids: { ...externalIds, [MARK]: key } } }
}

/** A chassis that may carry gateways, with the physical networks it is wired to. */
export interface GatewayCandidate {
  readonly chassis: string
  readonly physicalNetworks: readonly string[]
}

export interface PlanOptions {
  readonly gatewayCandidates: readonly GatewayCandidate[]
  /** Told to guests of subnets that name no resolvers. */
  readonly dnsServers: readonly string[]
}

/** The snapshot with the lookups that all parts of the plan need. */
export interface View {
  readonly snapshot: NetworkSnapshot
  readonly options: PlanOptions
  readonly networks: ReadonlyMap<string, NetworkRecord>
  readonly subnets: ReadonlyMap<string, SubnetRecord>
  readonly ports: ReadonlyMap<string, PortRecord>
  readonly routers: ReadonlyMap<string, RouterRecord>
  readonly portsOfNetwork: ReadonlyMap<string, readonly PortRecord[]>
  readonly portsOfDevice: ReadonlyMap<string, readonly PortRecord[]>
}

function byId<T extends { readonly id: string }>(records: readonly T[]): Map<string, T> {
  return new Map(records.map(record => [record.id, record]))
}

export function createView(snapshot: NetworkSnapshot, options: PlanOptions): View {
  return {
    snapshot,
    options,
    networks: byId(snapshot.networks),
    subnets: byId(snapshot.subnets),
    ports: byId(snapshot.ports),
    routers: byId(snapshot.routers),
    portsOfNetwork: Map.groupBy(snapshot.ports, port => port.network_id),
    portsOfDevice: Map.groupBy(snapshot.ports, port => port.device_id),
  }
}

/** Names under which Neutron's tools look for switches and routers. */
export const switchName = (networkId: string): string => `neutron-${networkId}`
export const routerName = (routerId: string): string => `neutron-${routerId}`
export const routerPortName = (portId: string): string => `lrp-${portId}`

export function prefixLength(cidr: string): string {
  return cidr.slice(cidr.indexOf('/') + 1)
}

/** `10.0.0.5/24`: the address with the length of its subnet's prefix. Addresses of unknown subnets are left out. */
export function addressesWithPrefix(view: View, fixedIps: readonly FixedIp[]): string[] {
  return fixedIps.flatMap(({ subnet_id, ip_address }) => {
    const subnet = view.subnets.get(subnet_id)
    return subnet === undefined ? [] : [`${ip_address}/${prefixLength(subnet.cidr)}`]
  })
}

export function isIpv6(address: string): boolean {
  return address.includes(':')
}
