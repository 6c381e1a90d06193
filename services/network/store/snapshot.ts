/** All that the data plane should have, or those records of it whose ids are given, as the driver's port wants them. */
import { addressesOf } from './address.ts'
import {
  floatingips,
  type NetworkDb,
  networks,
  ports,
  routers,
  securityGroupRules,
  securityGroups,
  subnets,
} from './database.ts'

/** Kind of record → ids; a kind that is absent is none at all. */
export type Selection = Readonly<Partial<Record<string, readonly string[]>>>

/** Ids in one `in (…)`: engines have limits of their own. */
const CHUNK = 500

export async function readRecords(db: NetworkDb, selection?: Selection) {
  const pick = async <T>(kind: string, read: (where?: { id: readonly string[] }) => Promise<T[]>): Promise<T[]> => {
    if (!selection) return read()
    const ids = selection[kind] ?? []
    const rows: T[] = []
    for (let at = 0; at < ids.length; at += CHUNK) rows.push(...(await read({ id: ids.slice(at, at + CHUNK) })))
    return rows
  }
  return {
    networks: await pick('networks', where => networks.list(db, { where })),
    subnets: await pick('subnets', where => subnets.list(db, { where })),
    ports: await withSeats(db, await pick('ports', where => ports.list(db, { where })), selection === undefined),
    routers: await withGateways(db, await pick('routers', where => routers.list(db, { where }))),
    floatingips: await pick('floatingips', where => floatingips.list(db, { where })),
    security_groups: await pick('security_groups', where => securityGroups.list(db, { where })),
    security_group_rules: await pick('security_group_rules', where => securityGroupRules.list(db, { where })),
  }
}

/** Ports with their addresses and security groups. */
async function withSeats<T extends { readonly id: string }>(db: NetworkDb, rows: readonly T[], all: boolean) {
  const seats = all ? await allAddresses(db) : await inChunks(rows, ids => addressesOf(db, ids))
  const groups = all ? await groupsOf(db) : await inChunks(rows, ids => groupsOf(db, ids))
  return rows.map(row => ({
    ...row,
    fixed_ips: seats.get(row.id) ?? [],
    security_groups: groups.get(row.id) ?? [],
  }))
}

async function inChunks<T extends { readonly id: string }, V>(
  rows: readonly T[],
  read: (ids: readonly string[]) => Promise<ReadonlyMap<string, V>>,
): Promise<Map<string, V>> {
  const found = new Map<string, V>()
  for (let at = 0; at < rows.length; at += CHUNK)
    for (const [id, value] of await read(rows.slice(at, at + CHUNK).map(row => row.id))) found.set(id, value)
  return found
}

async function allAddresses(db: NetworkDb) {
  const found = new Map<string, { subnet_id: string; ip_address: string }[]>()
  const rows = await db
    .selectFrom('ip_allocations')
    .select(['port_id', 'subnet_id', 'ip_address'])
    .orderBy('port_id')
    .orderBy('position')
    .execute()
  for (const { port_id, ...address } of rows) found.set(port_id, [...(found.get(port_id) ?? []), address])
  return found
}

async function groupsOf(db: NetworkDb, portIds?: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  let query = db.selectFrom('port_security_groups').selectAll().orderBy('security_group_id')
  if (portIds) query = query.where('port_id', 'in', portIds)
  for (const row of await query.execute())
    found.set(row.port_id, [...(found.get(row.port_id) ?? []), row.security_group_id])
  return found
}

async function withGateways<T extends { readonly id: string }>(db: NetworkDb, rows: readonly T[]) {
  if (rows.length === 0) return []
  const gateways = await db.selectFrom('router_gateways').selectAll().execute()
  const byRouter = new Map(gateways.map(gateway => [gateway.router_id, gateway]))
  const addresses = new Map<string, { subnet_id: string; ip_address: string }[]>()
  const portIds = rows.flatMap(row => byRouter.get(row.id)?.port_id ?? [])
  for (let at = 0; at < portIds.length; at += CHUNK)
    for (const [id, ips] of await addressesOf(db, portIds.slice(at, at + CHUNK))) addresses.set(id, [...ips])
  return rows.map(row => {
    const gateway = byRouter.get(row.id)
    return {
      ...row,
      external_gateway_info: gateway
        ? {
            network_id: gateway.network_id,
            enable_snat: Boolean(gateway.enable_snat),
            external_fixed_ips: addresses.get(gateway.port_id) ?? [],
          }
        : null,
    }
  })
}
