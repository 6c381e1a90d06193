/** The plan of a server's guest, made from its row: what its host needs to build it, now or again. */
import { Buffer } from 'node:buffer'
import { instanceName, type Server } from '../../store/servers.ts'
import type { GuestDisk, GuestNic, GuestPlan, PlannedSource } from '../ports/hosts.ts'
import { configDriveFiles, type MetadataOptions, type MetadataSubject } from '../rules/metadata.ts'
import type { ServerDeps } from './deps.ts'

type PlanDeps = Pick<ServerDeps, 'runtime' | 'options'>

const buses = ['virtio', 'scsi', 'ide'] as const

/** For building the guest: the image service is asked what the image is. */
export async function guestPlan(deps: PlanDeps & Pick<ServerDeps, 'image'>, server: Server): Promise<GuestPlan> {
  return planWith(
    deps,
    server,
    server.image_id === null ? { kind: 'blank' } : { kind: 'image', image: await deps.image(server.image_id) },
  )
}

/** For a guest whose disks exist: its image may be gone by now and is only named. */
export function existingGuestPlan(deps: PlanDeps, server: Server): GuestPlan {
  const { image_id: id } = server
  return planWith(
    deps,
    server,
    id === null ? { kind: 'blank' } : { kind: 'image', image: { id, diskFormat: 'qcow2', sizeBytes: 0 } },
  )
}

function planWith(deps: PlanDeps, server: Server, root: PlannedSource): GuestPlan {
  return {
    serverId: server.id,
    instanceName: instanceName(server),
    hostname: server.hostname,
    projectId: server.project_id,
    userId: server.user_id,
    vcpus: server.flavor.vcpus,
    memoryMiB: server.flavor.ram,
    disks: disksOf(server, root),
    nics: server.nics.map(
      (nic): GuestNic => ({
        portId: nic.port_id,
        macAddress: nic.mac_address,
        mtu: nic.mtu,
        vifName: nic.vif_name,
        model: nicModel(server),
      }),
    ),
    configDrive: server.config_drive ? configDriveFiles(subjectOf(server), metadataOptions(deps)) : undefined,
    properties: server.image_properties,
  }
}

const metadataOptions = ({ runtime, options }: PlanDeps): MetadataOptions => ({
  dhcpDomain: options.dhcpDomain,
  randomSeed: runtime.bytes(512),
})

function disksOf(server: Server, root: PlannedSource): GuestPlan['disks'] {
  const { disk, ephemeral, swap } = server.flavor
  const bus = busOf(server)
  return [
    { name: 'root', source: root, sizeGiB: disk, bus, bootIndex: 0 },
    ...(ephemeral > 0 ? [{ name: 'ephemeral0', source: { kind: 'blank' as const }, sizeGiB: ephemeral, bus }] : []),
    // Swap is told in MiB; disks are made in whole GiB.
    ...(swap > 0 ? [{ name: 'swap', source: { kind: 'blank' as const }, sizeGiB: Math.ceil(swap / 1024), bus }] : []),
  ]
}

const busOf = (server: Server): GuestDisk['bus'] =>
  buses.find(bus => bus === server.image_properties['hw_disk_bus']) ?? 'virtio'
const nicModel = (server: Server): GuestNic['model'] =>
  server.image_properties['hw_vif_model'] === 'e1000' ? 'e1000' : 'virtio'

/** What a server's metadata is made of. */
export function subjectOf(server: Server): MetadataSubject {
  return {
    id: server.id,
    name: server.name,
    hostname: server.hostname,
    projectId: server.project_id,
    availabilityZone: server.availability_zone,
    launchIndex: server.launch_index,
    reservationId: server.reservation_id,
    flavorName: server.flavor.name,
    imageId: server.image_id,
    seq: server.seq,
    metadata: server.metadata,
    key:
      server.key_name !== null && server.public_key !== null
        ? { name: server.key_name, publicKey: server.public_key }
        : undefined,
    userData: server.user_data === null ? undefined : Buffer.from(server.user_data, 'base64'),
    nics: server.nics,
    securityGroups: server.security_groups,
    rootDeviceName: server.root_device_name,
  }
}
