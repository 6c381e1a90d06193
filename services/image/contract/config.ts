/** Section `image` of `strata.yaml`. */
import { configSection } from '@strata/toolkit/config'

export interface ImageConfig {
  readonly max_image_size: number
  readonly disk_formats: readonly string[]
  readonly container_formats: readonly string[]
  readonly require_image_format_match: boolean
  readonly limit_param_default: number
  readonly api_limit_max: number
  readonly image_property_quota: number
  readonly image_tag_quota: number
  readonly image_member_quota: number
  readonly upload_idle_seconds: number
  readonly task_retention_hours: number
  readonly file_store_path?: string
  readonly file_store_reserve: number
  readonly file_store_fsync: boolean
}

const names = (values: readonly string[], description: string) => ({
  type: 'array',
  items: { type: 'string', minLength: 1, maxLength: 20 },
  default: [...values],
  description,
})
const whole = (value: number, minimum: number, description: string) => ({
  type: 'integer',
  minimum,
  default: value,
  description,
})

export const imageConfig = configSection<ImageConfig>('image', {
  max_image_size: whole(1_099_511_627_776, 1, 'Bytes that the data of one image may have.'),
  disk_formats: names(
    ['ami', 'ari', 'aki', 'vhd', 'vhdx', 'vmdk', 'raw', 'qcow2', 'vdi', 'iso', 'ploop', 'gpt'],
    'Values that disk_format may have.',
  ),
  container_formats: names(
    ['ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed'],
    'Values that container_format may have.',
  ),
  require_image_format_match: {
    type: 'boolean',
    default: true,
    description: 'Refuse data that is not of the format that disk_format says. Unsafe data is refused in any case.',
  },
  limit_param_default: whole(25, 1, 'Images on a page of a list when the caller does not say.'),
  api_limit_max: whole(1000, 1, 'Images on a page of a list at most.'),
  image_property_quota: whole(128, -1, 'Properties that one image may have; -1 for any number.'),
  image_tag_quota: whole(128, -1, 'Tags that one image may have; -1 for any number.'),
  image_member_quota: whole(128, -1, 'Members that one image may have; -1 for any number.'),
  upload_idle_seconds: whole(300, 1, 'Seconds without a byte after which an upload is given up.'),
  task_retention_hours: whole(48, 1, 'Hours for which the record of an ended import is kept.'),
  file_store_path: {
    type: 'string',
    minLength: 1,
    description: 'Folder of the images; by default one in the state folder.',
  },
  file_store_reserve: whole(268_435_456, 0, 'Bytes that uploads leave free on the disk of the file store.'),
  file_store_fsync: {
    type: 'boolean',
    default: true,
    description: 'Write data through to the disk before an image becomes active.',
  },
})
