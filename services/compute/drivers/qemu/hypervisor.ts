/**
 * The QEMU hypervisor: each guest is a QEMU process of its own, told what to do over QMP. The README draws the states of a
 * guest and the layout of its folder.
 */
import { chmod, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@strata/toolkit/log'
import { type Runtime, systemRuntime } from '@strata/toolkit/runtime'
import type { GuestReport, GuestSpec, Hypervisor } from '../../logic/ports.ts'
import { type Acceleration, detectAcceleration } from './acceleration.ts'
import { readCapacity, versionNumber } from './capacity.ts'
import { openCgroups } from './cgroups.ts'
import { cutConsole, readConsole } from './console.ts'
import { adopt, detach, exclusive, type Guest, type Host, newGuest, stateOf } from './guest.ts'
import { attachDisk, attachNic, detachDisk, detachNic } from './hot-plug.ts'
import { destroyGuest, pauseGuest, rebootGuest, spawnGuest, startGuest, stopGuest, unpauseGuest } from './power.ts'
import { findProcesses, type ProcessRef } from './process.ts'
import { checkServerId, guestIds, loadRecord } from './records.ts'
import { run } from './run.ts'
import { ensureUser, type GuestUser } from './user.ts'

export interface QemuOptions {
  /** The driver's own folder. Volumes and cached images must be reachable from it for QEMU's user: see the README. */
  readonly folder: string
  readonly log: Log
  readonly runtime?: Runtime
  readonly binary?: string
  /** The unprivileged user that guests run as; made when absent and we are root. */
  readonly userName?: string
  /** What to run guests on; found by trying when absent. */
  readonly acceleration?: Acceleration
  readonly startTimeoutMs?: number
  readonly unplugTimeoutMs?: number
  readonly consoleLimitBytes?: number
}

export interface QemuHypervisor extends Hypervisor {
  /** Who opens taps, images and volumes. Throws before `open`. */
  readonly user: GuestUser
  /** Ids of the images that guests' disks are based on, for pruning the image cache. */
  imagesInUse(): Promise<ReadonlySet<string>>
}

const consoleCheckMs = 5000
const closeGraceMs = 5000

/** Builds the driver; nothing happens before `open`. */
export function createQemuHypervisor(options: QemuOptions): QemuHypervisor {
  const { log, runtime = systemRuntime, binary = 'qemu-system-x86_64', consoleLimitBytes = 1024 * 1024 } = options
  const instances = join(options.folder, 'instances')
  const guests = new Map<string, Guest>()
  const listeners = new Set<(report: GuestReport) => void>()
  let opened: { host: Host; version: number } | undefined
  let stopTimer = () => {}

  const need = () => {
    if (opened) return opened
    throw new Error('the hypervisor is not open')
  }
  const guestOf = (serverId: string): Guest => {
    checkServerId(serverId)
    const guest = guests.get(serverId) ?? newGuest(instances, serverId)
    guests.set(serverId, guest)
    return guest
  }
  /** Waits for the guest's turn. A guest that has nothing on this host, and no further call waiting, is forgotten. */
  const withGuest = async <T>(serverId: string, action: (host: Host, guest: Guest) => Promise<T>): Promise<T> => {
    const { host } = need()
    const guest = guestOf(serverId)
    const result = exclusive(guest, () => action(host, guest))
    const { turn } = guest
    return result.finally(() => {
      if (!hasTrace(guest) && guest.turn === turn) guests.delete(serverId)
    })
  }
  const tell = (report: GuestReport) => {
    for (const listener of [...listeners]) listener(report)
  }
  const cutConsoles = async () => {
    for (const guest of guests.values()) {
      if (guest.running)
        await cutConsole(guest.folder, consoleLimitBytes).catch(error =>
          log.warn({ error, server: guest.serverId }, 'a console log could not be cut'),
        )
    }
    if (opened) stopTimer = runtime.timer(consoleCheckMs, () => void cutConsoles())
  }

  return {
    name: 'qemu',

    async open() {
      // Looked up by the guests' user, listed only by us.
      await mkdir(instances, { recursive: true })
      for (const folder of [options.folder, instances]) await chmod(folder, 0o711)
      const version = await run(binary, ['--version'])
      const user = await ensureUser(options.userName ?? 'strata-qemu', ['/dev/net/tun', '/dev/kvm'], log)
      const acceleration =
        options.acceleration ?? (await detectAcceleration({ binary, version, folder: options.folder, user, log }))
      const { startTimeoutMs = 30_000, unplugTimeoutMs = 20_000 } = options
      const host: Host = {
        binary,
        instances,
        user,
        acceleration,
        cgroups: await openCgroups(log),
        runtime,
        log,
        startTimeoutMs,
        unplugTimeoutMs,
        tell,
      }
      const processes = await findProcesses(user.uid)
      await Promise.all(
        (await guestIds(instances)).map(serverId => remember(host, guests, serverId, processes.get(serverId))),
      )
      opened = { host, version: versionNumber(version) }
      stopTimer = runtime.timer(consoleCheckMs, () => void cutConsoles())
    },

    async close() {
      stopTimer()
      opened = undefined
      // What is being built is finished; a stop that waits for its guest is not waited for.
      const turns = Promise.all([...guests.values()].map(guest => guest.turn))
      await Promise.race([turns, runtime.sleep(closeGraceMs)])
      for (const guest of guests.values()) detach(guest)
      guests.clear()
    },

    get user() {
      return need().host.user
    },

    async imagesInUse() {
      const disks = [...guests.values()].flatMap(guest => guest.record?.spec.disks ?? [])
      return new Set(disks.flatMap(disk => (disk.source.kind === 'image' ? [disk.source.imageId] : [])))
    },

    capacity: async () =>
      readCapacity({ folder: options.folder, version: need().version, acceleration: need().host.acceleration }),

    async list() {
      need()
      return [...guests.values()].filter(hasTrace).map(guest => ({ serverId: guest.serverId, state: stateOf(guest) }))
    },

    watch(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },

    spawn: spec => withGuest(spec.serverId, (host, guest) => spawnGuest(host, guest, spec)),
    start: spec => withGuest(spec.serverId, (host, guest) => startGuest(host, guest, spec)),
    stop: (serverId, graceSeconds) => withGuest(serverId, (host, guest) => stopGuest(host, guest, graceSeconds)),
    reboot: (spec: GuestSpec, type, graceSeconds) =>
      withGuest(spec.serverId, (host, guest) => rebootGuest(host, guest, spec, type === 'SOFT' ? graceSeconds : 0)),
    pause: serverId => withGuest(serverId, (_, guest) => pauseGuest(guest)),
    unpause: serverId => withGuest(serverId, (_, guest) => unpauseGuest(guest)),

    async destroy(serverId) {
      need()
      const guest = guestOf(serverId)
      guest.hurry.abort()
      await withGuest(serverId, destroyGuest)
    },

    async consoleOutput(serverId, length) {
      checkServerId(serverId)
      return readConsole(join(instances, serverId), length)
    },

    nics: {
      attachNic: (serverId, nic) => withGuest(serverId, (_, guest) => attachNic(guest, nic)),
      detachNic: (serverId, portId) => withGuest(serverId, (host, guest) => detachNic(host, guest, portId)),
    },
    disks: {
      attachDisk: (serverId, disk) => withGuest(serverId, (host, guest) => attachDisk(host, guest, disk)),
      detachDisk: (serverId, name) => withGuest(serverId, (host, guest) => detachDisk(host, guest, name)),
    },
  }
}

const hasTrace = (guest: Guest): boolean =>
  guest.record !== undefined || guest.running !== undefined || guest.unreadable

/** Takes up a guest that an earlier process of ours has left: its record, and its QEMU if that lives. */
async function remember(
  host: Host,
  guests: Map<string, Guest>,
  serverId: string,
  process: ProcessRef | undefined,
): Promise<void> {
  const guest = newGuest(host.instances, serverId)
  guests.set(serverId, guest)
  try {
    guest.record = await loadRecord(guest.folder)
  } catch (error) {
    guest.unreadable = true
    host.log.error({ error, server: serverId }, 'the record of a guest cannot be read')
  }
  if (process) {
    await adopt(host, guest, process).catch(error =>
      host.log.error({ error, server: serverId }, 'a running guest could not be taken up'),
    )
  }
  if (hasTrace(guest)) return
  // A spawn was cut short before it wrote down what for: all that there is is a folder.
  await rm(guest.folder, { recursive: true, force: true })
  guests.delete(serverId)
}
