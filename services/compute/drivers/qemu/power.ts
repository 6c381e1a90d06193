/** Powering guests on and off: the verbs of the `Hypervisor` port, for one guest whose turn it is. */
import { chown, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { GuestBuildError, type GuestSpec } from '../../logic/ports/hosts.ts'
import { assignSlots } from './addresses.ts'
import { commandLine, guestFiles, translationCacheMiB } from './command-line.ts'
import { makeConfigDrive } from './config-drive.ts'
import { prepareConsole } from './console.ts'
import { checkDisk, makeDisk } from './disks.ts'
import { attach, endProcess, type Guest, type Host, type Running, updateRecord } from './guest.ts'
import { machineOf } from './machine.ts'
import { findProcess, kill, startProcess } from './process.ts'
import { type GuestRecord, keptSpec, saveRecord } from './records.ts'

/** What QEMU itself needs beyond the guest's memory: its code and heap, the screen, buffers of disks and network. */
const overheadMiB = 384 + translationCacheMiB
const processesPerGuest = 256

/** Makes the guest's folder with all that it needs, and starts it. Throws `GuestBuildError`. */
export async function spawnGuest(host: Host, guest: Guest, spec: GuestSpec): Promise<void> {
  if (guest.running) return resumeStart(guest, guest.running)
  if (guest.record?.spawned && guest.record.power === 'off') return
  await building(async () => {
    await prepare(host, guest, spec, false)
    await launch(host, guest)
  })
}

/** Starts a guest that has its disks. Throws `GuestBuildError`. */
export async function startGuest(host: Host, guest: Guest, spec: GuestSpec): Promise<void> {
  // A process whose guest is off or has panicked is only waiting to be ended.
  const isOver = guest.running?.state === 'off' || guest.running?.state === 'panicked'
  if (guest.running && !isOver) return resumeStart(guest, guest.running)
  await endProcess(guest)
  const wasOff = guest.record?.power === 'off'
  await building(async () => {
    await prepare(host, guest, spec, true)
    await launch(host, guest)
  }).catch(async error => {
    // A guest that was off and could not be started is off still; it did not crash.
    if (wasOff) await updateRecord(guest, { power: 'off' })
    throw error
  })
}

/** Whatever goes wrong while a guest is built is told to its owner. */
async function building(action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    if (error instanceof GuestBuildError) throw error
    throw new GuestBuildError((error as Error).message, { cause: error })
  }
}

/** A start that a crash of ours cut short has left a process that waits for its first `cont`. */
async function resumeStart(guest: Guest, running: Running): Promise<void> {
  if (running.state !== 'starting') return
  await running.qmp?.execute('cont')
  running.state = 'running'
  await updateRecord(guest, { spawned: true, power: 'on' })
}

async function prepare(host: Host, guest: Guest, spec: GuestSpec, hasDisks: boolean): Promise<void> {
  const { folder, record: before } = guest
  const slots = assignSlots(spec, before?.slots ?? {}, machineOf(spec).ideUnits)
  const record: GuestRecord = {
    version: 1,
    spec: keptSpec(spec),
    slots,
    hasConfigDrive: spec.configDrive !== undefined || (before?.hasConfigDrive ?? false),
    spawned: before?.spawned ?? false,
    power: 'on',
    cgroups: [...new Set([...(before?.cgroups ?? []), ...host.cgroups.folders(guest.serverId)])],
  }
  const options = { folder, user: host.user }
  for (const disk of hasDisks ? spec.disks : []) {
    const earlier = before?.spec.disks.find(each => each.name === disk.name)
    await checkDisk(disk, earlier, options)
  }
  // The folder is ours: QEMU's user may look files up in it, and make some only in `run`.
  await mkdir(folder, { recursive: true, mode: 0o711 })
  await saveRecord(folder, record)
  guest.record = record
  const drive = spec.configDrive ? makeConfigDrive(spec.configDrive, folder, host.user) : undefined
  const disks = hasDisks ? [] : spec.disks.map(disk => makeDisk(disk, options))
  // All are waited for, also when one fails: nothing may still be at work in a folder that is destroyed next.
  const failure = (await Promise.allSettled([drive, ...disks])).find(result => result.status === 'rejected')
  if (failure) throw failure.reason
}

