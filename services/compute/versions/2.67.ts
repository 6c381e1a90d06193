/** The type of a volume that is made for a server. */
import { deviceSchema } from '../contract/server-requests.ts'
import { having, type VersionChange, without } from './change.ts'

export const version67: VersionChange = {
  minor: 67,
  create: having('block_device_mapping_v2', { type: 'array', items: without('volume_type')(deviceSchema) }),
}
