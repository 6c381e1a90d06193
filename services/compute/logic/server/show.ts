/** Who may see what of a server, and the state of its host. */
import type { RequestContext } from '@strata/toolkit/context'
import type { Eventual } from '@strata/toolkit/eventual'
import type { Server } from '../../store/servers.ts'
import type { Compute } from '../compute.ts'
import { targetOf } from './access.ts'
import type { ViewScene } from './view.ts'

/** `server` is the one shown; absent for lists, whose rights follow from the caller's own project. */
export function viewScene(
  compute: Compute,
  context: RequestContext,
  about: { readonly baseUrl: string; readonly minor: number; readonly server?: Server },
): Eventual<ViewScene> {
  const target = about.server && targetOf(about.server)
  const can = (rule: string) => context.can(rule, target)
  const anyHost = about.minor >= 16 && can('os_compute_api:servers:show:host_status')
  const unknownHost = about.minor >= 16 && !anyHost && can('os_compute_api:servers:show:host_status:unknown-only')
  const scene: ViewScene = {
    baseUrl: about.baseUrl,
    extended: can('os_compute_api:os-extended-server-attributes'),
    extraSpecs: about.minor >= 47 && can('os_compute_api:servers:show:flavor-extra-specs'),
    faultDetails: context.can('context_is_admin'),
    hostStatus: undefined,
    onlyUnknownHosts: unknownHost,
    groups: about.server !== undefined,
  }
  return anyHost || unknownHost ? hostStatuses(compute).then(hostStatus => ({ ...scene, hostStatus })) : scene
}

/** `MAINTENANCE` when disabled, `DOWN` when forced down, `UNKNOWN` when not heard of for long, else `UP`. */
async function hostStatuses({ store, runtime, config }: Compute): Promise<(hostname: string) => string> {
  const rows = await store.db.selectFrom('hosts').select(['hostname', 'disabled', 'forced_down', 'last_seen']).execute()
  const oldest = runtime.now() - config.service_down_time * 1000
  const statuses = new Map(
    rows.map(row => {
      if (row.disabled === 1) return [row.hostname, 'MAINTENANCE']
      if (row.forced_down === 1) return [row.hostname, 'DOWN']
      return [row.hostname, Date.parse(row.last_seen) > oldest ? 'UP' : 'UNKNOWN']
    }),
  )
  return hostname => statuses.get(hostname) ?? 'UNKNOWN'
}
