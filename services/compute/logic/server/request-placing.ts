/** Where a server is asked to be: zone, host, group, hints. */
import type { RequestContext } from '@strata/toolkit/context'
import { badRequest } from '@strata/toolkit/fault'
import type { CreateServer } from '../../contract/server-requests.ts'
import type { Compute } from '../compute.ts'
import { zoneNames } from '../zones.ts'

export interface Destination {
  /** Null when any will do. */
  readonly zone: string | null
  readonly forcedHost: string | null
  readonly groupId: string | null
  readonly hints: Readonly<Record<string, unknown>>
}

export async function requestedDestination(
  compute: Compute,
  context: RequestContext,
  body: CreateServer,
): Promise<Destination> {
  const { server } = body
  const hints = body['os:scheduler_hints'] ?? body['OS-SCH-HNT:scheduler_hints'] ?? {}
  const { zone, host } = parseZone(server.availability_zone)
  if (host !== undefined) context.enforce('os_compute_api:servers:create:forced_host')
  const named = [server.host, server.hypervisor_hostname].filter(name => name !== undefined)
  if (named.length > 0) {
    context.enforce('compute:servers:create:requested_destination')
    if (host !== undefined)
      throw badRequest(
        'One mechanism with host and/or hypervisor_hostname and another mechanism with zone:host:node are mutually exclusive.',
      )
  }
  if (new Set(named).size > 1)
    throw badRequest(`Compute host ${server.hypervisor_hostname} could not be found.`, 'ComputeHostNotFound')
  const forcedHost = host ?? named[0] ?? null
  if (forcedHost !== null) await mustExist(compute, forcedHost)
  if (zone !== undefined && !(await zoneNames(compute.store.db, compute.config)).has(zone))
    throw badRequest('The requested availability zone is not available', 'InvalidRequest')
  const groupId = typeof hints['group'] === 'string' ? hints['group'] : null
  return {
    zone: zone ?? compute.config.default_schedule_zone ?? null,
    forcedHost,
    groupId,
    hints,
  }
}

/** `zone`, `zone:host` or `zone:host:node`; the node is the host here. */
function parseZone(text: string | undefined): { readonly zone?: string; readonly host?: string } {
  if (text === undefined) return {}
  const [zone = '', host = '', node = '', ...rest] = text.split(':')
  if (rest.length > 0) throw badRequest('Unable to parse availability_zone')
  if (host !== '' && node !== '' && host !== node)
    throw badRequest(`Compute host ${node} could not be found.`, 'ComputeHostNotFound')
  return { zone: zone || undefined, host: host || node || undefined }
}

async function mustExist({ store }: Compute, hostname: string): Promise<void> {
  const found = await store.db.selectFrom('hosts').select('id').where('hostname', '=', hostname).executeTakeFirst()
  if (!found) throw badRequest(`Compute host ${hostname} could not be found.`, 'ComputeHostNotFound')
}
