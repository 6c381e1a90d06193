/**
 * Which datapath Open vSwitch can use here: the kernel's (`system`) where the module is, else its own in userspace
 * (`netdev`). The userspace datapath makes a device of a fixed name, so a machine could hold only one; so that several
 * clouds fit, the device (which carries no traffic) gets a name of its cloud's once it exists. It is persistent: a killed
 * switch leaves it behind.
 */

import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { run, succeeds } from './commands.ts'

export type DatapathType = 'system' | 'netdev'

const NETDEV_DEVICE = 'ovs-netdev'
const ownDevice = (tag: string): string => `ovsnd-${tag}`

/** Looks at the machine; a kernel datapath that another switch has already leaves `netdev`. */
export async function detectDatapathType(): Promise<DatapathType> {
  if (existsSync('/sys/class/net/ovs-system')) return 'netdev'
  if (existsSync('/sys/module/openvswitch')) return 'system'
  return (await succeeds('modprobe', ['openvswitch'])) ? 'system' : 'netdev'
}

/** Deletes network devices, those that exist. */
export async function deleteDevices(names: readonly string[]): Promise<void> {
  for (const name of names) if (existsSync(`/sys/class/net/${name}`)) await run('ip', ['link', 'delete', name])
}

/** Does a running switch hold the tap? */
async function isHeld(device: string): Promise<boolean> {
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
    if (command.trim() !== 'ovs-vswitchd') continue
    for (const fd of await readdir(`/proc/${pid}/fdinfo`).catch(() => [])) {
      const info = await readFile(`/proc/${pid}/fdinfo/${fd}`, 'utf8').catch(() => '')
      if (info.split('\n').includes(`iff:\t${device}`)) return true
    }
  }
  return false
}

/**
 * Before a switch starts: removes what a killed one left behind. Rejects when another living switch on this machine has
 * the name that the new one is going to need.
 */
export async function makeRoomForDatapath(type: DatapathType, tag: string): Promise<void> {
  if (type !== 'netdev') return
  await deleteDevices([ownDevice(tag)])
  // Another cloud of ours renames its device within moments of its start.
  for (let attempt = 0; attempt < 30 && existsSync(`/sys/class/net/${NETDEV_DEVICE}`); attempt++) {
    if (!(await isHeld(NETDEV_DEVICE))) return deleteDevices([NETDEV_DEVICE])
    await sleep(100)
  }
  if (existsSync(`/sys/class/net/${NETDEV_DEVICE}`))
    throw new Error(
      `another Open vSwitch on this machine has the userspace datapath (device ${NETDEV_DEVICE}): end it, or configure Strata to use its databases`,
    )
}

/** After a switch started and made its first bridge: frees the usual name for others. */
export async function renameDatapathDevice(type: DatapathType, tag: string): Promise<void> {
  if (type !== 'netdev' || !existsSync(`/sys/class/net/${NETDEV_DEVICE}`)) return
  await run('ip', ['link', 'set', NETDEV_DEVICE, 'name', ownDevice(tag)])
}

/** What a killed switch may have left of a cloud. */
export const datapathDevices = (tag: string): readonly string[] => [ownDevice(tag)]
