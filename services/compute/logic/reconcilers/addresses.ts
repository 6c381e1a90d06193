/** Keeps the addresses that lists show of servers in step with the network service, where ports and floating IPs change. */
import { isoTime } from '@strata/toolkit/runtime'
import { decodeServer, findServer, type Server, updateServer } from '../../store/servers.ts'
import { type ServerDeps, serverChanged } from '../server/deps.ts'

/** Without a hint all servers are looked at; with one (`{ port_id }`), only the one that has the port. */
export async function refreshAddresses(deps: ServerDeps, hint?: unknown): Promise<void> {
  const portId = (hint as { port_id?: unknown } | undefined)?.port_id
  let query = deps.store.db.selectFrom('servers').selectAll().where('task_state', 'is', null)
  // A port's id stands in the JSON of the cards; ids are UUIDs, so the text finds nothing else.
  if (typeof portId === 'string') query = query.where('nics', 'like', `%${portId.replace(/[^0-9a-f-]/g, '')}%`)
  for (const row of await query.execute()) await refresh(deps, decodeServer(row))
}

async function refresh(deps: ServerDeps, seen: Server): Promise<void> {
  const now = await deps.networks.describe(seen.nics)
  if (JSON.stringify(now) === JSON.stringify(seen.nics)) return
  await deps.store.transaction(async (tx, afterCommit) => {
    // What a saga changed meanwhile is newer than what was asked.
    const server = await findServer(tx, seen.id)
    if (!server || server.task_state !== null || JSON.stringify(server.nics) !== JSON.stringify(seen.nics)) return
    await updateServer(tx, server.id, isoTime(deps.runtime.now()), { nics: now })
    afterCommit(() => deps.bus.publish(serverChanged, { id: server.id }))
  })
}
