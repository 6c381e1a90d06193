/** Changing what a server is called and described as: nothing that its host must know. */
import type { RequestContext } from '@strata/toolkit/context'
import { canonicalAddress } from '@strata/toolkit/ip'
import { isoTime } from '@strata/toolkit/runtime'
import type { UpdateServer } from '../../contract/server-requests.ts'
import type { Server } from '../../store/servers.ts'
import { updateServer } from '../../store/servers.ts'
import type { Compute } from '../compute.ts'
import { serverFor } from './access.ts'
import { serverChanged } from './deps.ts'

/** An access address as it is kept and shown: written in its canonical way; null when it is taken away. */
export const accessAddress = (given: string | undefined): string | null => canonicalAddress(given ?? '') ?? null

/** The row's members for what an update or a rebuild says. */
export function changeOf(wanted: UpdateServer): Partial<Server> {
  return {
    ...(wanted.name === undefined ? {} : { name: wanted.name }),
    ...(wanted.description === undefined ? {} : { description: wanted.description }),
    ...(wanted.hostname === undefined ? {} : { hostname: wanted.hostname }),
    ...(wanted.accessIPv4 === undefined ? {} : { access_ip_v4: accessAddress(wanted.accessIPv4) }),
    ...(wanted.accessIPv6 === undefined ? {} : { access_ip_v6: accessAddress(wanted.accessIPv6) }),
    ...(wanted['OS-DCF:diskConfig'] === undefined ? {} : { disk_config: wanted['OS-DCF:diskConfig'] }),
  }
}

export async function requestUpdate(
  { store, runtime, bus }: Compute,
  context: RequestContext,
  about: { readonly id: string; readonly wanted: UpdateServer },
): Promise<Server> {
  return store.transaction(async (tx, afterCommit) => {
    const rule = 'os_compute_api:servers:update'
    const server = await serverFor({ store }, context, { id: about.id, rule, db: tx })
    const now = isoTime(runtime.now())
    const change = changeOf(about.wanted)
    await updateServer(tx, server.id, now, change)
    afterCommit(() => bus.publish(serverChanged, { id: server.id }))
    return { ...server, ...change, updated_at: now }
  })
}
