/** The tables of the service. Booleans are 0 and 1, structures are JSON text, times are ISO 8601. */
import type { Db } from '@strata/toolkit/store'
import type { ImageStatus, Visibility } from '../contract/image.ts'
import type { MemberStatus } from '../contract/member.ts'
import type { TaskStatus } from '../contract/task.ts'

export interface ImagesTable {
  id: string
  name: string | null
  status: ImageStatus
  visibility: Visibility
  protected: number
  os_hidden: number
  owner: string | null
  disk_format: string | null
  container_format: string | null
  size: number | null
  virtual_size: number | null
  min_disk: number
  min_ram: number
  checksum: string | null
  os_hash_algo: string | null
  os_hash_value: string | null
  /** Blob that holds the data; null while there is none. */
  data_id: string | null
  /** Blob that is being written, staged or imported. */
  upload_id: string | null
  /** Who writes or imports it, and until when that is believed without another sign of life. */
  upload_holder: string | null
  upload_lease: string | null
  created_at: string
  updated_at: string
}

export interface ImageDatabase {
  images: ImagesTable
  image_properties: { image_id: string; name: string; value: string }
  image_tags: { image_id: string; value: string }
  image_members: {
    image_id: string
    member_id: string
    status: MemberStatus
    created_at: string
    updated_at: string
  }
  image_tasks: {
    id: string
    image_id: string
    type: 'api_image_import'
    status: TaskStatus
    owner: string
    user_id: string
    request_id: string
    input: string
    result: string | null
    message: string
    created_at: string
    updated_at: string
    expires_at: string | null
  }
}

export type ImageDb = Db<ImageDatabase>
