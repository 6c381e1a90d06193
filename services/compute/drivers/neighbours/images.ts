/** The image service as compute uses it, over its API. */
import { type ImageView, paths } from '@strata/image/contract'
import type { Session } from '@strata/sdk'
import type { CachedImage } from '../../logic/ports/hosts.ts'

const service = 'image'

/** Images whose facts are remembered. */
const remembered = 256

/**
 * What a host needs to know of an image to fetch and check it. Of an image with data these never change, so they are asked
 * once. Throws `ApiError` with status 404 when there is none.
 */
export function imageFactsOf(session: Session): (imageId: string) => Promise<CachedImage> {
  const known = new Map<string, CachedImage>()
  return async imageId => {
    const before = known.get(imageId)
    if (before) return before
    const { body } = await session.call<ImageView>({ service, method: 'GET', path: paths.image(imageId) })
    const facts: CachedImage = {
      id: body.id,
      diskFormat: body.disk_format ?? 'raw',
      sizeBytes: body.size ?? 0,
      hashAlgorithm: body.os_hash_algo ?? undefined,
      hashValue: body.os_hash_value ?? undefined,
    }
    if (body.status !== 'active') return facts
    if (known.size >= remembered) known.delete(known.keys().next().value!)
    known.set(imageId, facts)
    return facts
  }
}
