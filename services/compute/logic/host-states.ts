/** The hosts as the scheduler sees them, read from the database in three queries. */
import type { ComputeConfig } from '../contract/config.ts'
import { readFlavor } from '../store/servers.ts'
import type { HostState } from './scheduler/types.ts'
import type { ServerDeps } from './server/deps.ts'
import { aggregatesByHost, zoneOf } from './zones.ts'

type Held = { vcpus: number; memoryMiB: number; diskGiB: number; servers: HostState['servers'][number][] }

export async function hostStates(
  { store, runtime }: Pick<ServerDeps, 'store' | 'runtime'>,
  config: Pick<ComputeConfig, 'service_down_time' | 'default_availability_zone'>,
): Promise<readonly HostState[]> {
  const [hosts, servers, aggregates] = await Promise.all([
    store.db.selectFrom('hosts').selectAll().execute(),
    store.db
      .selectFrom('servers')
      .select(['id', 'host', 'flavor', 'server_group_id', 'vm_state'])
      .where('host', 'is not', null)
      .execute(),
    aggregatesByHost(store.db),
  ])
  const held = new Map<string, Held>()
  for (const server of servers) {
    const on = held.get(server.host!) ?? { vcpus: 0, memoryMiB: 0, diskGiB: 0, servers: [] }
    const flavor = readFlavor(server.flavor)
    on.vcpus += flavor.vcpus
    on.memoryMiB += flavor.ram
    on.diskGiB += flavor.disk + flavor.ephemeral
    on.servers.push({ id: server.id, groupId: server.server_group_id, building: server.vm_state === 'building' })
    held.set(server.host!, on)
  }
  const oldest = runtime.now() - config.service_down_time * 1000
  return hosts.map(host => {
    const { servers: here = [], ...used } = held.get(host.hostname) ?? { vcpus: 0, memoryMiB: 0, diskGiB: 0 }
    return {
      id: host.id,
      hostname: host.hostname,
      availabilityZone: zoneOf(aggregates.get(host.hostname) ?? [], config),
      enabled: host.disabled === 0,
      up: host.forced_down === 0 && Date.parse(host.last_seen) > oldest,
      capacity: JSON.parse(host.capacity),
      aggregates: aggregates.get(host.hostname) ?? [],
      used,
      servers: here,
    }
  })
}
