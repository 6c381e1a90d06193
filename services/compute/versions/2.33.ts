/** Only in the version before this one could a disk have a tag; 2.42 brought that back. */
import { deviceSchema } from '../contract/server-requests.ts'
import { having, type VersionChange, without } from './change.ts'

export const version33: VersionChange = {
  minor: 33,
  create: having('block_device_mapping_v2', { type: 'array', items: without('volume_type')(deviceSchema) }),
}
