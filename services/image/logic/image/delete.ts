/** Deleting an image with its data. Who is reading the data at that moment reads it to its end. */
import type { RequestContext } from '@strata/toolkit/context'
import { forbidden } from '@strata/toolkit/fault'
import { imageProtected } from '../../contract/errors.ts'
import { deleteImage } from '../../store/image.ts'
import { moveTasks } from '../../store/task.ts'
import { findImage } from '../access.ts'
import { announce, type ImageDeps, timeNow } from '../deps.ts'

/** Throws a 404, or a 403 when the image is protected. */
export async function removeImage(deps: ImageDeps, context: RequestContext, id: string): Promise<void> {
  const blobs = await deps.store.transaction(async (tx, afterCommit) => {
    const { image, target } = await findImage(tx, context, id)
    context.enforce('delete_image', target)
    if (image.protected) throw imageProtected(id)
    const now = timeNow(deps)
    await moveTasks(tx, id, { status: 'failure', message: 'The image was deleted.', updated_at: now, expires_at: now })
    await deleteImage(tx, id)
    announce(deps, afterCommit, id, 'deleted')
    return [image.data_id, image.upload_id].filter(blob => blob !== null)
  })
  // A blob that stays because of this failing is found by the reconciler: no image refers to it any more.
  for (const blob of blobs)
    await deps.blobs.remove(blob).catch(err => deps.log.warn({ err, image_id: id, blob }, 'image data was left over'))
}

/** Throws a 403: there is one store, and an image is not left without data. */
export async function removeFromStore(deps: ImageDeps, context: RequestContext, id: string): Promise<never> {
  const { target } = await findImage(deps.store.db, context, id)
  context.enforce('delete_image_location', target)
  throw forbidden('Cannot delete image data from the only store containing it. Consider deleting the image instead.')
}
