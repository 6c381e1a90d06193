/**
 * A guest as this process knows it: its record, its running QEMU if any, and the lock that makes two calls about one guest
 * follow each other. Here is how a QEMU is attached, watched and let go of; the verbs are in `power.ts`.
 */

import { join } from 'node:path'
import type { Log } from '@strata/toolkit/log'
import type { Runtime } from '@strata/toolkit/runtime'
import type { GuestReport, GuestState } from '../../logic/ports/hosts.ts'
import type { Acceleration } from './acceleration.ts'
import type { Cgroups } from './cgroups.ts'
import { guestFiles } from './command-line.ts'
import { connectWhenReady, isAlive, kill, type ProcessRef, waitForEnd } from './process.ts'
import type { Qmp, QmpEvent } from './qmp.ts'
import { type GuestRecord, saveRecord } from './records.ts'
import type { GuestUser } from './user.ts'

/** What every part of the driver works with, once it is open. */
export interface Host {
  readonly binary: string
  /** The folder that has a folder for each guest. */
  readonly instances: string
  readonly user: GuestUser
  readonly acceleration: Acceleration
  readonly cgroups: Cgroups
  readonly runtime: Runtime
  readonly log: Log
  readonly startTimeoutMs: number
  readonly unplugTimeoutMs: number
  /** Tells those who watch. */
  readonly tell: (report: GuestReport) => void
}

export interface Running {
  readonly process: ProcessRef
  /** Gone when QEMU does not answer; such a guest can still be listed and ended. */
  readonly qmp: Qmp | undefined
  /** `off` is a guest that has powered off while its process waits to be ended. */
  state: 'starting' | 'running' | 'paused' | 'panicked' | 'off'
}

export interface Guest {
  readonly serverId: string
  readonly folder: string
  record: GuestRecord | undefined
  running: Running | undefined
  /** There is a record that cannot be read: all that can be done is to destroy the guest. */
  unreadable: boolean
  /** Aborted by `destroy`, so that it need not wait for a stop's grace. */
  hurry: AbortController
  /** The end of the last call that was let in. */
  turn: Promise<unknown>
}

export function newGuest(instances: string, serverId: string): Guest {
  const folder = join(instances, serverId)
  return {
    serverId,
    folder,
    record: undefined,
    running: undefined,
    unreadable: false,
    hurry: new AbortController(),
    turn: Promise.resolve(),
  }
}

/** Runs `action` when all earlier calls about this guest have ended. */
export function exclusive<T>(guest: Guest, action: () => Promise<T>): Promise<T> {
  const result = guest.turn.then(action)
  guest.turn = result.catch(() => {})
  return result
}

export async function updateRecord(guest: Guest, change: Partial<GuestRecord>): Promise<GuestRecord> {
  if (!guest.record) throw new Error(`server ${guest.serverId} has no guest on this host`)
  const record = { ...guest.record, ...change }
  await saveRecord(guest.folder, record)
  guest.record = record
  return record
}

export function stateOf(guest: Guest): GuestState {
  const { record, running } = guest
  if (!running) return record?.spawned && record.power === 'on' ? 'crashed' : 'shutdown'
  if (running.state === 'panicked') return 'crashed'
  if (running.state === 'off') return 'shutdown'
  return running.state === 'running' ? 'running' : 'paused'
}

/** QMP's run states, as far as they are not `paused` to us. */
const runStates: Readonly<Record<string, Running['state']>> = {
  running: 'running',
  prelaunch: 'starting',
  'guest-panicked': 'panicked',
  shutdown: 'off',
}

/** Makes `process` the guest's running one: asks how it is, and watches it from now on. */
export async function attach(host: Host, guest: Guest, process: ProcessRef, qmp: Qmp | undefined): Promise<Running> {
  const running: Running = { process, qmp, state: 'paused' }
  guest.running = running
  if (!qmp) {
    running.state = 'running'
    return running
  }
  qmp.onEvent(event => heed(host, guest, running, event))
  qmp.closed
    .then(() => exclusive(guest, () => lost(host, guest, running)))
    .catch(error => host.log.error({ error, server: guest.serverId }, 'a guest could not be looked after'))
  const { status } = await qmp.execute<{ status: string }>('query-status')
  running.state = runStates[status] ?? 'paused'
  return running
}

