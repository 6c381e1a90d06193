/**
 * The file store: one file a blob, in a folder of its own. A blob is written beside the others as `<id>.part` and renamed once
 * it is whole, so a file without that ending is never half an image.
 */
import { mkdirSync } from 'node:fs'
import { type FileHandle, open, readdir, rename, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { storageFull } from '../../contract/errors.ts'
import type { BlobWriter, ImageStore } from '../../logic/ports.ts'

export interface FileStoreOptions {
  readonly folder: string
  /** Write through to the disk before a blob counts as whole. */
  readonly fsync: boolean
  /** Bytes that are left free on the disk. */
  readonly reserve: number
}

const BLOB_NAME = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(\.part)?$/
/** Free space is looked at anew each time this many bytes were written. */
const SPACE_CHECK = 64 * 1024 * 1024

export function createFileStore(options: FileStoreOptions): ImageStore {
  const { folder, reserve } = options
  mkdirSync(folder, { recursive: true, mode: 0o750 })
  const pathOf = (id: string): string => {
    if (!BLOB_NAME.test(id) || id.endsWith('.part')) throw new Error(`not the id of a blob: ${JSON.stringify(id)}`)
    return join(folder, id)
  }
  const freeBytes = async (): Promise<number> => {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize - reserve
  }
  const ensureSpace = async (bytes: number): Promise<void> => {
    const free = await freeBytes()
    if (bytes > free)
      throw storageFull(`${bytes} bytes are needed and ${Math.max(free, 0)} are free (${reserve} are held in reserve)`)
  }
  return {
    id: 'file',
    type: 'file',
    description: 'Files on the machine that the Image service runs on',
    async write(id, expectedBytes) {
      const path = pathOf(id)
      await ensureSpace(expectedBytes ?? 1)
      const file = await open(`${path}.part`, 'wx', 0o640).catch(asStorageFull)
      return createWriter({ file, path, ensureSpace, options })
    },
    async read(id, range) {
      const file = await open(pathOf(id), 'r')
      return file.createReadStream({ ...range, highWaterMark: 256 * 1024 })
    },
    async remove(id) {
      const path = pathOf(id)
      await Promise.all([removeFile(path), removeFile(`${path}.part`)])
    },
    async list() {
      const found = (await readdir(folder)).flatMap(name => BLOB_NAME.exec(name)?.[1] ?? [])
      return [...new Set(found)]
    },
    async problems() {
      const free = await freeBytes()
      return free > 0 ? [] : [`no bytes are free for images in ${folder}, ${reserve} being held in reserve`]
    },
    details: () => ({ data_dir: folder, thin_provisioning: false }),
  }
}

function createWriter(init: {
  file: FileHandle
  path: string
  ensureSpace(bytes: number): Promise<void>
  options: FileStoreOptions
}): BlobWriter {
  const { file, path, options } = init
  let sinceCheck = 0
  return {
    async write(chunk) {
      sinceCheck += chunk.length
      if (sinceCheck >= SPACE_CHECK) {
        sinceCheck = 0
        await init.ensureSpace(chunk.length)
      }
      let written = 0
      while (written < chunk.length)
        written += (await file.write(chunk, written, chunk.length - written).catch(asStorageFull)).bytesWritten
    },
    async commit() {
      if (options.fsync) await file.datasync()
      await file.close()
      await rename(`${path}.part`, path)
      if (options.fsync) await syncFolder(options.folder)
    },
    async abort() {
      await file.close().catch(() => {})
      await removeFile(`${path}.part`).catch(() => {})
    },
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

async function removeFile(path: string): Promise<void> {
  await unlink(path).catch((err: NodeJS.ErrnoException) => {
    if (err.code !== 'ENOENT') throw err
  })
}

function asStorageFull(err: NodeJS.ErrnoException): never {
  if (err.code === 'ENOSPC' || err.code === 'EDQUOT') throw storageFull('no space is left')
  throw err
}
