/**
 * The port through which a network's guests reach the metadata service: there is one as long as a subnet of the network has
 * DHCP, with one address in each such subnet. (As ML2/OVN does it; the data plane plugs a namespace into it.)
 */
import { DEVICE_OWNERS, metadataDevice } from '../../contract/port.ts'
import { addressesOf } from '../../store/address.ts'
import { networks, ports, subnets } from '../../store/database.ts'
import { type NetworkDeps, type Scene, touch } from '../deps.ts'
import { makeServicePort, seat } from './prepare.ts'
import { removePorts } from './remove.ts'

/** Makes the network's metadata port what its subnets now want it to be; 409 when one of them has no address left for it. */
export async function keepMetadataPort(deps: NetworkDeps, scene: Scene, networkId: string): Promise<void> {
  const { tx } = scene
  const network = await networks.find(tx, networkId)
  const wanted = (await subnets.list(tx, { where: { network_id: networkId, enable_dhcp: true } })).map(row => ({
    subnet_id: row.id,
  }))
  const [port] = await ports.list(tx, { where: { network_id: networkId, device_owner: DEVICE_OWNERS.metadata } })
  if (!network || wanted.length === 0) {
    if (port) await removePorts(deps, scene, [port.id])
    return
  }
  if (!port) {
    await makeServicePort(deps, scene, {
      network,
      projectId: network.project_id,
      deviceOwner: DEVICE_OWNERS.metadata,
      deviceId: metadataDevice(networkId),
      fixedIps: wanted,
    })
    return
  }
  const own = (await addressesOf(tx, [port.id])).get(port.id) ?? []
  await seat(tx, { ...port, mac_address: port.mac_address! }, wanted, own)
  touch(deps, scene, 'ports', port.id)
}
