/**
 * The disks and network cards of a guest in QEMU's words. Pure. The same objects go on the command line and, for
 * hot-plugging, over QMP, so a guest that is started anew has the hardware that it had.
 *
 * Words: a *node* is QEMU's name for an opened image (at most 31 characters, hence numbered); a *device* is what the
 * guest sees. All file names are relative to the guest's folder, in which its process runs: QEMU's user needs no way
 * through the folders above, and socket paths stay short.
 */
import { relative } from 'node:path'
import { GuestBuildError, type GuestDisk, type GuestNic } from '../../logic/ports/hosts.ts'
import { diskKey, fixedSlots, nicKey, type Slots } from './addresses.ts'
import type { Machine } from './machine.ts'

export type Arguments = Readonly<Record<string, unknown>>

export const diskDeviceId = (name: string) => `disk-${name}`
export const nicDeviceId = (portId: string) => `nic-${portId}`
export const netdevId = (portId: string) => `tap-${portId}`
export const scsiControllerId = 'scsi0'

/** The file of a disk whose content lives in the guest's folder, relative to that folder. */
export const diskFile = (name: string) => `disks/${name}.qcow2`

const busPrefix = { virtio: 'v', scsi: 's', ide: 'i' } as const
const deviceDrivers = { virtio: 'virtio-blk-pci', scsi: 'scsi-hd', ide: 'ide-hd' } as const
const nicDrivers = { virtio: 'virtio-net-pci', e1000: 'e1000' } as const
const serialLimits = { virtio: 20, scsi: 36, ide: 20 } as const

function slotOf(slots: Slots, key: string): number {
  const slot = slots[key]
  if (slot === undefined) throw new Error(`no slot was given to ${key}`)
  return slot
}

/** The node that a disk's device is attached to. */
export function diskNode(disk: Pick<GuestDisk, 'name' | 'bus'>, slots: Slots): string {
  return `${busPrefix[disk.bus]}${slotOf(slots, diskKey(disk))}`
}

/** What `-blockdev` and `blockdev-add` are given. The format is always said: a guest could write another's header. */
export function blockNode(disk: GuestDisk, slots: Slots, folder: string): Arguments {
  const shared = { 'node-name': diskNode(disk, slots), discard: 'unmap', 'detect-zeroes': 'unmap' }
  if (disk.source.kind !== 'volume') {
    return { driver: 'qcow2', ...shared, file: { driver: 'file', filename: diskFile(disk.name), locking: 'auto' } }
  }
  const { connection } = disk.source
  if (connection.protocol === 'file') {
    return {
      driver: connection.format,
      ...shared,
      file: { driver: 'file', filename: relative(folder, connection.path) },
    }
  }
  const server = { type: 'unix', path: relative(folder, connection.socket) }
  return {
    driver: 'raw',
    ...shared,
    file: { driver: 'nbd', server, export: connection.exportName, 'reconnect-delay': 30 },
  }
}

/** What `-device` and `device_add` are given for a disk. */
export function diskDevice(disk: GuestDisk, slots: Slots, machine: Machine): Arguments {
  const slot = slotOf(slots, diskKey(disk))
  const place = {
    virtio: () => machine.location(slot),
    scsi: () => ({ bus: `${scsiControllerId}.0`, 'scsi-id': slot, lun: 0 }),
    ide: () => machine.ideLocation(slot),
  }[disk.bus]()
  return {
    driver: deviceDrivers[disk.bus],
    id: diskDeviceId(disk.name),
    drive: diskNode(disk, slots),
    ...place,
    ...(disk.bootIndex === undefined ? {} : { bootindex: disk.bootIndex }),
    ...(disk.serial === undefined ? {} : { serial: disk.serial.slice(0, serialLimits[disk.bus]) }),
  }
}

export const scsiController = (machine: Machine): Arguments => ({
  driver: 'virtio-scsi-pci',
  id: scsiControllerId,
  ...machine.location(fixedSlots.scsi),
})

/**
 * What `-netdev` and `netdev_add` are given. `vnet_hdr` is off because a userspace switch reads taps without these headers
 * and would pass on segments whose checksums nobody computed: ping works then, and TCP does not.
 */
export function netdev(nic: GuestNic): Arguments {
  if (!/^[\w.-]{1,15}$/.test(nic.vifName))
    throw new GuestBuildError(`"${nic.vifName}" is not the name of an interface.`)
  return { type: 'tap', id: netdevId(nic.portId), ifname: nic.vifName, script: 'no', downscript: 'no', vnet_hdr: false }
}

/** What `-device` and `device_add` are given for a network card. It has no boot ROM: nothing boots from the network. */
export function nicDevice(nic: GuestNic, slots: Slots, machine: Machine): Arguments {
  return {
    driver: nicDrivers[nic.model],
    id: nicDeviceId(nic.portId),
    netdev: netdevId(nic.portId),
    mac: nic.macAddress,
    ...machine.location(slotOf(slots, nicKey(nic.portId))),
    ...(nic.model === 'virtio' ? { host_mtu: nic.mtu } : {}),
    romfile: '',
  }
}
