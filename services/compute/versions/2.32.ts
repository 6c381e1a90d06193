/** Network cards and disks may have a tag. */
import { deviceSchema, networkSchema } from '../contract/server-requests.ts'
import { freeNetworks } from './2.37.ts'
import { having, type VersionChange, without } from './change.ts'

const untagged = without('tag')

export const version32: VersionChange = {
  minor: 32,
  create: schema =>
    having('networks', { type: 'array', items: freeNetworks(untagged(networkSchema)) })(
      having('block_device_mapping_v2', { type: 'array', items: without('tag', 'volume_type')(deviceSchema) })(schema),
    ),
}
