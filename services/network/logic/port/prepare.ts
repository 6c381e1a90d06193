/** What a new port gets that nobody gave it: a MAC, addresses, security groups. */
import { invalidInput, macInUse } from '../../contract/faults.ts'
import { DEVICE_OWNERS, type FixedIp, type FixedIpRequest } from '../../contract/port.ts'
import { setAddresses, takenAddresses } from '../../store/address.ts'
import { type NetworkDb, ports, subnets } from '../../store/database.ts'
import { type NetworkDeps, type NetworkRow, newRow, type PortRow, type Scene, touch } from '../deps.ts'
import { allocateAddresses, type SubnetFacts } from '../rules/ip-allocation.ts'

/** Ports of the network service itself: nobody's rules apply to them. */
export const isServicePort = (deviceOwner: string): boolean => deviceOwner.startsWith('network:')

export interface PortSeat {
  readonly id: string
  readonly network_id: string
  readonly device_owner: string
  readonly mac_address: string
}

/** Gives the port its addresses (see `allocateAddresses`) and notes them. */
export async function seat(
  db: NetworkDb,
  port: PortSeat,
  requests: readonly FixedIpRequest[] | undefined,
  own: readonly FixedIp[] = [],
): Promise<FixedIp[]> {
  const facts = (await subnets.list(db, {
    where: { network_id: port.network_id },
    sort: [{ field: 'created_at', direction: 'asc' }],
  })) as unknown as SubnetFacts[]
  const wanted = requests && new Set(requests.map(request => request.subnet_id))
  const asked = facts.filter(subnet => !wanted || wanted.has(subnet.id) || wanted.has(undefined))
  const chosen = allocateAddresses({
    networkId: port.network_id,
    subnets: facts,
    taken: await takenAddresses(
      db,
      asked.map(subnet => subnet.id),
    ),
    mac: port.mac_address,
    deviceOwner: port.device_owner,
    requests,
    own,
  })
  await setAddresses(db, port, chosen)
  return chosen
}

/** A MAC in OpenStack's usual range, free on the network; or the one asked for, if it is free. */
export async function takeMac(deps: NetworkDeps, db: NetworkDb, networkId: string, wished: string | null | undefined) {
  if (wished) {
    const mac = wished.toLowerCase()
    if (mac === '00:00:00:00:00:00' || Number.parseInt(mac.slice(0, 2), 16) & 1)
      throw invalidInput(`mac_address '${wished}' is not the address of one host`)
    if (await hasMac(db, networkId, mac)) throw macInUse(networkId, mac)
    return mac
  }
  for (;;) {
    const tail = [...deps.runtime.bytes(3)].map(byte => byte.toString(16).padStart(2, '0'))
    const mac = `fa:16:3e:${tail.join(':')}`
    if (!(await hasMac(db, networkId, mac))) return mac
  }
}

const hasMac = async (db: NetworkDb, networkId: string, mac: string): Promise<boolean> =>
  (await db
    .selectFrom('ports')
    .select('id')
    .where('network_id', '=', networkId)
    .where('mac_address', '=', mac)
    .executeTakeFirst()) !== undefined

/** A port that the service makes for itself: no quota, no security groups. */
export async function makeServicePort(
  deps: NetworkDeps,
  scene: Scene,
  wish: {
    readonly network: Pick<NetworkRow, 'id'>
    readonly projectId: string
    readonly deviceOwner: string
    readonly deviceId: string
    readonly fixedIps: readonly FixedIpRequest[] | undefined
    readonly name?: string
  },
): Promise<{ readonly port: PortRow; readonly fixedIps: readonly FixedIp[] }> {
  const { tx } = scene
  const base = newRow(deps)
  const mac_address = await takeMac(deps, tx, wish.network.id, undefined)
  const place = { id: base.id, network_id: wish.network.id, device_owner: wish.deviceOwner, mac_address }
  const fixedIps = await seat(tx, place, wish.fixedIps)
  const port = await ports.insert(tx, {
    ...base,
    ...place,
    name: wish.name ?? '',
    project_id: wish.projectId,
    device_id: wish.deviceId,
    status: wish.deviceOwner === DEVICE_OWNERS.floatingIp ? 'N/A' : 'DOWN',
    port_security_enabled: false,
  })
  touch(deps, scene, 'ports', port.id)
  return { port, fixedIps }
}
