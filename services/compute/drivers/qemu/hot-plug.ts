/**
 * Network cards and disks that come and go while the guest runs.
 *
 * The record is changed first when something is attached and last when it is detached, so that a crash in between leaves it
 * to the repeated call, or to the guest's next start, to finish. A device leaves only when the guest's own kernel lets go
 * of it: what is behind it is taken away after QEMU has said so.
 */
import type { GuestDisk, GuestNic } from '../../logic/ports/hosts.ts'
import { assignSlots } from './addresses.ts'
import { blockNode, diskDevice, diskDeviceId, diskNode, netdev, netdevId, nicDevice, nicDeviceId } from './devices.ts'
import { makeDisk, removeDisk } from './disks.ts'
import { type Guest, type Host, updateRecord } from './guest.ts'
import { machineOf } from './machine.ts'
import { type Qmp, QmpError } from './qmp.ts'
import type { GuestRecord, KeptSpec } from './records.ts'

function recordOf(guest: Guest): GuestRecord {
  if (guest.record) return guest.record
  throw new Error(`server ${guest.serverId} has no guest on this host`)
}

/** The monitor of a running guest; undefined when it is off, and what is attached waits for its next start. */
function monitorOf(guest: Guest): Qmp | undefined {
  if (!guest.running || guest.running.state === 'off') return undefined
  if (guest.running.qmp) return guest.running.qmp
  throw new Error(`the guest of server ${guest.serverId} does not answer`)
}

const changeSpec = (guest: Guest, change: Partial<KeptSpec>): Promise<GuestRecord> => {
  const record = recordOf(guest)
  const spec = { ...record.spec, ...change }
  return updateRecord(guest, { spec, slots: assignSlots(spec, record.slots, machineOf(spec).ideUnits) })
}

export async function attachNic(guest: Guest, nic: GuestNic): Promise<void> {
  const before = recordOf(guest)
  const others = before.spec.nics.filter(each => each.portId !== nic.portId)
  const { spec, slots } = await changeSpec(guest, { nics: [...others, nic] })
  const qmp = monitorOf(guest)
  if (!qmp || (await hasDevice(qmp, nicDeviceId(nic.portId)))) return
  try {
    await unlessThere(qmp.execute('netdev_add', netdev(nic)))
    await qmp.execute('device_add', nicDevice(nic, slots, machineOf(spec)))
  } catch (error) {
    await qmp.execute('netdev_del', { id: netdevId(nic.portId) }).catch(() => {})
    await updateRecord(guest, before)
    throw error
  }
}

export async function detachNic(host: Host, guest: Guest, portId: string): Promise<void> {
  const { spec } = recordOf(guest)
  if (!spec.nics.some(nic => nic.portId === portId)) return
  const qmp = monitorOf(guest)
  if (qmp) {
    await unplug(qmp, nicDeviceId(portId), host.unplugTimeoutMs, guest.hurry.signal)
    await unlessAbsent(qmp.execute('netdev_del', { id: netdevId(portId) }))
  }
  await changeSpec(guest, { nics: spec.nics.filter(nic => nic.portId !== portId) })
}

export async function attachDisk(host: Host, guest: Guest, disk: GuestDisk): Promise<void> {
  const before = recordOf(guest)
  const others = before.spec.disks.filter(each => each.name !== disk.name)
  await makeDisk(disk, { folder: guest.folder, user: host.user })
  const { spec, slots } = await changeSpec(guest, { disks: [...others, disk] })
  const qmp = monitorOf(guest)
  if (!qmp || (await hasDevice(qmp, diskDeviceId(disk.name)))) return
  try {
    await unlessThere(qmp.execute('blockdev-add', blockNode(disk, slots, guest.folder)))
    await qmp.execute('device_add', diskDevice(disk, slots, machineOf(spec)))
  } catch (error) {
    await qmp.execute('blockdev-del', { 'node-name': diskNode(disk, slots) }).catch(() => {})
    await updateRecord(guest, before)
    throw error
  }
}

export async function detachDisk(host: Host, guest: Guest, name: string): Promise<void> {
  const { spec, slots } = recordOf(guest)
  const disk = spec.disks.find(each => each.name === name)
  if (!disk) return
  const qmp = monitorOf(guest)
  if (qmp) {
    await unplug(qmp, diskDeviceId(name), host.unplugTimeoutMs, guest.hurry.signal)
    await unlessAbsent(qmp.execute('blockdev-del', { 'node-name': diskNode(disk, slots) }))
  }
  await changeSpec(guest, { disks: spec.disks.filter(each => each.name !== name) })
  await removeDisk(disk, guest)
}

async function hasDevice(qmp: Qmp, id: string): Promise<boolean> {
  const devices = await qmp.execute<readonly { name: string }[]>('qom-list', { path: '/machine/peripheral' })
  return devices.some(device => device.name === id)
}

const askAgainMs = 3000

/** Asks the guest to let go of a device until it has. Throws when it refuses, or has not by the end of `timeoutMs`. */
async function unplug(qmp: Qmp, id: string, timeoutMs: number, hurried: AbortSignal): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (await hasDevice(qmp, id)) {
    const left = deadline - performance.now()
    if (hurried.aborted) throw new Error(`${id} was not let go of before the guest was destroyed`)
    if (left <= 0) throw new Error(`the guest did not let go of ${id} within ${timeoutMs} ms`)
    const over = qmp
      .until(
        ({ event, data }) =>
          (event === 'DEVICE_DELETED' || event === 'DEVICE_UNPLUG_GUEST_ERROR') && data['device'] === id,
        Math.min(left, askAgainMs),
        hurried,
      )
      .catch(() => undefined)
    await qmp.execute('device_del', { id }).catch(error => {
      // An earlier request may still be under way, or may just have been granted.
      if (!(error instanceof QmpError)) throw error
    })
    if ((await over)?.event === 'DEVICE_UNPLUG_GUEST_ERROR') throw new Error(`the guest refused to let go of ${id}`)
  }
}

/** QEMU has no class of error for "exists already" and "not found": its words are looked at. */
const unlessThere = (adding: Promise<unknown>) => adding.catch(forgive(/duplicate|already/i))
const unlessAbsent = (removing: Promise<unknown>) => removing.catch(forgive(/not found|failed to find/i))

function forgive(words: RegExp): (error: unknown) => void {
  return error => {
    if (!(error instanceof QmpError && words.test(error.message))) throw error
  }
}
