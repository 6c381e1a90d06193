/** Making an image: a record in `queued`, that its data will follow. */
import type { RequestContext } from '@strata/toolkit/context'
import { forbidden } from '@strata/toolkit/fault'
import { isUniqueViolation } from '@strata/toolkit/store'
import { duplicateImage } from '../../contract/errors.ts'
import { insertImage, type StoredImage } from '../../store/image.ts'
import { enforceVisibility, targetOf } from '../access.ts'
import { announce, type ImageDeps, timeNow } from '../deps.ts'
import type { NewImage } from '../rules/body.ts'
import { checkCounts } from '../rules/quota.ts'

/** Throws a 403, a 413 for too many properties or tags, and a 409 when the id is taken. */
export async function createImage(deps: ImageDeps, context: RequestContext, asked: NewImage): Promise<StoredImage> {
  const owner = asked.owner === undefined ? context.projectId || null : asked.owner
  const target = targetOf({ owner, visibility: asked.visibility }, undefined)
  if (!context.can('add_image', target) && owner !== (context.projectId || null))
    throw forbidden(`You are not permitted to create images owned by '${owner}'.`)
  context.enforce('add_image', target)
  enforceVisibility(context, asked.visibility, target)
  checkCounts(asked, deps.config)
  const now = timeNow(deps)
  const image: StoredImage = {
    ...asked,
    id: asked.id ?? deps.runtime.uuid(),
    owner,
    tags: [...asked.tags].sort(),
    status: 'queued',
    size: null,
    virtual_size: null,
    checksum: null,
    os_hash_algo: null,
    os_hash_value: null,
    data_id: null,
    upload_id: null,
    created_at: now,
    updated_at: now,
  }
  try {
    await deps.store.transaction(async (tx, afterCommit) => {
      await insertImage(tx, image)
      announce(deps, afterCommit, image.id, 'created')
    })
  } catch (err) {
    if (isUniqueViolation(err)) throw duplicateImage(image.id)
    throw err
  }
  return image
}