/** Starts QEMU from the record and lets its guest run. What an earlier start may have left is ended first. */
async function launch(host: Host, guest: Guest): Promise<void> {
  const { folder, serverId, record } = guest
  if (!record) throw new Error(`server ${serverId} has no guest on this host`)
  const stray = await findProcess(folder, serverId, host.user.uid)
  if (stray) await kill(stray)
  const runtime = join(folder, guestFiles.runtime)
  await rm(runtime, { recursive: true, force: true })
  await mkdir(runtime, { mode: 0o700 })
  await chown(runtime, host.user.uid, host.user.gid)
  await prepareConsole(folder, host.user)

  const { binary, acceleration } = host
  const command = commandLine(record.spec, record.slots, {
    binary,
    acceleration,
    folder,
    hasConfigDrive: record.hasConfigDrive,
  })
  const limits = {
    memoryMiB: record.spec.memoryMiB + overheadMiB,
    processes: processesPerGuest + record.spec.vcpus,
    vcpus: record.spec.vcpus,
  }
  const { process, qmp } = await startProcess({
    argv: [...host.user.dropTo, ...command],
    folder,
    timeoutMs: host.startTimeoutMs,
    confine: pid => host.cgroups.place(serverId, pid, limits),
  })
  try {
    await resumeStart(guest, await attach(host, guest, process, qmp))
  } catch (error) {
    await endProcess(guest, false)
    throw error
  }
}

/** Powers the guest off. Absent or off already: nothing happens. */
export async function stopGuest(host: Host, guest: Guest, graceSeconds: number): Promise<void> {
  await askToPowerOff(host, guest, graceSeconds)
  if (guest.record) await updateRecord(guest, { power: 'off' })
  await endProcess(guest)
}

/** Starts the machine anew, with what `spec` says now. Throws `GuestBuildError`. */
export async function rebootGuest(host: Host, guest: Guest, spec: GuestSpec, graceSeconds: number): Promise<void> {
  await askToPowerOff(host, guest, graceSeconds)
  await endProcess(guest)
  await startGuest(host, guest, spec)
}

/** How long a guest is left alone before its power button is pressed again: one that was booting did not see it. */
const pressAgainMs = 5000

/** Presses the power button and waits until the guest is off, the grace is over, or a `destroy` is in a hurry. */
async function askToPowerOff(host: Host, guest: Guest, graceSeconds: number): Promise<void> {
  const { running } = guest
  if (!running?.qmp || running.state !== 'running' || graceSeconds <= 0) return
  const deadline = host.runtime.monotonic() + graceSeconds * 1000
  for (;;) {
    const left = deadline - host.runtime.monotonic()
    if (left <= 0 || guest.hurry.signal.aborted) return
    const off = running.qmp
      .until(({ event }) => event === 'SHUTDOWN', Math.min(left, pressAgainMs), guest.hurry.signal)
      .then(
        () => true,
        () => false,
      )
    const pressed = await running.qmp.execute('system_powerdown').then(
      () => true,
      () => false,
    )
    if ((await off) || !pressed) return
  }
}

export async function pauseGuest(guest: Guest): Promise<void> {
  const running = answering(guest)
  if (running.state === 'paused') return
  await running.qmp.execute('stop')
  running.state = 'paused'
}

export async function unpauseGuest(guest: Guest): Promise<void> {
  const running = answering(guest)
  if (running.state === 'running') return
  await running.qmp.execute('cont')
  running.state = 'running'
}

function answering(guest: Guest): Running & { qmp: NonNullable<Running['qmp']> } {
  const { running } = guest
  if (!running) throw new Error(`the guest of server ${guest.serverId} does not run`)
  if (!running.qmp) throw new Error(`the guest of server ${guest.serverId} does not answer`)
  return running as Running & { qmp: NonNullable<Running['qmp']> }
}

/** Ends the guest and removes all that it had on this host. */
export async function destroyGuest(host: Host, guest: Guest): Promise<void> {
  await endProcess(guest, false)
  const stray = await findProcess(guest.folder, guest.serverId, host.user.uid)
  if (stray) await kill(stray)
  await host.cgroups.remove([...new Set([...(guest.record?.cgroups ?? []), ...host.cgroups.folders(guest.serverId)])])
  await rm(guest.folder, { recursive: true, force: true })
  guest.record = undefined
  guest.unreadable = false
  guest.hurry = new AbortController()
}
