/** How many properties, tags and members one image may have. */
import { quotaExceeded } from '../../contract/errors.ts'
import type { ImageSettings } from '../../contract/image.ts'

/** Throws a 413 when `count` is more than `limit`, of which -1 means any number. */
export function checkCount(what: string, count: number, limit: number): void {
  if (limit >= 0 && count > limit) throw quotaExceeded(what, limit, count)
}

export function checkCounts(
  { properties, tags }: Pick<ImageSettings, 'properties' | 'tags'>,
  limits: { readonly image_property_quota: number; readonly image_tag_quota: number },
): void {
  checkCount('properties', Object.keys(properties).length, limits.image_property_quota)
  checkCount('tags', tags.length, limits.image_tag_quota)
}
