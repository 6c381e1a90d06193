/** Keeps the addresses that lists show of servers in step with the network service, where ports and floating IPs change. */
import { isoTime } from '@strata/toolkit/runtime'
import { decodeServer, findServer, type Server, updateServer } from '../../store/servers.ts'
import { type ServerDeps, serverChanged } from '../server/deps.ts'

/** What the network service told to have changed since the last look. */
export interface AddressHints {
  readonly ports: Set<string>
  readonly floatingIps: Set<string>
}

/** With `everything`, all servers are looked at; else those that the hints are about. Hints are taken out. */
export async function refreshAddresses(deps: ServerDeps, hints: AddressHints, everything: boolean): Promise<void> {
  const ports = take(hints.ports)
  const floatingIps = take(hints.floatingIps)
  const ids = everything ? await allServers(deps) : await concerned(deps, ports, floatingIps)
  for (const id of ids) await refresh(deps, id)
}

function take(set: Set<string>): readonly string[] {
  const all = [...set]
  set.clear()
  return all
}

async function allServers({ store }: ServerDeps): Promise<ReadonlySet<string>> {
  return new Set(
    (await store.db.selectFrom('server_ports').select('server_id').distinct().execute()).map(row => row.server_id),
  )
}

async function concerned(
  deps: ServerDeps,
  ports: readonly string[],
  floatingIps: readonly string[],
): Promise<ReadonlySet<string>> {
  const { db } = deps.store
  const found = new Set<string>()
  const mapped = floatingIps.length === 0 ? [] : await deps.networks.portsOfFloatingIps(floatingIps)
  const wanted = [...ports, ...mapped]
  if (wanted.length > 0)
    for (const row of await db.selectFrom('server_ports').select('server_id').where('port_id', 'in', wanted).execute())
      found.add(row.server_id)
  // A floating IP that was taken away is known by the servers that still show it.
  for (const id of floatingIps)
    for (const row of await db.selectFrom('servers').select('id').where('nics', 'like', `%"${id}"%`).execute())
      found.add(row.id)
  return found
}

async function refresh(deps: ServerDeps, id: string): Promise<void> {
  const row = await deps.store.db.selectFrom('servers').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row || row.task_state !== null) return
  const seen: Server = decodeServer(row)
  const now = await deps.networks.describe(seen.nics)
  if (same(now, seen.nics)) return
  await deps.store.transaction(async (tx, afterCommit) => {
    // What a saga changed meanwhile is newer than what was asked.
    const server = await findServer(tx, id)
    if (!server || server.task_state !== null || !same(server.nics, seen.nics)) return
    await updateServer(tx, id, isoTime(deps.runtime.now()), { nics: now })
    afterCommit(() => deps.bus.publish(serverChanged, { id }))
  })
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
