/**
 * Files of images on this host: fetched once, checked, and then the base of any number of copy-on-write disks.
 *
 * A file under its final name (`<image id>.<format>`) is whole and was checked: it was written beside and renamed. Nothing
 * ever writes to it again.
 */
import { createHash, getHashes } from 'node:crypto'
import { chmod, chown, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Runtime } from '@strata/toolkit/runtime'
import { type CachedImage, GuestBuildError, type ImageCache } from '../../logic/ports/hosts.ts'
import { formatProblem, headerBytes } from './image-format.ts'
import { checkImage, imageInfo } from './qemu-img.ts'
import type { GuestUser } from './user.ts'

export interface ImageCacheOptions {
  readonly folder: string
  readonly runtime: Runtime
  /** Who opens the files; known once the hypervisor is open. */
  readonly user: () => GuestUser
  /** Ids of the images that disks of this host are based on. */
  readonly inUse: () => Promise<ReadonlySet<string>>
  /** An image that was asked for within this time is not pruned: a disk may be about to be based on it. */
  readonly graceMs?: number
}

type Cached = Awaited<ReturnType<ImageCache['ensure']>>
type Content = () => Promise<AsyncIterable<Uint8Array>>

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const finished = /^([0-9a-f-]{36})\.(qcow2|raw)$/
const part = '.part'

export function createImageCache(options: ImageCacheOptions): ImageCache {
  const { folder, runtime, graceMs = 10 * 60_000 } = options
  const fetches = new Map<string, Promise<Cached>>()
  const known = new Map<string, Cached>()

  /** The image as it is here, looked at once; undefined when it has to be fetched. */
  const look = async (image: CachedImage, format: 'qcow2' | 'raw'): Promise<Cached | undefined> => {
    const path = join(folder, `${image.id}.${format}`)
    const size = await stat(path).then(
      found => found.size,
      () => undefined,
    )
    if (size !== image.sizeBytes) return undefined
    const now = new Date(runtime.now())
    await utimes(path, now, now)
    const cached = known.get(image.id) ?? {
      path,
      format,
      virtualSizeBytes: await checkedSize(image, format, folder, `${image.id}.${format}`, options.user()),
    }
    known.set(image.id, cached)
    return cached
  }

  const fetch = async (image: CachedImage, format: 'qcow2' | 'raw', content: Content): Promise<Cached> => {
    await mkdir(folder, { recursive: true, mode: 0o711 })
    const name = `${image.id}.${runtime.uuid()}${part}`
    const unfinished = join(folder, name)
    try {
      await download(image, await content(), unfinished)
      // The guests' user may read what is the base of many disks, and nobody may change it.
      await chown(unfinished, process.getuid!(), options.user().gid)
      await chmod(unfinished, 0o440)
      const virtualSizeBytes = await checkedSize(image, format, folder, name, options.user())
      const path = join(folder, `${image.id}.${format}`)
      await rename(unfinished, path)
      return { path, format, virtualSizeBytes }
    } finally {
      await rm(unfinished, { force: true })
    }
  }

  return {
    async ensure(image, content) {
      if (!uuid.test(image.id)) throw new GuestBuildError(`"${image.id.slice(0, 64)}" is not the id of an image.`)
      const format = fileFormat(image)
      const underWay = fetches.get(image.id)
      if (underWay) return underWay
      const work = look(image, format)
        .then(found => found ?? fetch(image, format, content))
        .finally(() => fetches.delete(image.id))
      fetches.set(image.id, work)
      const cached = await work
      known.set(image.id, cached)
      return cached
    },

    async prune(keep) {
      const used = await options.inUse()
      const removed: string[] = []
      for (const name of await readdir(folder).catch(() => [])) {
        const [, id = name.slice(0, 36)] = finished.exec(name) ?? []
        const isPart = name.endsWith(part)
        if (fetches.has(id) || (!isPart && (!finished.test(name) || keep.has(id) || used.has(id)))) continue
        const lastUse = await stat(join(folder, name)).then(
          found => found.mtimeMs,
          () => undefined,
        )
        if (lastUse === undefined || (!isPart && runtime.now() - lastUse < graceMs)) continue
        await rm(join(folder, name), { force: true })
        known.delete(id)
        if (!isPart) removed.push(id)
      }
      return removed
    },
  }
}

/** Formats whose bytes a guest can use as a disk. The kernels and file systems of old (`ami`) are raw bytes as well. */
function fileFormat(image: CachedImage): 'qcow2' | 'raw' {
  if (image.diskFormat === 'qcow2') return 'qcow2'
  if (image.diskFormat === 'raw' || image.diskFormat === 'ami' || image.diskFormat === 'iso') return 'raw'
  throw new GuestBuildError(
    `Image ${image.id} has the disk format "${image.diskFormat}"; this host runs qcow2 and raw.`,
  )
}

async function download(image: CachedImage, content: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const algorithm = image.hashAlgorithm
  if (algorithm !== undefined && !getHashes().includes(algorithm)) {
    throw new GuestBuildError(`Image ${image.id} has a hash by "${algorithm}", which is not known here.`)
  }
  const hash = algorithm === undefined ? undefined : createHash(algorithm)
  const file = await open(path, 'wx', 0o600)
  let bytes = 0
  try {
    for await (const chunk of content) {
      bytes += chunk.byteLength
      if (bytes > image.sizeBytes)
        throw new GuestBuildError(`Image ${image.id} is corrupt: it is longer than its ${image.sizeBytes} bytes.`)
      hash?.update(chunk)
      for (let done = 0; done < chunk.byteLength; ) done += (await file.write(chunk, done)).bytesWritten
    }
    await file.datasync()
  } finally {
    await file.close()
  }
  if (bytes !== image.sizeBytes)
    throw new GuestBuildError(`Image ${image.id} is corrupt: ${bytes} of ${image.sizeBytes} bytes arrived.`)
  const found = hash?.digest('hex')
  if (found !== undefined && found !== image.hashValue?.toLowerCase()) {
    throw new GuestBuildError(`Image ${image.id} is corrupt: its ${algorithm} is ${found}, not ${image.hashValue}.`)
  }
}

/** The virtual size in bytes, after making sure that the file is what it is said to be and refers to no other. */
async function checkedSize(
  image: CachedImage,
  format: 'qcow2' | 'raw',
  folder: string,
  name: string,
  user: GuestUser,
): Promise<number> {
  const refuse = (problem: string) => new GuestBuildError(`Image ${image.id} ${problem}.`)
  const file = await open(join(folder, name), 'r')
  const { buffer, bytesRead } = await file
    .read(Buffer.alloc(headerBytes), 0, headerBytes, 0)
    .finally(() => file.close())
  const problem = formatProblem(format, buffer.subarray(0, bytesRead))
  if (problem) throw refuse(problem)
  const corrupt = (error: Error) => {
    throw refuse(`is corrupt: ${error.message}`)
  }
  const info = await imageInfo({ folder, file: name, format, user }).catch(corrupt)
  if (info.backingFile !== undefined) throw refuse('has a backing file, which is not allowed')
  if (info.dataFile !== undefined) throw refuse('has an external data file, which is not allowed')
  if (format === 'qcow2') await checkImage({ folder, file: name, format, user }).catch(corrupt)
  return info.virtualSizeBytes
}
