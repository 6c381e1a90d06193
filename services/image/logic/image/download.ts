/** Reading the data of an image, whole or in part. */
import type { Readable } from 'node:stream'
import type { RequestContext } from '@strata/toolkit/context'
import { forbidden } from '@strata/toolkit/fault'
import { findImage, isAdmin } from '../access.ts'
import type { ImageDeps } from '../deps.ts'
import { type ByteRange, parseRange } from '../rules/range.ts'

export interface Download {
  readonly data: Readable
  readonly size: number
  readonly range?: ByteRange
  readonly checksum: string | null
}

/** Undefined when the image has no data. Throws a 403, 404 or 416. */
export async function downloadImage(
  deps: ImageDeps,
  context: RequestContext,
  id: string,
  rangeHeader: string | undefined,
): Promise<Download | undefined> {
  const { image, target } = await findImage(deps.store.db, context, id)
  if (image.status === 'deactivated' && !isAdmin(context))
    throw forbidden('The requested image has been deactivated. Image data download is forbidden.')
  context.enforce('download_image', target)
  if (image.data_id === null || image.size === null) return undefined
  const range = parseRange(rangeHeader, image.size)
  return { data: await deps.blobs.read(image.data_id, range), size: image.size, range, checksum: image.checksum }
}
