/**
 * Which datapath Open vSwitch can use here: the kernel's (`system`) where the module is, else its own in userspace
 * (`netdev`). Only one `ovs-vswitchd` of a network namespace can have either under the usual name; so that several
 * clouds fit on one machine, the userspace datapath's own device is given a name of the cloud's once it exists.
 */

import { existsSync } from 'node:fs'
import { run, succeeds } from './commands.ts'
import { eventually } from './processes.ts'

export type DatapathType = 'system' | 'netdev'

const NETDEV_DEVICE = 'ovs-netdev'
const exists = (device: string): boolean => existsSync(`/sys/class/net/${device}`)

/** Looks at the machine; a kernel datapath that another switch has already leaves `netdev`. */
export async function detectDatapathType(): Promise<DatapathType> {
  if (exists('ovs-system')) return 'netdev'
  if (existsSync('/sys/module/openvswitch')) return 'system'
  return (await succeeds('modprobe', ['openvswitch'])) ? 'system' : 'netdev'
}

/** Rejects when another switch on this machine has the device that a new userspace datapath is going to make. */
export async function checkDatapathFree(type: DatapathType): Promise<void> {
  if (type !== 'netdev') return
  // Another Strata renames its device within moments of its start.
  if (await eventually(() => !exists(NETDEV_DEVICE), 3000, 50)) return
  throw new Error(
    `another Open vSwitch on this machine has the userspace datapath (device ${NETDEV_DEVICE}); end it or use its databases`,
  )
}

/** Frees the usual name for others. The device itself carries no traffic. */
export async function renameDatapathDevice(type: DatapathType, tag: string): Promise<void> {
  if (type !== 'netdev' || !exists(NETDEV_DEVICE) || exists(`ovsnd-${tag}`)) return
  await run('ip', ['link', 'set', NETDEV_DEVICE, 'name', `ovsnd-${tag}`])
}
