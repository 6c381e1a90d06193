/** Use of projects over a period, from their servers; in pages of servers since 2.40. */
import { nova } from '@strata/toolkit/dialect'
import { badRequest, notFound } from '@strata/toolkit/fault'
import { isoTime, toNaive } from '@strata/toolkit/runtime'
import { type ApiRequest, type Operation, operation } from '@strata/toolkit/service'
import { type Period, type ProjectUsage, type ServerUsage, type UsageDeps, usage } from '../logic/usage.ts'
import { pageParams, param, parameters } from './lists.ts'

const path = '/v2.1/os-simple-tenant-usage'
const fourWeeks = 28 * 24 * 3_600_000

export function usageOperations(deps: UsageDeps): Operation[] {
  const report = async (request: ApiRequest, projectId?: string) => {
    const now = deps.runtime.now()
    const period = periodOf(request, now)
    const range =
      request.minor >= 40
        ? pageParams(request, deps.config.max_limit)
        : { limit: deps.config.max_limit, marker: undefined }
    const { projects, next } = await usage(deps, { projectId, period, ...range })
    const url = `${request.baseUrl}${request.path}`
    const links = (plural: string) =>
      request.minor >= 40 ? nova.pageLinks(plural, { url, query: request.query, next }) : {}
    return { now, period, projects, links }
  }
  return [
    operation({
      method: 'GET',
      path,
      policy: 'os_compute_api:os-simple-tenant-usage:list',
      query: parameters(['start', 'end', 'detailed', 'limit', 'marker']),
      async handler(request) {
        // After the slash stands a project, if an empty one: it is not the list that was asked for.
        if (request.path.endsWith('/')) throw notFound('The resource could not be found.')
        const { projects, links, ...times } = await report(request)
        const detailed = param(request, 'detailed') === '1'
        return { tenant_usages: projects.map(one => view(one, times, detailed)), ...links('tenant_usages') }
      },
    }),
    operation({
      method: 'GET',
      path: `${path}/:project_id`,
      policy: 'os_compute_api:os-simple-tenant-usage:show',
      query: parameters(['start', 'end', 'limit', 'marker']),
      async handler(request) {
        const { projects, links, ...times } = await report(request, request.params['project_id']!)
        const [own] = projects
        return { tenant_usage: own ? view(own, times, true) : {}, ...links('tenant_usage') }
      },
    }),
  ]
}

/** What is not yet over ends now. Throws a 400 for times that are none, or the wrong way round. */
function periodOf(request: ApiRequest, now: number): Period {
  const asked = timeParam(request, 'end') ?? now
  const start = timeParam(request, 'start') ?? asked - fourWeeks
  if (start >= asked) throw badRequest('Invalid start time. The start time cannot occur after the end time.')
  return { start, end: Math.min(asked, now) }
}

function timeParam(request: ApiRequest, name: string): number | undefined {
  const text = param(request, name)
  if (text === undefined || text === '') return undefined
  const time = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?$/.test(text)
    ? Date.parse(`${text.replace(' ', 'T')}Z`)
    : Number.NaN
  if (Number.isNaN(time)) throw badRequest(`Invalid datetime string for ${name}: Datetime is in invalid format`)
  return time
}

interface Times {
  readonly now: number
  readonly period: Period
}

const shown = (time: number): string => toNaive(isoTime(time))

function view(project: ProjectUsage, times: Times, detailed: boolean): object {
  return {
    tenant_id: project.projectId,
    total_hours: project.hours,
    total_vcpus_usage: project.vcpus,
    total_memory_mb_usage: project.memoryMiB,
    total_local_gb_usage: project.diskGiB,
    start: shown(times.period.start),
    stop: shown(times.period.end),
    ...(detailed ? { server_usages: project.servers.map(one => serverView(one, times.now)) } : {}),
  }
}

const serverView = ({ server, hours }: ServerUsage, now: number): object => ({
  instance_id: server.id,
  name: server.name,
  tenant_id: server.projectId,
  flavor: server.flavor.name,
  vcpus: server.flavor.vcpus,
  memory_mb: server.flavor.ram,
  local_gb: server.flavor.disk,
  hours,
  state: server.state,
  started_at: shown(server.launchedAt),
  ended_at: null,
  uptime: Math.floor((now - server.launchedAt) / 1000),
})
