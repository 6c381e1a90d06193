/** Images: the five plain verbs, and taking them out of use. */
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import type { ImageDeps } from '../logic/deps.ts'
import { createImage } from '../logic/image/create.ts'
import { switchImage } from '../logic/image/deactivate.ts'
import { removeFromStore, removeImage } from '../logic/image/delete.ts'
import { IMPORT_METHODS } from '../logic/image/import.ts'
import { listPage, showImage } from '../logic/image/list.ts'
import { updateImage } from '../logic/image/update.ts'
import { createImageCheck, parseNewImage } from '../logic/rules/body.ts'
import { parseListQuery } from '../logic/rules/filters.ts'
import { parseChanges } from '../logic/rules/patch.ts'
import { header, requireStore } from './headers.ts'
import { pageLinks } from './links.ts'
import { imageView } from './views.ts'

const id = (request: ApiRequest): string => request.params['image_id']!.toLowerCase()

export function imageOperations(deps: ImageDeps): readonly Operation[] {
  const { config, blobs } = deps
  const check = createImageCheck({ diskFormats: config.disk_formats, containerFormats: config.container_formats })
  const limits = { default: config.limit_param_default, max: config.api_limit_max }
  return [
    operation({
      method: 'POST',
      path: '/v2/images',
      async handler({ context, body }) {
        const image = await createImage(deps, context, parseNewImage(body, check))
        return reply(201, imageView(image, blobs.id), {
          location: `/v2/images/${image.id}`,
          'openstack-image-import-methods': IMPORT_METHODS.join(','),
          'openstack-image-store-ids': blobs.id,
        })
      },
    }),
    operation({
      method: 'GET',
      path: '/v2/images',
      async handler({ context, query }) {
        const { images, nextMarker } = await listPage(deps, context, parseListQuery(query, limits))
        return {
          images: images.map(image => imageView(image, blobs.id)),
          ...pageLinks('/v2/images', query, nextMarker),
          schema: '/v2/schemas/images',
        }
      },
    }),
    operation({
      method: 'GET',
      path: '/v2/images/:image_id',
      handler: async request => imageView(await showImage(deps, request.context, id(request)), blobs.id),
    }),
    operation({
      method: 'PATCH',
      path: '/v2/images/:image_id',
      async handler(request) {
        const changes = parseChanges(header(request, 'content-type'), request.body, check)
        return imageView(await updateImage(deps, request.context, id(request), changes), blobs.id)
      },
    }),
    operation({
      method: 'DELETE',
      path: '/v2/images/:image_id',
      handler: async request => removeImage(deps, request.context, id(request)).then(() => undefined),
    }),
    operation({
      method: 'DELETE',
      path: '/v2/stores/:store_id/:image_id',
      async handler(request) {
        requireStore(request.params['store_id']!, blobs.id)
        return removeFromStore(deps, request.context, id(request))
      },
    }),
    ...(['deactivate', 'reactivate'] as const).map(verb =>
      operation({
        method: 'POST',
        path: `/v2/images/:image_id/actions/${verb}`,
        handler: async request => switchImage(deps, request.context, id(request), verb).then(() => undefined),
      }),
    ),
  ]
}
