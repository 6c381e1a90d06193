/** Weighers order the hosts that are left: each gives a number, scaled over all of them, so that the emptiest come first. */
import type { HostState, ScheduleRequest, Weigher } from './types.ts'

const membersOf = (host: HostState, { group }: ScheduleRequest): number =>
  group === undefined ? 0 : host.servers.filter(server => server.groupId === group.id).length

export const weighers: readonly Weigher[] = [
  { name: 'RAMWeigher', multiplier: 1, weigh: host => host.capacity.memoryMiB - host.used.memoryMiB },
  { name: 'CPUWeigher', multiplier: 1, weigh: host => host.capacity.vcpus - host.used.vcpus },
  { name: 'DiskWeigher', multiplier: 1, weigh: host => host.capacity.diskGiB - host.used.diskGiB },
  { name: 'IoOpsWeigher', multiplier: -1, weigh: host => host.servers.filter(server => server.building).length },
  {
    name: 'ServerGroupSoftAffinityWeigher',
    multiplier: 1,
    weigh: (host, request) => (request.group?.policy === 'soft-affinity' ? membersOf(host, request) : 0),
  },
  {
    name: 'ServerGroupSoftAntiAffinityWeigher',
    multiplier: -1,
    weigh: (host, request) => (request.group?.policy === 'soft-anti-affinity' ? membersOf(host, request) : 0),
  },
]

/**
 * Best first. Hosts of equal weight come in the order that `random` gives, so that requests which look at the same moment
 * do not all choose the same host.
 */
export function byWeight(
  hosts: readonly HostState[],
  request: ScheduleRequest,
  random: () => number,
): readonly HostState[] {
  const total = new Map<HostState, number>(hosts.map(host => [host, 0]))
  for (const { multiplier, weigh } of weighers) {
    const raw = hosts.map(host => weigh(host, request))
    const least = Math.min(...raw)
    const span = Math.max(...raw) - least
    if (span === 0) continue
    for (const [at, host] of hosts.entries())
      total.set(host, total.get(host)! + (multiplier * (raw[at]! - least)) / span)
  }
  const lot = new Map(hosts.map(host => [host, random()]))
  return [...hosts].sort((a, b) => total.get(b)! - total.get(a)! || lot.get(a)! - lot.get(b)!)
}
