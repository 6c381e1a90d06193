/** The data of images: upload, stage and import, download. Bodies are streams in both directions. */
import { Readable } from 'node:stream'
import { badRequest, unsupportedMediaType } from '@strata/toolkit/fault'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import type { ImageDeps } from '../logic/deps.ts'
import { downloadImage } from '../logic/image/download.ts'
import { importImage, parseImport } from '../logic/image/import.ts'
import { type Incoming, stageImage, uploadImage } from '../logic/image/upload.ts'
import { header, requireStore, sizeHeader } from './headers.ts'

const OCTETS = 'application/octet-stream'
const id = (request: ApiRequest): string => request.params['image_id']!.toLowerCase()

export function dataOperations(deps: ImageDeps): readonly Operation[] {
  const storeId = deps.blobs.id
  return [
    operation({
      method: 'PUT',
      path: '/v2/images/:image_id/file',
      stream: [OCTETS],
      async handler(request) {
        if (header(request, 'x-image-meta-store') !== undefined && header(request, 'x-image-meta-store') !== storeId)
          throw badRequest(`There is no store ${header(request, 'x-image-meta-store')}; known: ${storeId}.`)
        await uploadImage(deps, request.context, id(request), incoming(request))
        return reply(204)
      },
    }),
    operation({
      method: 'PUT',
      path: '/v2/images/:image_id/stage',
      stream: [OCTETS],
      async handler(request) {
        await stageImage(deps, request.context, id(request), incoming(request))
        return reply(204)
      },
    }),
    operation({
      method: 'POST',
      path: '/v2/images/:image_id/import',
      async handler(request) {
        requireStore(header(request, 'x-image-meta-store'), storeId)
        await importImage(deps, request.context, id(request), parseImport(request.body, [storeId]))
        return reply(202)
      },
    }),
    operation({
      method: 'GET',
      path: '/v2/images/:image_id/file',
      handler: request => download(deps, request),
    }),
  ]
}

function incoming(request: ApiRequest): Incoming {
  const { body } = request
  if (body instanceof Readable)
    return {
      body,
      size: sizeHeader(request, 'x-openstack-image-size') ?? sizeHeader(request, 'content-length'),
    }
  if (body === undefined && header(request, 'content-type')?.startsWith(OCTETS))
    return { body: Readable.from([]), size: 0 }
  throw unsupportedMediaType(`Invalid content type ${header(request, 'content-type') ?? 'none'}; expected ${OCTETS}.`)
}

async function download(deps: ImageDeps, request: ApiRequest) {
  const found = await downloadImage(deps, request.context, id(request), header(request, 'range'))
  if (!found) return reply(204)
  const { data, size, range, checksum } = found
  return reply(range ? 206 : 200, data, {
    'content-type': OCTETS,
    'content-length': String(range ? range.end - range.start + 1 : size),
    'accept-ranges': 'bytes',
    ...(range ? { 'content-range': `bytes ${range.start}-${range.end}/${size}` } : {}),
    ...(checksum === null ? {} : { 'content-md5': checksum }),
  })
}
