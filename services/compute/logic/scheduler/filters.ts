/** Filters turn hosts away, each for one reason. Placement has counted resources before; these look at all else. */
import type { Filter, HostState } from './types.ts'

const membersOn = (host: HostState, groupId: string, serverId: string): number =>
  host.servers.filter(server => server.groupId === groupId && server.id !== serverId).length

const hasAny = (host: HostState, servers: readonly string[]): boolean =>
  host.servers.some(server => servers.includes(server.id))

const aggregatePrefix = 'aggregate_instance_extra_specs:'

/** Values that a host's aggregates give to a key; an aggregate may list several, with commas. */
const aggregateValues = (host: HostState, key: string): readonly string[] =>
  host.aggregates.flatMap(aggregate => aggregate.metadata[key]?.split(',').map(value => value.trim()) ?? [])

const architectures: Readonly<Record<string, string>> = { amd64: 'x86_64', x86: 'x86_64', arm64: 'aarch64' }
const architecture = (name: string): string => architectures[name.toLowerCase()] ?? name.toLowerCase()

export const filters: readonly Filter[] = [
  {
    name: 'ForcedHostFilter',
    accepts: (host, { forcedHost }) => forcedHost === undefined || host.hostname === forcedHost,
  },
  { name: 'RetryFilter', accepts: (host, { excludedHosts }) => !excludedHosts.includes(host.hostname) },
  { name: 'ComputeFilter', accepts: host => host.enabled && host.up },
  {
    name: 'AvailabilityZoneFilter',
    accepts: (host, { availabilityZone }) =>
      availabilityZone === undefined || host.availabilityZone === availabilityZone,
  },
  {
    name: 'ImagePropertiesFilter',
    accepts(host, { imageProperties }) {
      const wanted = imageProperties['hw_architecture'] ?? imageProperties['architecture']
      return wanted === undefined || architecture(wanted) === architecture(host.capacity.cpu.arch)
    },
  },
  {
    name: 'AggregateInstanceExtraSpecsFilter',
    accepts: (host, { flavor }) =>
      Object.entries(flavor.extra_specs)
        .filter(([key]) => key.startsWith(aggregatePrefix))
        .every(([key, value]) => aggregateValues(host, key.slice(aggregatePrefix.length)).includes(value)),
  },
  {
    name: 'AggregateMultiTenancyIsolation',
    accepts: (host, { projectId }) => {
      const reserved = aggregateValues(host, 'filter_tenant_id')
      return reserved.length === 0 || reserved.includes(projectId)
    },
  },
  {
    name: 'ServerGroupAffinityFilter',
    accepts: (host, { group, serverId }) =>
      group?.policy !== 'affinity' || !group.hasMembers || membersOn(host, group.id, serverId) > 0,
  },
  {
    name: 'ServerGroupAntiAffinityFilter',
    accepts: (host, { group, serverId }) =>
      group?.policy !== 'anti-affinity' || membersOn(host, group.id, serverId) < (group.maxServersPerHost ?? 1),
  },
  { name: 'SameHostFilter', accepts: (host, { sameHostAs }) => sameHostAs.length === 0 || hasAny(host, sameHostAs) },
  { name: 'DifferentHostFilter', accepts: (host, { differentHostFrom }) => !hasAny(host, differentHostFrom) },
]
