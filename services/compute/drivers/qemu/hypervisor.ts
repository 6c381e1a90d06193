/**
 * The QEMU hypervisor: each guest is a QEMU process of its own, told what to do over QMP. The README draws the states of a
 * guest and the layout of its folder.
 */
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@strata/toolkit/log'
import { type Runtime, systemRuntime } from '@strata/toolkit/runtime'
import type { GuestReport, Hypervisor } from '../../logic/ports/hosts.ts'
import { type Acceleration, detectAcceleration } from './acceleration.ts'
import { readCapacity, versionNumber } from './capacity.ts'
import { openCgroups } from './cgroups.ts'
import { cutLogs, readConsole } from './console.ts'
import { detach, type Guest, type Host, reach, stateOf } from './guest.ts'
import { createGuestTable, type GuestTable } from './guest-table.ts'
import { attachDisk, attachNic, detachDisk, detachNic } from './hot-plug.ts'
import { destroyGuest, pauseGuest, rebootGuest, spawnGuest, startGuest, stopGuest, unpauseGuest } from './power.ts'
import { checkServerId } from './records.ts'
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
  /** Ids of the images that guests' disks are based on, for pruning the image cache. Throws when that is not certain. */
  imagesInUse(): Promise<ReadonlySet<string>>
}

interface OpenHost {
  readonly host: Host
  readonly version: number
  readonly stopTending: () => void
}

const tendMs = 5000
const closeGraceMs = 5000

/** Builds the driver; nothing happens before `open`. */
export function createQemuHypervisor(options: QemuOptions): QemuHypervisor {
  const instances = join(options.folder, 'instances')
  const guests = createGuestTable(instances)
  const listeners = new Set<(report: GuestReport) => void>()
  let opened: OpenHost | undefined

  const need = () => {
    if (opened) return opened
    throw new Error('the hypervisor is not open')
  }
  const withGuest = async <T>(serverId: string, action: (host: Host, guest: Guest) => Promise<T>): Promise<T> => {
    const { host } = need()
    return guests.inTurn(serverId, async guest => {
      await reach(host, guest)
      return action(host, guest)
    })
  }
  const tell = (report: GuestReport) => {
    for (const listener of [...listeners]) listener(report)
  }

  return {
    name: 'qemu',
    async open() {
      const { host, version } = await prepareHost(options, instances, tell)
      await guests.takeUp(host)
      opened = { host, version, stopTending: tend(host, guests, options.consoleLimitBytes ?? 1024 * 1024) }
    },
    async close() {
      const runtime = opened?.host.runtime
      opened?.stopTending()
      opened = undefined
      // What is being built is finished; a stop that waits for its guest is not waited for.
      const done = new AbortController()
      if (runtime) await Promise.race([guests.idle(), runtime.sleep(closeGraceMs, done.signal).catch(() => {})])
      done.abort()
      for (const guest of guests.all()) detach(guest)
      guests.clear()
    },
    get user() {
      return need().host.user
    },
    async imagesInUse() {
      need()
      return basesOf(guests.all())
    },
    async capacity() {
      const { host, version } = need()
      return readCapacity({ folder: options.folder, version, acceleration: host.acceleration })
    },
    async list() {
      need()
      return guests.all().map(guest => ({ serverId: guest.serverId, state: stateOf(guest) }))
    },
    watch(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    spawn: spec => withGuest(spec.serverId, (host, guest) => spawnGuest(host, guest, spec)),
    start: spec => withGuest(spec.serverId, (host, guest) => startGuest(host, guest, spec)),
    stop: (serverId, graceSeconds) => withGuest(serverId, (host, guest) => stopGuest(host, guest, graceSeconds)),
    reboot: (spec, type, graceSeconds) =>
      withGuest(spec.serverId, (host, guest) => rebootGuest(host, guest, spec, type === 'SOFT' ? graceSeconds : 0)),
    pause: serverId => withGuest(serverId, (_, guest) => pauseGuest(guest)),
    unpause: serverId => withGuest(serverId, (_, guest) => unpauseGuest(guest)),
    async destroy(serverId) {
      const { host } = need()
      guests.of(serverId).hurry.abort()
      await guests.inTurn(serverId, guest => destroyGuest(host, guest))
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

async function prepareHost(
  options: QemuOptions,
  instances: string,
  tell: Host['tell'],
): Promise<Omit<OpenHost, 'stopTending'>> {
  const { folder, log, runtime = systemRuntime, binary = 'qemu-system-x86_64' } = options
  const { startTimeoutMs = 30_000, unplugTimeoutMs = 20_000, userName = 'strata-qemu' } = options
  await mkdir(instances, { recursive: true })
  // Passed through by the guests' user, listed only by us.
  for (const each of [folder, instances]) await chmod(each, 0o711)
  const version = await run(binary, ['--version'])
  const user = await ensureUser(userName, ['/dev/net/tun', '/dev/kvm'], log)
  const acceleration = options.acceleration ?? (await detectAcceleration({ binary, version, folder, user, log }))
  const cgroups = await openCgroups(log)
  const host = { binary, instances, user, acceleration, cgroups, runtime, log, startTimeoutMs, unplugTimeoutMs, tell }
  return { host, version: versionNumber(version) }
}

/** Looks after running guests from time to time: their logs, and those that did not answer. Returns the way to stop. */
function tend(host: Host, guests: GuestTable, limitBytes: number): () => void {
  let cancel: (() => void) | undefined
  const again = () => {
    cancel = host.runtime.timer(tendMs, async () => {
      for (const guest of guests.all().filter(each => each.running)) {
        const complain = (error: unknown) =>
          host.log.warn({ error, server: guest.serverId }, 'a guest could not be looked after')
        await cutLogs(guest.folder, limitBytes).catch(complain)
        if (guest.running && !guest.running.qmp)
          await guests.inTurn(guest.serverId, () => reach(host, guest)).catch(complain)
      }
      if (cancel) again()
    })
  }
  again()
  return () => {
    cancel?.()
    cancel = undefined
  }
}

function basesOf(guests: readonly Guest[]): ReadonlySet<string> {
  const unknown = guests.find(guest => !guest.record)
  if (unknown) throw new Error(`it is not known which images the guest of server ${unknown.serverId} is based on`)
  const disks = guests.flatMap(guest => guest.record?.spec.disks ?? [])
  return new Set(disks.flatMap(({ source }) => (source.kind === 'image' ? [source.imageId] : [])))
}
