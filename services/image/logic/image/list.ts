/** Looking at images: one, or a page of many. */
import type { RequestContext } from '@strata/toolkit/context'
import { badRequest, Fault } from '@strata/toolkit/fault'
import type { ListQuery } from '../../contract/list.ts'
import type { StoredImage } from '../../store/image.ts'
import { listImages } from '../../store/list.ts'
import { membershipsOf } from '../../store/member.ts'
import { findImage, targetOf, viewerOf } from '../access.ts'
import type { ImageDeps } from '../deps.ts'

export interface ImagePage {
  readonly images: readonly StoredImage[]
  /** Set when there may be more behind it. */
  readonly nextMarker?: string
}

/** Throws a 403, or a 400 for a marker that the caller does not see. */
export async function listPage(deps: ImageDeps, context: RequestContext, query: ListQuery): Promise<ImagePage> {
  context.enforce('get_images')
  const { db } = deps.store
  const marker = query.marker === undefined ? undefined : await findMarker(deps, context, query.marker)
  const found = await listImages(db, query, viewerOf(context), marker)
  const shared = found.filter(image => image.visibility === 'shared').map(image => image.id)
  const memberships = await membershipsOf(db, context.projectId, shared)
  const images = found.filter(image =>
    context.can('get_image', targetOf(image, memberships.has(image.id) ? context.projectId : undefined)),
  )
  return { images, nextMarker: found.length === query.limit ? found.at(-1)?.id : undefined }
}

async function findMarker(deps: ImageDeps, context: RequestContext, id: string): Promise<StoredImage> {
  try {
    return (await findImage(deps.store.db, context, id)).image
  } catch (err) {
    if (err instanceof Fault && err.status === 404) throw badRequest(`Invalid marker: ${err.message}`)
    throw err
  }
}

/** Throws a 404. */
export async function showImage(deps: ImageDeps, context: RequestContext, id: string): Promise<StoredImage> {
  return (await findImage(deps.store.db, context, id)).image
}
