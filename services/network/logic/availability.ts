/** How many addresses of each network there are, and how many of them are in use. */
import { parseAddress, sizeOf } from '@strata/toolkit/ip'
import { type NetworkDb, networks, subnets } from '../store/database.ts'
import type { NetworkRow, SubnetRow } from './deps.ts'

export interface NetworkAvailability {
  readonly network_id: string
  readonly network_name: string
  readonly project_id: string
  readonly tenant_id: string
  readonly total_ips: bigint
  readonly used_ips: number
  readonly subnet_ip_availability: readonly {
    readonly subnet_id: string
    readonly subnet_name: string
    readonly cidr: string
    readonly ip_version: number
    readonly total_ips: bigint
    readonly used_ips: number
  }[]
}

const total = (subnet: SubnetRow): bigint =>
  subnet.allocation_pools.reduce(
    (sum, { start, end }) => sum + sizeOf({ first: parseAddress(start)!.value, last: parseAddress(end)!.value }),
    0n,
  )

/** Of all networks, or of one; subnets of one IP version when asked. */
export async function ipAvailabilities(
  db: NetworkDb,
  wanted: { readonly where?: Readonly<Record<string, unknown>>; readonly ipVersion?: number } = {},
): Promise<NetworkAvailability[]> {
  const rows = await networks.list(db, { where: wanted.where })
  const all = await subnets.list(db, wanted.ipVersion === undefined ? {} : { where: { ip_version: wanted.ipVersion } })
  const counts = await db
    .selectFrom('ip_allocations')
    .select(eb => ['subnet_id', eb.fn.countAll().as('n')])
    .groupBy('subnet_id')
    .execute()
  const used = new Map(counts.map(row => [row.subnet_id, Number(row.n)]))
  const byNetwork = Map.groupBy(all, subnet => subnet.network_id)
  return rows.map(row => availabilityOf(row, byNetwork.get(row.id) ?? [], used))
}

function availabilityOf(
  row: NetworkRow,
  members: readonly SubnetRow[],
  used: ReadonlyMap<string, number>,
): NetworkAvailability {
  const parts = members.map(subnet => ({
    subnet_id: subnet.id,
    subnet_name: subnet.name,
    cidr: subnet.cidr,
    ip_version: subnet.ip_version,
    total_ips: total(subnet),
    used_ips: used.get(subnet.id) ?? 0,
  }))
  return {
    network_id: row.id,
    network_name: row.name,
    project_id: row.project_id,
    tenant_id: row.project_id,
    total_ips: parts.reduce((sum, part) => sum + part.total_ips, 0n),
    used_ips: parts.reduce((sum, part) => sum + part.used_ips, 0),
    subnet_ip_availability: parts,
  }
}
