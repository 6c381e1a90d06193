/** The fixed IPs of ports. */
import type { FixedIp } from '../contract/port.ts'
import type { NetworkDb } from './database.ts'

export interface Allocation extends FixedIp {
  readonly port_id: string
  readonly network_id: string
}

/** Fixed IPs of each port, in their order; ports without any are absent. */
export async function addressesOf(db: NetworkDb, portIds: readonly string[]): Promise<Map<string, FixedIp[]>> {
  const found = new Map<string, FixedIp[]>()
  if (portIds.length === 0) return found
  const rows = await db
    .selectFrom('ip_allocations')
    .select(['port_id', 'subnet_id', 'ip_address'])
    .where('port_id', 'in', portIds)
    .orderBy('port_id')
    .orderBy('position')
    .execute()
  for (const { port_id, subnet_id, ip_address } of rows) {
    const known = found.get(port_id)
    if (known) known.push({ subnet_id, ip_address })
    else found.set(port_id, [{ subnet_id, ip_address }])
  }
  return found
}

/** All addresses that are taken in these subnets. */
export async function takenAddresses(db: NetworkDb, subnetIds: readonly string[]): Promise<Map<string, Set<string>>> {
  const taken = new Map<string, Set<string>>(subnetIds.map(id => [id, new Set()]))
  if (subnetIds.length === 0) return taken
  const rows = await db
    .selectFrom('ip_allocations')
    .select(['subnet_id', 'ip_address'])
    .where('subnet_id', 'in', subnetIds)
    .execute()
  for (const row of rows) taken.get(row.subnet_id)?.add(row.ip_address)
  return taken
}

/** Makes `fixedIps` the addresses of the port, whatever it had. */
export async function setAddresses(
  db: NetworkDb,
  port: { readonly id: string; readonly network_id: string },
  fixedIps: readonly FixedIp[],
): Promise<void> {
  await db.deleteFrom('ip_allocations').where('port_id', '=', port.id).execute()
  if (fixedIps.length > 0)
    await db
      .insertInto('ip_allocations')
      .values(fixedIps.map((ip, position) => ({ ...ip, port_id: port.id, network_id: port.network_id, position })))
      .execute()
}

/** Who has that address on the network. */
export const holderOf = (db: NetworkDb, networkId: string, address: string): Promise<Allocation | undefined> =>
  db
    .selectFrom('ip_allocations')
    .select(['port_id', 'subnet_id', 'network_id', 'ip_address'])
    .where('network_id', '=', networkId)
    .where('ip_address', '=', address)
    .executeTakeFirst()

/** Ports that have an address in the subnet, with their owner. */
export const portsOnSubnet = (db: NetworkDb, subnetId: string) =>
  db
    .selectFrom('ip_allocations')
    .innerJoin('ports', 'ports.id', 'ip_allocations.port_id')
    .select(['ports.id as id', 'ports.device_owner as device_owner', 'ip_allocations.ip_address as ip_address'])
    .where('ip_allocations.subnet_id', '=', subnetId)
    .execute()
