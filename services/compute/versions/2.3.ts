/** Administrators see more of what the EC2 API showed. */
import type { VersionChange } from './change.ts'

export const version3: VersionChange = {
  minor: 3,
  brings: [
    'OS-EXT-SRV-ATTR:reservation_id',
    'OS-EXT-SRV-ATTR:launch_index',
    'OS-EXT-SRV-ATTR:hostname',
    'OS-EXT-SRV-ATTR:kernel_id',
    'OS-EXT-SRV-ATTR:ramdisk_id',
    'OS-EXT-SRV-ATTR:root_device_name',
    'OS-EXT-SRV-ATTR:user_data',
  ],
}