function heed(host: Host, guest: Guest, running: Running, { event }: QmpEvent): void {
  const changed = (state: Running['state']) => {
    running.state = state
  }
  if (event === 'RESUME') changed('running')
  else if (event === 'STOP' && running.state === 'running') changed('paused')
  else if (event === 'GUEST_PANICKED') {
    changed('panicked')
    host.tell({ serverId: guest.serverId, state: 'crashed' })
  } else if (event === 'SHUTDOWN') {
    changed('off')
    const action = () => reap(host, guest, running)
    exclusive(guest, action).catch(error =>
      host.log.error({ error, server: guest.serverId }, 'a guest that powered off could not be ended'),
    )
  }
}

/** Ends the process of a guest that powered itself off, unless a stop or a reboot that waited for just that has done so. */
export async function reap(host: Host, guest: Guest, running: Running): Promise<void> {
  if (guest.running !== running) return
  await updateRecord(guest, { power: 'off' })
  await endProcess(guest)
  host.tell({ serverId: guest.serverId, state: 'shutdown' })
}

/** The monitor's connection ended and nobody here ended it: the process died or, rarely, just dropped the connection. */
async function lost(host: Host, guest: Guest, running: Running): Promise<void> {
  if (guest.running !== running) return
  if (await waitForEnd(running.process, 2000)) return ended(host, guest)
  host.log.warn({ server: guest.serverId }, 'a guest dropped its monitor connection')
  await adopt(host, guest, running.process)
}

const adoptTimeoutMs = 3000

/**
 * Takes over a process that was found. One that does not answer is kept as it is, unless its guest was stopped on purpose: it
 * is on its way out, and whoever showed it the door may have gone first.
 */
export async function adopt(host: Host, guest: Guest, process: ProcessRef): Promise<void> {
  const monitor = join(guest.folder, guestFiles.monitor)
  const isOver = async () => !(await isAlive(process))
  const qmp = await connectWhenReady(monitor, adoptTimeoutMs, isOver).catch((error: Error) => error)
  if (!(qmp instanceof Error)) {
    const running = await attach(host, guest, process, qmp)
    if (running.state === 'off' && guest.record) await reap(host, guest, running)
    return
  }
  if (await isOver()) return ended(host, guest)
  await attach(host, guest, process, undefined)
  if (guest.record?.power === 'off') return endProcess(guest)
  host.log.warn({ error: qmp, server: guest.serverId }, 'a guest runs but does not answer')
}

/** The guest's process is no more. */
function ended(host: Host, guest: Guest): void {
  guest.running = undefined
  if (stateOf(guest) === 'crashed') host.tell({ serverId: guest.serverId, state: 'crashed' })
}

/** Tries again to reach a guest that runs but did not answer before. */
export async function reach(host: Host, guest: Guest): Promise<void> {
  const { running } = guest
  if (!running || running.qmp) return
  if (await isAlive(running.process)) return adopt(host, guest, running.process)
  ended(host, guest)
}

/** Lets go of the guest's connection; the guest goes on. */
export function detach(guest: Guest): void {
  const { running } = guest
  guest.running = undefined
  running?.qmp?.close()
}

/** Ends the guest's process: asked to, QEMU writes out what its disks' caches hold; else it is killed. */
export async function endProcess(guest: Guest, politely = true): Promise<void> {
  const { running } = guest
  if (!running) return
  guest.running = undefined
  if (politely && running.qmp) {
    await running.qmp.execute('quit', undefined, 3000).catch(() => {})
    await waitForEnd(running.process, 5000)
  }
  if (await isAlive(running.process)) await kill(running.process)
  running.qmp?.close()
}
