/** An update and a rebuild answer with all of the server; before, with its core. */
import type { ServerView } from '../contract/server.ts'

/** Attributes that those answers lacked. */
export const notInCore: readonly (keyof ServerView)[] = [
  'OS-EXT-AZ:availability_zone',
  'config_drive',
  'key_name',
  'OS-SRV-USG:launched_at',
  'OS-SRV-USG:terminated_at',
  'security_groups',
  'OS-EXT-SRV-ATTR:host',
  'OS-EXT-SRV-ATTR:instance_name',
  'OS-EXT-SRV-ATTR:hypervisor_hostname',
  'OS-EXT-SRV-ATTR:reservation_id',
  'OS-EXT-SRV-ATTR:launch_index',
  'OS-EXT-SRV-ATTR:hostname',
  'OS-EXT-SRV-ATTR:kernel_id',
  'OS-EXT-SRV-ATTR:ramdisk_id',
  'OS-EXT-SRV-ATTR:root_device_name',
  'OS-EXT-SRV-ATTR:user_data',
  'OS-EXT-STS:task_state',
  'OS-EXT-STS:vm_state',
  'OS-EXT-STS:power_state',
  'os-extended-volumes:volumes_attached',
  'host_status',
]

/** Nor did they tell an address's kind and card. */
export const plainAddresses = (addresses: ServerView['addresses']): ServerView['addresses'] =>
  Object.fromEntries(
    Object.entries(addresses).map(([label, list]) => [label, list.map(({ version, addr }) => ({ version, addr }))]),
  )
