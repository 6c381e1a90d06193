/**
 * Removes what belongs to no server (any more): guests, cards and cached images of hosts, allocations in Placement. The
 * sagas leave none of it; this is for what no saga could know of, such as a host that was away.
 */
import { decodeServer } from '../../store/servers.ts'
import type { HostAgent } from '../ports/hosts.ts'
import type { ServerDeps } from '../server/deps.ts'

export async function removeStrays(deps: ServerDeps, agents: readonly HostAgent[]): Promise<void> {
  for (const agent of agents) {
    // What the host and Placement have is read before the servers, so that a server made in between is known.
    const consumers = await deps.placement.consumersOf(agent.id)
    let held: ReadonlySet<string> = new Set()
    await agent.removeStrays(async () => {
      const servers = await knownServers(deps)
      held = new Set(servers.map(server => server.id))
      const here = servers.filter(server => server.host === agent.hostname)
      return {
        // One that has no host yet may be on its way to any.
        servers: new Set([...here, ...servers.filter(server => server.host === null)].map(server => server.id)),
        images: new Set(here.flatMap(server => server.image_id ?? [])),
      }
    })
    for (const consumer of consumers) if (!held.has(consumer)) await deps.placement.release(consumer)
  }
}

async function knownServers(deps: ServerDeps) {
  return (await deps.store.db.selectFrom('servers').selectAll().execute()).map(decodeServer)
}
