/** Finding a host for a server: Placement says where there is room, the scheduler which of these will do, Placement has the last word. */
import { isoTime } from '@strata/toolkit/runtime'
import type { Kysely } from '@strata/toolkit/store'
import type { ComputeTables, FlavorCopy } from '../../store/database.ts'
import { placedMembers } from '../../store/server-groups.ts'
import { type Server, updateServer } from '../../store/servers.ts'
import { lackOfRoom, noValidHost, schedule, type TurnedAway } from '../scheduler/schedule.ts'
import type { HostState, ScheduleRequest, ServerGroupRequest } from '../scheduler/types.ts'
import type { ServerDeps } from './deps.ts'

/** No host will take the server. `details` names the hosts, for administrators. */
export class NoValidHost extends Error {
  override readonly name = 'NoValidHost'
  readonly details: readonly TurnedAway[]
  constructor(message: string, details: readonly TurnedAway[]) {
    super(message)
    this.details = details
  }
}

/** What a server of this flavor holds of its host, by resource class. `resources:X` of the extra specs changes or adds. */
export function resourcesOf(flavor: FlavorCopy): Readonly<Record<string, number>> {
  const resources: Record<string, number> = {
    VCPU: flavor.vcpus,
    MEMORY_MB: flavor.ram,
    DISK_GB: flavor.disk + flavor.ephemeral + Math.ceil(flavor.swap / 1024),
  }
  for (const [key, value] of Object.entries(flavor.extra_specs)) {
    const name = /^resources:([A-Z0-9_]+)$/.exec(key)?.[1]
    if (name && /^\d+$/.test(value)) resources[name] = Number(value)
  }
  return Object.fromEntries(Object.entries(resources).filter(([, amount]) => amount > 0))
}

function traitsOf(flavor: FlavorCopy, imageProperties: Readonly<Record<string, string>>) {
  const wanted = (value: string) =>
    [...Object.entries(flavor.extra_specs), ...Object.entries(imageProperties)]
      .filter(([key, given]) => key.startsWith('trait:') && given === value)
      .map(([key]) => key.slice('trait:'.length))
  return { required: wanted('required'), forbidden: wanted('forbidden') }
}

/** Chooses a host, claims its resources and writes it on the server. Throws `NoValidHost` saying what turned the hosts away. */
export async function place(
  deps: ServerDeps,
  server: Server,
  limits: { readonly forcedHost: string | null; readonly excludedHosts: readonly string[] },
): Promise<HostState> {
  const resources = resourcesOf(server.flavor)
  const [all, providers] = await Promise.all([
    deps.hostStates(),
    deps.placement.candidates(resources, traitsOf(server.flavor, server.image_properties)),
  ])
  const roomy = new Set(providers)
  const request = await scheduleRequest(deps, server, all, limits)
  const { hosts, turnedAway } = schedule(
    all.filter(host => roomy.has(host.id)),
    request,
    deps.runtime.random,
  )
  const overtaken: string[] = []
  for (const host of hosts) {
    const claimed = await deps.placement.claim({
      serverId: server.id,
      providerId: host.id,
      projectId: server.project_id,
      userId: server.user_id,
      resources,
    })
    if (!claimed) continue
    if (await settleOn(deps, server, host, request.group)) return host
    await deps.placement.release(server.id)
    overtaken.push(host.hostname)
  }
  const short = await shortOf(
    deps,
    all.filter(host => !roomy.has(host.id)),
    resources,
  )
  const grouped = overtaken.length === 0 ? [] : [{ by: 'its server group, built meanwhile,', hosts: overtaken }]
  const reasons = [...short, ...turnedAway, ...grouped]
  throw new NoValidHost(noValidHost(all.length, reasons), reasons)
}

/**
 * Writes the host on the server, unless others of its group found theirs since the decision and the group's policy now says
 * no: servers that are made together are placed at the same moment and do not see each other. What one claims, the next sees.
 */
function settleOn(
  { store, runtime }: ServerDeps,
  server: Server,
  host: HostState,
  group: ServerGroupRequest | undefined,
): Promise<boolean> {
  return store.transaction(async tx => {
    if (group && !(await groupAllows(tx, server, host, group))) return false
    const place = { host: host.hostname, availability_zone: host.availabilityZone }
    await updateServer(tx, server.id, isoTime(runtime.now()), place)
    return true
  })
}

async function groupAllows(
  tx: Kysely<ComputeTables>,
  server: Server,
  host: HostState,
  group: ServerGroupRequest,
): Promise<boolean> {
  const members = (await placedMembers(tx, group.id)).filter(({ id }) => id !== server.id)
  const here = members.filter(member => member.host === host.hostname).length
  if (group.policy === 'anti-affinity') return here < (group.maxServersPerHost ?? 1)
  return group.policy !== 'affinity' || members.length === 0 || here > 0
}

/** Another host than those that failed, with the claim moved there; undefined when none will take the server. */
export async function placeElsewhere(
  deps: ServerDeps,
  server: Server,
  failed: readonly string[],
): Promise<HostState | undefined> {
  try {
    return await place(deps, server, { forcedHost: null, excludedHosts: failed })
  } catch (thrown) {
    if (thrown instanceof NoValidHost) return undefined
    throw thrown
  }
}

/** Why Placement did not offer these hosts. */
async function shortOf(
  deps: ServerDeps,
  hosts: readonly HostState[],
  resources: Readonly<Record<string, number>>,
): Promise<readonly TurnedAway[]> {
  if (hosts.length === 0) return []
  const rooms = await Promise.all(
    Object.entries(resources).map(async ([resource, asked]) => {
      const free = new Map((await deps.placement.room(resource)).map(room => [room.providerId, room.free]))
      return { resource, asked, free: new Map(hosts.map(host => [host.hostname, free.get(host.id) ?? 0])) }
    }),
  )
  const reasons = lackOfRoom(rooms)
  const blamed = new Set(reasons.flatMap(reason => reason.hosts))
  const others = hosts.map(host => host.hostname).filter(name => !blamed.has(name))
  return others.length === 0 ? reasons : [...reasons, { by: 'Placement (traits)', hosts: others }]
}

async function scheduleRequest(
  deps: ServerDeps,
  server: Server,
  hosts: readonly HostState[],
  limits: { readonly forcedHost: string | null; readonly excludedHosts: readonly string[] },
): Promise<ScheduleRequest> {
  const hints = server.scheduler_hints
  const list = (hint: unknown): readonly string[] => (hint === undefined ? [] : [hint].flat().map(String))
  return {
    serverId: server.id,
    projectId: server.project_id,
    flavor: server.flavor,
    imageProperties: server.image_properties,
    availabilityZone: server.requested_zone ?? undefined,
    forcedHost: limits.forcedHost ?? undefined,
    excludedHosts: limits.excludedHosts,
    group:
      server.server_group_id === null ? undefined : await groupRequest(deps, server, server.server_group_id, hosts),
    sameHostAs: list(hints['same_host']),
    differentHostFrom: list(hints['different_host']),
  }
}

async function groupRequest(
  deps: ServerDeps,
  server: Server,
  groupId: string,
  hosts: readonly HostState[],
): Promise<ServerGroupRequest | undefined> {
  const group = await deps.group(groupId)
  if (!group) return undefined
  const hasMembers = hosts.some(host => host.servers.some(other => other.groupId === groupId && other.id !== server.id))
  return {
    id: groupId,
    policy: group.policy as ServerGroupRequest['policy'],
    hasMembers,
    maxServersPerHost: group.maxServersPerHost,
  }
}
