/**
 * Hypervisors, one a host: their machine and its use. Since 2.53 they are named by UUIDs and found by a pattern, since 2.88
 * use is Placement's to tell and is left out.
 */
import { badRequest, type Fault, notFound, notImplemented } from '@strata/toolkit/fault'
import { isUuid } from '@strata/toolkit/schema'
import { type ApiRequest, type Operation, operation } from '@strata/toolkit/service'
import { findHost, type Host, type HostDeps, hosts, useOf } from '../logic/host.ts'
import { isTrueParam, page, pageParams, param, parameters } from './lists.ts'

const policy = (verb: string): string => `os_compute_api:os-hypervisors:${verb}`
const path = '/v2.1/os-hypervisors'
const queries = parameters(['limit', 'marker', 'hypervisor_hostname_pattern', 'with_servers'], 53)

export function hypervisorOperations(deps: HostDeps): Operation[] {
  return [
    operation({ method: 'GET', path, policy: policy('list'), query: queries, handler: list(deps, brief) }),
    operation({
      method: 'GET',
      path: `${path}/detail`,
      policy: policy('list-detail'),
      query: queries,
      handler: list(deps, detailed),
    }),
    operation({
      method: 'GET',
      path: `${path}/statistics`,
      until: 87,
      policy: policy('statistics'),
      handler: async () => ({ hypervisor_statistics: statistics(await hosts(deps)) }),
    }),
    operation({
      method: 'GET',
      path: `${path}/:id`,
      policy: policy('show'),
      query: parameters(['with_servers'], 53),
      async handler(request) {
        const host = await named(deps, request)
        return { hypervisor: { ...detailed(request, host), ...serversOf(request, host, withServers(request)) } }
      },
    }),
    ...earlyOperations(deps),
  ]
}

function list(deps: HostDeps, view: (request: ApiRequest, host: Host) => object) {
  return async (request: ApiRequest) => {
    const { minor } = request
    const all = await hosts(deps)
    const pattern = minor >= 53 ? param(request, 'hypervisor_hostname_pattern') : undefined
    const show = (host: Host) => ({ ...view(request, host), ...serversOf(request, host, withServers(request)) })
    if (pattern !== undefined) {
      if (param(request, 'limit') !== undefined || param(request, 'marker') !== undefined)
        throw badRequest(
          'Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported.',
        )
      return { hypervisors: matching(all, pattern).map(show) }
    }
    if (minor < 33) return { hypervisors: all.map(show) }
    const { limit, marker } = pageParams(request, deps.config.max_limit)
    const markerOf = (host: Host) => String(minor >= 53 ? host.id : host.number)
    const at = marker === undefined ? -1 : all.findIndex(host => markerOf(host) === marker)
    if (marker !== undefined && at < 0) throw badRequest(`marker [${marker}] not found`, 'MarkerNotFound')
    const found = all.slice(at + 1, at + 2 + limit)
    const { rows, links } = page(request, 'hypervisors', found, { limit, markerOf })
    return { hypervisors: rows.map(show), ...links }
  }
}

/** Those whose name has the text in it. Throws a 404 when there is none. */
function matching(all: readonly Host[], text: string): readonly Host[] {
  const found = all.filter(host => host.hostname.toLowerCase().includes(text.toLowerCase()))
  if (found.length === 0) throw notFound(`No hypervisor matching '${text}' could be found.`)
  return found
}

/** Search, servers and uptime, by paths of their own. */
function earlyOperations(deps: HostDeps): Operation[] {
  const found = async ({ params }: ApiRequest) => matching(await hosts(deps), params['id']!)
  return [
    operation({
      method: 'GET',
      path: `${path}/:id/search`,
      until: 52,
      policy: policy('search'),
      handler: async request => ({ hypervisors: (await found(request)).map(host => brief(request, host)) }),
    }),
    operation({
      method: 'GET',
      path: `${path}/:id/servers`,
      until: 52,
      policy: policy('search'),
      handler: async request => ({
        hypervisors: (await found(request)).map(host => ({
          ...brief(request, host),
          ...(host.servers.length > 0 ? { servers: serverList(host) } : {}),
        })),
      }),
    }),
    operation({
      method: 'GET',
      path: `${path}/:id/uptime`,
      until: 87,
      policy: policy('uptime'),
      async handler(request) {
        const host = await named(deps, request)
        const uptime = uptimeOf(host)
        if (!host.up) throw badRequest(`Compute service of ${host.hostname} is unavailable at this time.`)
        if (uptime === null) throw notImplemented('Virt driver does not implement uptime function.')
        return { hypervisor: { ...brief(request, host), uptime } }
      },
    }),
  ]
}

