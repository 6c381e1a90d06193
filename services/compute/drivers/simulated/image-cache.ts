/**
 * Images of a simulated host: read to their end and checked as a real host would, then forgotten but for their sizes.
 */
import { createHash, getHashes } from 'node:crypto'
import { type CachedImage, GuestBuildError, type ImageCache } from '../../logic/ports/hosts.ts'

export interface SimulatedImageCache extends ImageCache {
  /** The virtual size in bytes of an image that was fetched. */
  virtualSize(imageId: string): number | undefined
}

type Cached = Awaited<ReturnType<ImageCache['ensure']>>

const qcow2Magic = 'QFI\xfb'
const headerBytes = 32

export function createSimulatedImageCache(): SimulatedImageCache {
  const images = new Map<string, Promise<Cached>>()
  const sizes = new Map<string, number>()
  return {
    async ensure(image, open) {
      const fetched = images.get(image.id) ?? fetch(image, open)
      images.set(image.id, fetched)
      try {
        const cached = await fetched
        sizes.set(image.id, cached.virtualSizeBytes)
        return cached
      } catch (error) {
        images.delete(image.id)
        throw error
      }
    },
    async prune(keep) {
      const removed = [...sizes.keys()].filter(id => !keep.has(id))
      for (const id of removed) {
        images.delete(id)
        sizes.delete(id)
      }
      return removed
    },
    virtualSize: imageId => sizes.get(imageId),
  }
}

async function fetch(image: CachedImage, open: () => Promise<AsyncIterable<Uint8Array>>): Promise<Cached> {
  const format = image.diskFormat === 'qcow2' ? 'qcow2' : 'raw'
  const algorithm = image.hashAlgorithm
  if (algorithm !== undefined && !getHashes().includes(algorithm)) {
    throw new GuestBuildError(`Image ${image.id} has a hash by "${algorithm}", which is not known here.`)
  }
  const hash = algorithm === undefined ? undefined : createHash(algorithm)
  let header = Buffer.alloc(0)
  let bytes = 0
  for await (const chunk of await open()) {
    if (header.length < headerBytes) header = Buffer.concat([header, chunk.subarray(0, headerBytes - header.length)])
    bytes += chunk.byteLength
    if (bytes > image.sizeBytes)
      throw new GuestBuildError(`Image ${image.id} is corrupt: it is longer than its ${image.sizeBytes} bytes.`)
    hash?.update(chunk)
  }
  if (bytes !== image.sizeBytes)
    throw new GuestBuildError(`Image ${image.id} is corrupt: ${bytes} of ${image.sizeBytes} bytes arrived.`)
  const found = hash?.digest('hex')
  if (found !== undefined && found !== image.hashValue?.toLowerCase()) {
    throw new GuestBuildError(`Image ${image.id} is corrupt: its ${algorithm} is ${found}, not ${image.hashValue}.`)
  }
  const isQcow2 = header.length === headerBytes && header.toString('latin1', 0, 4) === qcow2Magic
  if ((format === 'qcow2') !== isQcow2)
    throw new GuestBuildError(`Image ${image.id} is said to be ${format} but is ${isQcow2 ? 'qcow2' : 'not'}.`)
  const virtualSizeBytes = isQcow2 ? Number(header.readBigUInt64BE(24)) : bytes
  return { path: `/simulated/images/${image.id}`, format, virtualSizeBytes }
}
