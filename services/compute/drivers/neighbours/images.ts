/** The image service as compute uses it, over its API. */
import { type ImageView, paths } from '@strata/image/contract'
import type { Session } from '@strata/sdk'
import type { CachedImage } from '../../logic/ports/hosts.ts'

const service = 'image'

/** What a host needs to know of an image to fetch and check it. Throws `ApiError` with status 404 when there is none. */
export async function imageFacts(session: Session, imageId: string): Promise<CachedImage> {
  const { body } = await session.call<ImageView>({ service, method: 'GET', path: paths.image(imageId) })
  return {
    id: body.id,
    diskFormat: body.disk_format ?? 'raw',
    sizeBytes: body.size ?? 0,
    hashAlgorithm: body.os_hash_algo ?? undefined,
    hashValue: body.os_hash_value ?? undefined,
  }
}
