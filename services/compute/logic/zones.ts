/** Availability zones: each host is in the zone of its aggregate that has one, else in the default zone. */
import type { Kysely } from '@strata/toolkit/store'
import type { ComputeConfig } from '../contract/config.ts'
import type { ComputeTables } from '../store/database.ts'

type Db = Kysely<ComputeTables>

export interface HostAggregate {
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
}

/** The aggregates of each host, by its name. */
export async function aggregatesByHost(db: Db): Promise<ReadonlyMap<string, readonly HostAggregate[]>> {
  const rows = await db.selectFrom('aggregates').select(['name', 'metadata', 'hosts']).orderBy('id').execute()
  const byHost = new Map<string, HostAggregate[]>()
  for (const row of rows) {
    const aggregate: HostAggregate = { name: row.name, metadata: JSON.parse(row.metadata) }
    for (const host of JSON.parse(row.hosts) as string[]) byHost.set(host, [...(byHost.get(host) ?? []), aggregate])
  }
  return byHost
}

export const zoneOf = (
  aggregates: readonly HostAggregate[],
  config: Pick<ComputeConfig, 'default_availability_zone'>,
): string =>
  aggregates.map(aggregate => aggregate.metadata['availability_zone']).find(zone => zone !== undefined) ??
  config.default_availability_zone

/** Names of the zones that servers can be asked for in: those with hosts. */
export async function zoneNames(
  db: Db,
  config: Pick<ComputeConfig, 'default_availability_zone'>,
): Promise<ReadonlySet<string>> {
  const [hosts, aggregates] = await Promise.all([
    db.selectFrom('hosts').select('hostname').execute(),
    aggregatesByHost(db),
  ])
  return new Set(hosts.map(({ hostname }) => zoneOf(aggregates.get(hostname) ?? [], config)))
}
