/** Changing what an image says of itself: by a patch, or one tag at a time. */
import type { RequestContext } from '@strata/toolkit/context'
import { forbidden, notFound } from '@strata/toolkit/fault'
import type { ImageSettings, Visibility } from '../../contract/image.ts'
import { getImage, type StoredImage, saveSettings } from '../../store/image.ts'
import { enforceVisibility, findImage, isAdmin, type SeenImage } from '../access.ts'
import { announce, type ImageDeps, timeNow } from '../deps.ts'
import { applyChange, type Change } from '../rules/patch.ts'
import { checkCounts } from '../rules/quota.ts'

/** Applies all changes or none. Throws a 403, 404, 409 or 413. */
export async function updateImage(
  deps: ImageDeps,
  context: RequestContext,
  id: string,
  changes: readonly Change[],
): Promise<StoredImage> {
  return alter(deps, context, id, seen =>
    changes.reduce((settings: ImageSettings, change) => {
      enforceChange(context, seen, change)
      return applyChange(settings, change, seen.image.status === 'queued')
    }, seen.image),
  )
}

function enforceChange(context: RequestContext, { target }: SeenImage, change: Change): void {
  if (change.name === 'owner' && !isAdmin(context)) throw forbidden("Owner can't be updated by non admin.")
  if (change.name === 'visibility' && change.op !== 'remove')
    enforceVisibility(context, change.value as Visibility, target)
  context.enforce('modify_image', target)
}

/** Adds a tag; one that is there already stays. */
export async function addTag(deps: ImageDeps, context: RequestContext, id: string, tag: string): Promise<void> {
  await alter(deps, context, id, ({ image, target }) => {
    context.enforce('modify_image', target)
    return image.tags.includes(tag) ? image : { ...image, tags: [...image.tags, tag] }
  })
}

/** Throws a 404 when the image does not have the tag. */
export async function removeTag(deps: ImageDeps, context: RequestContext, id: string, tag: string): Promise<void> {
  await alter(deps, context, id, ({ image, target }) => {
    context.enforce('modify_image', target)
    if (!image.tags.includes(tag)) throw notFound(`Image ${id} does not have the tag ${tag}.`)
    return { ...image, tags: image.tags.filter(one => one !== tag) }
  })
}

async function alter(
  deps: ImageDeps,
  context: RequestContext,
  id: string,
  change: (seen: SeenImage) => ImageSettings,
): Promise<StoredImage> {
  return deps.store.transaction(async (tx, afterCommit) => {
    const seen = await findImage(tx, context, id)
    const after = change(seen)
    if (after === seen.image) return seen.image
    checkCounts(after, deps.config)
    await saveSettings(tx, seen.image, after, timeNow(deps))
    announce(deps, afterCommit, id, 'updated')
    return (await getImage(tx, id)) ?? seen.image
  })
}
