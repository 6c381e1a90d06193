/** Compute services, one a host: named by a number and told by their host before 2.53, named by a UUID since. */
import { badRequest, notFound } from '@strata/toolkit/fault'
import { toNaive } from '@strata/toolkit/runtime'
import { isUuid } from '@strata/toolkit/schema'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { readFlag } from '../contract/fields.ts'
import { serviceAction, serviceUpdate } from '../contract/host.ts'
import {
  computeBinary,
  deleteHost,
  findHost,
  type Host,
  type HostDeps,
  hostOfService,
  hosts,
  serviceNotFound,
  updateHost,
} from '../logic/host.ts'
import { param, parameters } from './lists.ts'

const policy = (verb: string): string => `os_compute_api:os-services:${verb}`
const path = '/v2.1/os-services'

export function serviceOperations(deps: HostDeps): Operation[] {
  return [
    operation({
      method: 'GET',
      path,
      policy: policy('list'),
      query: parameters(['host', 'binary']),
      async handler(request) {
        const [host, binary] = [param(request, 'host') || undefined, param(request, 'binary') || undefined]
        const found = (await hosts(deps)).filter(
          one => (host === undefined || one.hostname === host) && (binary === undefined || binary === computeBinary),
        )
        return { services: found.map(one => view(request, one)) }
      },
    }),
    earlyUpdate(deps),
    operation<{ status?: 'enabled' | 'disabled'; disabled_reason?: string; forced_down?: boolean | string }>({
      method: 'PUT',
      path: `${path}/:id`,
      since: 53,
      policy: policy('update'),
      body: serviceUpdate,
      async handler(request) {
        const { status, disabled_reason, forced_down } = request.body
        const host = await named(deps, request)
        if (status === undefined && forced_down === undefined)
          throw badRequest("No updates were requested. Fields 'status' or 'forced_down' should be specified.")
        if (disabled_reason !== undefined && status !== 'disabled')
          throw badRequest("Specifying 'disabled_reason' requires that 'status' is 'disabled'.")
        await updateHost(deps, host.id, {
          enabled: status === undefined ? undefined : status === 'enabled',
          disabledReason: disabled_reason,
          forcedDown: forced_down === undefined ? undefined : readFlag(forced_down),
        })
        return { service: view(request, (await findHost(deps, { id: host.id }))!) }
      },
    }),
    operation({
      method: 'DELETE',
      path: `${path}/:id`,
      policy: policy('delete'),
      async handler(request) {
        await deleteHost(deps, await named(deps, request))
        return reply(204)
      },
    }),
  ]
}

interface ServiceAction {
  readonly host: string
  readonly binary: string
  readonly disabled_reason?: string
  readonly forced_down?: boolean | string
}

function earlyUpdate(deps: HostDeps): Operation {
  return operation<ServiceAction>({
    method: 'PUT',
    path: `${path}/:id`,
    until: 52,
    policy: policy('update'),
    body: serviceAction,
    async handler({ params, body, minor }) {
      const { host: name, binary, disabled_reason: reason, forced_down } = body
      const change = (changed: Parameters<typeof updateHost>[2]) =>
        hostOfService(deps, name, binary).then(host => updateHost(deps, host.id, changed))
      const about = { host: name, binary }
      switch (params['id']) {
        case 'enable':
          await change({ enabled: true })
          return { service: { ...about, status: 'enabled' } }
        case 'disable':
          await change({ enabled: false })
          return { service: { ...about, status: 'disabled' } }
        case 'disable-log-reason':
          if (reason === undefined) throw badRequest('Missing disabled reason field: disabled_reason')
          await change({ enabled: false, disabledReason: reason })
          return { service: { ...about, status: 'disabled', disabled_reason: reason } }
        case 'force-down': {
          if (minor < 11) throw notFound('Unknown action')
          if (forced_down === undefined) throw badRequest('Missing forced_down field')
          await change({ forcedDown: readFlag(forced_down) })
          return { service: { ...about, forced_down: readFlag(forced_down) } }
        }
        default:
          throw notFound('Unknown action')
      }
    },
  })
}

/** The service that the path names. Throws 400 for an id of the wrong kind, and 404. */
async function named(deps: HostDeps, { params, minor }: ApiRequest): Promise<Host> {
  const id = params['id']!
  if (minor >= 53 ? !isUuid(id) : !/^\d{1,10}$/.test(id))
    throw badRequest(minor >= 53 ? `Invalid uuid ${id}` : 'Invalid input received: id must be an integer')
  const found = await findHost(deps, minor >= 53 ? { id } : { number: Number(id) })
  if (!found) throw serviceNotFound(id)
  return found
}

const view = ({ minor }: ApiRequest, host: Host): object => ({
  id: minor >= 53 ? host.id : host.number,
  binary: computeBinary,
  host: host.hostname,
  zone: host.zone,
  status: host.enabled ? 'enabled' : 'disabled',
  state: host.up ? 'up' : 'down',
  disabled_reason: host.disabledReason,
  updated_at: toNaive(host.updatedAt),
  ...(minor >= 11 ? { forced_down: host.forcedDown } : {}),
})
