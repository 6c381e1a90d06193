/** Tags of network cards and disks are back. */
import { deviceSchema, networkSchema, networksSchema } from '../contract/server-requests.ts'
import { having, type VersionChange, without } from './change.ts'

export const version42: VersionChange = {
  minor: 42,
  create: schema =>
    having(
      'networks',
      networksSchema(without('tag')(networkSchema)),
      true,
    )(having('block_device_mapping_v2', { type: 'array', items: without('tag', 'volume_type')(deviceSchema) })(schema)),
}
