/** Hosts as administrators see them: a compute service that is up or down, enabled or not, and a hypervisor with its use. */
import { badRequest, conflict, type Fault, notFound } from '@strata/toolkit/fault'
import { isoTime } from '@strata/toolkit/runtime'
import { listAggregates, saveAggregate } from '../store/aggregates.ts'
import { changeHost, listHostRows, type PlacedServer, placedServers, removeHostRow } from '../store/hosts.ts'
import type { Compute } from './compute.ts'
import type { HostCapacity } from './ports/hosts.ts'
import { aggregatesByHost, zoneOf } from './zones.ts'

export type HostDeps = Pick<Compute, 'store' | 'runtime' | 'config'>

export interface Host {
  readonly id: string
  /** What ids were before 2.53. */
  readonly number: number
  readonly hostname: string
  readonly zone: string
  readonly enabled: boolean
  readonly disabledReason: string | null
  readonly forcedDown: boolean
  /** Was heard of lately, and is not forced down. */
  readonly up: boolean
  /** When it was last heard of or changed, ISO 8601. */
  readonly updatedAt: string
  readonly capacity: HostCapacity
  readonly servers: readonly PlacedServer[]
}

/** The name that OpenStack's operators know the service of a host by. */
export const computeBinary = 'nova-compute'

export async function hosts({ store, runtime, config }: HostDeps): Promise<readonly Host[]> {
  const [rows, servers, aggregates] = await Promise.all([
    listHostRows(store.db),
    placedServers(store.db),
    aggregatesByHost(store.db),
  ])
  const oldest = runtime.now() - config.service_down_time * 1000
  const byHost = Map.groupBy(servers, server => server.host)
  return rows.map(row => ({
    id: row.id,
    number: row.number,
    hostname: row.hostname,
    zone: zoneOf(aggregates.get(row.hostname) ?? [], config),
    enabled: row.disabled === 0,
    disabledReason: row.disabled_reason,
    forcedDown: row.forced_down !== 0,
    up: row.forced_down === 0 && Date.parse(row.last_seen) > oldest,
    updatedAt: [row.last_seen, row.updated_at].sort().at(-1)!,
    capacity: JSON.parse(row.capacity) as HostCapacity,
    servers: byHost.get(row.hostname) ?? [],
  }))
}

/** By its id or, before 2.53, its number. */
export async function findHost(deps: HostDeps, key: { id: string } | { number: number }): Promise<Host | undefined> {
  const all = await hosts(deps)
  return all.find(host => ('id' in key ? host.id === key.id : host.number === key.number))
}

export interface HostChange {
  readonly enabled?: boolean
  /** Only with `enabled: false`. */
  readonly disabledReason?: string
  readonly forcedDown?: boolean
}

/** Scheduling onto a host, and whether it counts as down whatever it reports. */
export async function updateHost({ store, runtime }: HostDeps, id: string, change: HostChange): Promise<void> {
  const { enabled, disabledReason, forcedDown } = change
  await changeHost(store.db, id, {
    ...(enabled === undefined
      ? {}
      : { disabled: enabled ? 0 : 1, disabled_reason: enabled ? null : (disabledReason ?? null) }),
    ...(forcedDown === undefined ? {} : { forced_down: forcedDown ? 1 : 0 }),
    updated_at: isoTime(runtime.now()),
  })
}

export const serviceNotFound = (id: string): Fault => notFound(`Service ${id} not found.`, 'ServiceNotFound')

/**
 * Forgets a host: its service, its hypervisor and its place in aggregates. Throws a 409 while it has servers. A host that
 * still reports comes back with its next report.
 */
export async function deleteHost({ store, runtime }: HostDeps, host: Host): Promise<void> {
  await store.transaction(async tx => {
    const server = await tx
      .selectFrom('servers')
      .select('id')
      .where('host', '=', host.hostname)
      .limit(1)
      .executeTakeFirst()
    if (server)
      throw conflict(
        'Unable to delete compute service that is hosting instances. Migrate or delete the instances first.',
      )
    for (const aggregate of await listAggregates(tx))
      if (aggregate.hosts.includes(host.hostname))
        await saveAggregate(tx, {
          ...aggregate,
          hosts: aggregate.hosts.filter(one => one !== host.hostname),
          updated_at: isoTime(runtime.now()),
        })
    await removeHostRow(tx, host.id)
  })
}

/** The host that an early version's body names. Throws a 400 for another service than compute's, and a 404. */
export async function hostOfService(deps: HostDeps, name: string, binary: string): Promise<Host> {
  if (binary !== computeBinary)
    throw badRequest(
      `Updating a ${binary} service is not supported. Only ${computeBinary} services can be updated.`,
      'InvalidService',
    )
  const found = (await hosts(deps)).find(host => host.hostname === name)
  if (!found) throw notFound(`Could not find binary ${binary} on host ${name}.`, 'HostBinaryNotFound')
  return found
}

export interface HostUse {
  readonly vcpus: number
  readonly memoryMiB: number
  readonly diskGiB: number
}

/** What the servers on a host hold of it. */
export function useOf({ servers }: Pick<Host, 'servers'>): HostUse {
  const sum = (pick: (server: PlacedServer) => number) => servers.reduce((total, server) => total + pick(server), 0)
  return { vcpus: sum(one => one.vcpus), memoryMiB: sum(one => one.ram), diskGiB: sum(one => one.disk) }
}
