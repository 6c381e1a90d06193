/**
 * The command line of a guest's QEMU, told from its spec and a few facts of the host. Pure: the same input gives the same
 * arguments, and a golden file shows them.
 *
 * Every path is relative to the guest's folder, which is the process's working directory.
 */
import type { GuestDisk, GuestSpec } from '../../logic/ports/hosts.ts'
import { fixedSlots, type Slots } from './addresses.ts'
import { type Arguments, blockNode, diskDevice, netdev, nicDevice, scsiController } from './devices.ts'
import { machineOf } from './machine.ts'

export interface HostFacts {
  readonly binary: string
  readonly acceleration: 'kvm' | 'tcg'
  /** The guest's folder, absolute: files outside of it are named relative to it. */
  readonly folder: string
  readonly hasConfigDrive: boolean
}

/** Files and sockets of a guest, relative to its folder. Those in `run/` are made by QEMU itself. */
export const guestFiles = {
  pid: 'qemu.pid',
  runtime: 'run',
  monitor: 'run/qmp.sock',
  spareMonitor: 'run/qmp-spare.sock',
  console: 'run/console.sock',
  vnc: 'run/vnc.sock',
  consoleLog: 'console.log',
  configDrive: 'config-drive.iso',
  stderr: 'qemu.log',
} as const

/** Memory for code that TCG has translated; QEMU's own default is up to a GiB for each guest. */
export const translationCacheMiB = 64

/** The arguments of QEMU, its program first. The guest waits for `cont`. Throws `GuestBuildError` for what cannot be. */
export function commandLine(spec: GuestSpec, slots: Slots, facts: HostFacts): string[] {
  return [
    facts.binary,
    ...machineArguments(spec, facts),
    ...processArguments(spec),
    ...platformArguments(spec),
    ...diskArguments(spec, slots, facts),
    ...nicArguments(spec, slots),
  ]
}

const json = (value: Arguments) => JSON.stringify(value)
const device = (value: Arguments) => ['-device', json(value)]

function machineArguments(spec: GuestSpec, facts: HostFacts): string[] {
  const machine = machineOf(spec)
  const fast = facts.acceleration === 'kvm'
  return [
    ...['-name', `guest=${spec.instanceName.replaceAll(',', ',,')},debug-threads=on`],
    ...['-uuid', spec.serverId],
    ...['-machine', `${machine.type},usb=off,dump-guest-core=off`],
    ...['-accel', fast ? 'kvm' : `tcg,thread=multi,tb-size=${translationCacheMiB}`],
    ...['-cpu', fast ? 'host' : 'max'],
    ...['-smp', `cpus=${spec.vcpus},sockets=${spec.vcpus},cores=1,threads=1`],
    ...['-m', `size=${spec.memoryMiB}M`],
    ...['-rtc', 'base=utc'],
    ...['-boot', 'strict=on,menu=off'],
    ...['-smbios', `type=1,manufacturer=Strata,product=OpenStack Nova,serial=${spec.serverId},uuid=${spec.serverId}`],
  ]
}

/**
 * How the process behaves: locked in, and still there (as a machine that is off) after its guest powered off or
 * panicked, so that the next Strata to look knows that nothing crashed.
 */
function processArguments(spec: GuestSpec): string[] {
  const socket = (id: string, path: string) => ['-chardev', `socket,id=${id},path=${path},server=on,wait=off`]
  const monitor = (id: string, path: string) => [...socket(id, path), '-mon', `chardev=${id},mode=control`]
  return [
    ...['-no-user-config', '-nodefaults', '-S'],
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...['-action', 'shutdown=pause,panic=pause'],
    ...monitor('monitor', guestFiles.monitor),
    ...monitor('spare', guestFiles.spareMonitor),
    ...['-vnc', spec.properties['hw_video_model'] === 'none' ? 'none' : `unix:${guestFiles.vnc}`],
  ]
}

function platformArguments(spec: GuestSpec): string[] {
  const machine = machineOf(spec)
  const log = `logfile=${guestFiles.consoleLog},logappend=on`
  return [
    ...machine.ports.flatMap(device),
    ...['-chardev', `socket,id=console,path=${guestFiles.console},server=on,wait=off,${log}`],
    ...device({ driver: 'isa-serial', id: 'serial0', chardev: 'console' }),
    ...device({ driver: 'pvpanic', id: 'panic0' }),
    ...(spec.properties['hw_video_model'] === 'none'
      ? []
      : device({ driver: 'VGA', id: 'vga0', vgamem_mb: 8, ...machine.location(fixedSlots.vga) })),
    ...['-object', json({ 'qom-type': 'rng-random', id: 'entropy', filename: '/dev/urandom' })],
    ...device({ driver: 'virtio-rng-pci', id: 'rng0', rng: 'entropy', ...machine.location(fixedSlots.rng) }),
    ...device({
      driver: 'virtio-balloon-pci',
      id: 'balloon0',
      'free-page-reporting': true,
      ...machine.location(fixedSlots.balloon),
    }),
  ]
}

function diskArguments(spec: GuestSpec, slots: Slots, facts: HostFacts): string[] {
  const machine = machineOf(spec)
  const scsi = spec.disks.some(disk => disk.bus === 'scsi') || spec.properties['hw_scsi_model'] === 'virtio-scsi'
  const configDrive = {
    driver: 'raw',
    'node-name': 'config-drive',
    'read-only': true,
    file: { driver: 'file', filename: guestFiles.configDrive },
  }
  return [
    ...(scsi ? device(scsiController(machine)) : []),
    ...bootable(spec.disks).flatMap(disk => [
      '-blockdev',
      json(blockNode(disk, slots, facts.folder)),
      ...device(diskDevice(disk, slots, machine)),
    ]),
    ...(facts.hasConfigDrive ? ['-blockdev', json(configDrive)] : []),
    ...(facts.hasConfigDrive
      ? device({ driver: 'ide-cd', id: 'config-drive', drive: 'config-drive', ...machine.cdrom })
      : []),
  ]
}

/** A guest boots from the disks that are meant for it, or else from its first. */
function bootable(disks: readonly GuestDisk[]): readonly GuestDisk[] {
  if (disks.some(disk => disk.bootIndex !== undefined)) return disks
  return disks.map((disk, index) => (index === 0 ? { ...disk, bootIndex: 0 } : disk))
}

function nicArguments(spec: GuestSpec, slots: Slots): string[] {
  const machine = machineOf(spec)
  return spec.nics.flatMap(nic => ['-netdev', json(netdev(nic)), ...device(nicDevice(nic, slots, machine))])
}