const missing = (id: string): Fault => notFound(`Hypervisor with ID '${id}' could not be found.`, 'HypervisorNotFound')

/** The one that the path names. Throws a 400 for what is no UUID since 2.53, and a 404. */
async function named(deps: HostDeps, { params, minor }: ApiRequest): Promise<Host> {
  const id = params['id']!
  if (minor >= 53 && !isUuid(id)) throw badRequest(`Invalid uuid ${id}`)
  if (minor < 53 && !/^\d{1,10}$/.test(id)) throw missing(id)
  const found = await findHost(deps, minor >= 53 ? { id } : { number: Number(id) })
  if (!found) throw missing(id)
  return found
}

const withServers = (request: ApiRequest): boolean => request.minor >= 53 && isTrueParam(request, 'with_servers')
const serverList = (host: Host): object[] => host.servers.map(({ id, name }) => ({ uuid: id, name }))

/** Before 2.75 a host without servers has no list of them. */
function serversOf({ minor }: ApiRequest, host: Host, wanted: boolean): object {
  return wanted && (host.servers.length > 0 || minor >= 75) ? { servers: serverList(host) } : {}
}

const brief = ({ minor }: ApiRequest, host: Host): object => ({
  id: minor >= 53 ? host.id : host.number,
  hypervisor_hostname: host.hostname,
  state: host.up ? 'up' : 'down',
  status: host.enabled ? 'enabled' : 'disabled',
})

function detailed(request: ApiRequest, host: Host): object {
  const { minor } = request
  return {
    ...brief(request, host),
    hypervisor_type: host.capacity.hypervisorType,
    hypervisor_version: host.capacity.hypervisorVersion,
    // Hosts that do not tell their address are this machine itself.
    host_ip: host.capacity.hostIp ?? '127.0.0.1',
    service: {
      id: minor >= 53 ? host.id : host.number,
      host: host.hostname,
      disabled_reason: host.disabledReason,
    },
    ...(minor >= 88 ? { uptime: uptimeOf(host) } : { ...machine(host), cpu_info: cpuInfo(request, host) }),
  }
}

/** What a host has, holds and has left. */
function machine(host: Host) {
  const { capacity, servers } = host
  const used = useOf(host)
  return {
    vcpus: capacity.vcpus,
    vcpus_used: used.vcpus,
    memory_mb: capacity.memoryMiB,
    memory_mb_used: used.memoryMiB,
    free_ram_mb: capacity.memoryMiB - used.memoryMiB,
    local_gb: capacity.diskGiB,
    local_gb_used: used.diskGiB,
    free_disk_gb: capacity.diskGiB - used.diskGiB,
    disk_available_least: capacity.diskFreeGiB,
    running_vms: servers.length,
    current_workload: servers.filter(server => server.busy).length,
  }
}

/** Text of JSON before 2.28. */
function cpuInfo({ minor }: ApiRequest, { capacity }: Host): object | string {
  const { arch, model, vendor, features, topology } = capacity.cpu
  const info = { arch, model, vendor, features, topology: { ...topology, cells: 1 } }
  return minor >= 28 ? info : JSON.stringify(info)
}

/** As the command `uptime` says it; null where the host does not tell. */
function uptimeOf({ capacity, updatedAt, up }: Host): string | null {
  if (capacity.uptimeSeconds === undefined || capacity.loadAverage === undefined || !up) return null
  const minutes = Math.floor(capacity.uptimeSeconds / 60)
  const days = Math.floor(minutes / 1440)
  const clock = `${Math.floor((minutes % 1440) / 60)}:${String(minutes % 60).padStart(2, '0')}`
  const load = capacity.loadAverage.map(one => one.toFixed(2)).join(', ')
  return ` ${updatedAt.slice(11, 19)} up ${days} days, ${clock},  0 users,  load average: ${load}`
}

/** The sums over all hosts that are enabled. */
function statistics(all: readonly Host[]): object {
  const sums = new Map<string, number>()
  const enabled = all.filter(host => host.enabled)
  for (const name of Object.keys(emptyStatistics)) sums.set(name, 0)
  for (const host of enabled)
    for (const [name, value] of Object.entries(machine(host))) sums.set(name, sums.get(name)! + value)
  return { count: enabled.length, ...Object.fromEntries(sums) }
}
const emptyStatistics: Readonly<Record<keyof ReturnType<typeof machine>, 0>> = {
  vcpus: 0,
  vcpus_used: 0,
  memory_mb: 0,
  memory_mb_used: 0,
  free_ram_mb: 0,
  local_gb: 0,
  local_gb_used: 0,
  free_disk_gb: 0,
  disk_available_least: 0,
  running_vms: 0,
  current_workload: 0,
}
