/** `networks` must be said, and may be `auto` or `none`. Until 2.41 a card then had no tag. */
import { deviceSchema, networkSchema } from '../contract/server-requests.ts'
import { having, type VersionChange, without } from './change.ts'

/** Ids of networks were checked by no schema before. */
export const freeNetworks = having('uuid', { type: 'string' })

export const version37: VersionChange = {
  minor: 37,
  create: schema =>
    having('networks', { type: 'array', items: freeNetworks(networkSchema) })(
      having('block_device_mapping_v2', { type: 'array', items: without('tag', 'volume_type')(deviceSchema) })(schema),
    ),
}
