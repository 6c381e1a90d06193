/** Images, members and tasks as the API shows them. */
import { toSeconds } from '@strata/toolkit/runtime'
import type { ImageFacts, ImageSettings, ImageView } from '../contract/image.ts'
import type { ImageMember } from '../contract/member.ts'
import type { ImageTask } from '../contract/task.ts'

/** `storeId` is the store that holds the data, if there is any. */
export function imageView(
  image: ImageSettings & ImageFacts & { readonly data_id: string | null },
  storeId: string,
): ImageView {
  const path = `/v2/images/${image.id}`
  return {
    ...image.properties,
    name: image.name,
    disk_format: image.disk_format,
    container_format: image.container_format,
    visibility: image.visibility,
    size: image.size,
    virtual_size: image.virtual_size,
    status: image.status,
    checksum: image.checksum,
    protected: image.protected,
    min_ram: image.min_ram,
    min_disk: image.min_disk,
    owner: image.owner,
    os_hidden: image.os_hidden,
    os_hash_algo: image.os_hash_algo,
    os_hash_value: image.os_hash_value,
    id: image.id,
    created_at: toSeconds(image.created_at),
    updated_at: toSeconds(image.updated_at),
    tags: image.tags,
    self: path,
    file: `${path}/file`,
    schema: '/v2/schemas/image',
    ...(image.data_id === null ? {} : { stores: storeId }),
  }
}

export const memberView = (member: ImageMember) => ({
  member_id: member.member_id,
  image_id: member.image_id,
  status: member.status,
  created_at: toSeconds(member.created_at),
  updated_at: toSeconds(member.updated_at),
  schema: '/v2/schemas/member',
})

/** A task in a list of the tasks of all images: without what it was asked and what came of it. */
export const taskStub = (task: ImageTask) => ({
  id: task.id,
  type: task.type,
  status: task.status,
  owner: task.owner,
  ...(task.expires_at === null ? {} : { expires_at: toSeconds(task.expires_at) }),
  created_at: toSeconds(task.created_at),
  updated_at: toSeconds(task.updated_at),
  self: `/v2/tasks/${task.id}`,
  schema: '/v2/schemas/task',
})

export const taskView = (task: ImageTask) => ({
  ...taskStub(task),
  input: task.input,
  result: task.result,
  message: task.message,
  image_id: task.image_id,
  user_id: task.user_id,
  request_id: task.request_id,
})
