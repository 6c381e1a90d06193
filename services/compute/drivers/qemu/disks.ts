/**
 * The files of a guest's own disks: copy-on-write overlays on cached images, and blank ones. Volumes live elsewhere and
 * are left alone.
 */
import { chmod, chown, mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { GuestBuildError, type GuestDisk } from '../../logic/ports/hosts.ts'
import { diskFile } from './devices.ts'
import { createImage, growImage, imageInfo } from './qemu-img.ts'
import type { GuestUser } from './user.ts'

const bytesPerGiB = 1024 ** 3
const safeName = /^[A-Za-z0-9][\w.-]{0,63}$/

export interface DiskOptions {
  readonly folder: string
  readonly user: GuestUser
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Makes the disk's file unless it is there. Throws `GuestBuildError` when it cannot be, such as when it is too small. */
export async function makeDisk(disk: GuestDisk, options: DiskOptions): Promise<void> {
  if (!safeName.test(disk.name)) throw new GuestBuildError(`"${disk.name}" is not a name for a disk.`)
  if (disk.source.kind === 'volume') return
  const path = join(options.folder, diskFile(disk.name))
  if (await exists(path)) return
  await mkdir(dirname(path), { recursive: true, mode: 0o711 })
  // Made beside and renamed, so that a file of this name is whole.
  const unfinished = `${path}.new`
  await rm(unfinished, { force: true })
  const size = await sizeOf(disk, options)
  if (disk.source.kind === 'blank') await createImage(unfinished, size)
  else
    await createImage(unfinished, size, { path: relative(dirname(path), disk.source.path), format: disk.source.format })
  await chown(unfinished, options.user.uid, options.user.gid)
  await chmod(unfinished, 0o600)
  await rename(unfinished, path)
}

async function sizeOf(disk: GuestDisk, options: DiskOptions): Promise<number> {
  const wanted = disk.sizeGiB * bytesPerGiB
  if (disk.source.kind !== 'image') {
    if (wanted > 0) return wanted
    throw new GuestBuildError(`The blank disk "${disk.name}" has no size.`)
  }
  const { path, format, imageId } = disk.source
  const { virtualSizeBytes } = await imageInfo({
    folder: options.folder,
    file: relative(options.folder, path),
    format,
    user: options.user,
  })
  if (wanted === 0) return virtualSizeBytes
  if (wanted >= virtualSizeBytes) return wanted
  throw new GuestBuildError(
    `The flavor's disk of ${disk.sizeGiB} GiB (${wanted} bytes) is too small for image ${imageId}, whose virtual size is ${virtualSizeBytes} bytes.`,
  )
}

/**
 * Sees to it, before a start, that the disk's file is there and is as large as the disk should be: a server's resize grows
 * it. Throws `GuestBuildError` when the file is missing, for a start must not make an empty disk of a lost one.
 */
export async function checkDisk(disk: GuestDisk, before: GuestDisk | undefined, options: DiskOptions): Promise<void> {
  if (disk.source.kind === 'volume') return
  const file = diskFile(disk.name)
  if (!(await exists(join(options.folder, file))))
    throw new GuestBuildError(`The disk "${disk.name}" is missing on this host.`)
  if (!before || before.sizeGiB >= disk.sizeGiB) return
  const image = { folder: options.folder, file, format: 'qcow2', user: options.user } as const
  const wanted = disk.sizeGiB * bytesPerGiB
  if ((await imageInfo(image)).virtualSizeBytes < wanted) await growImage(image, wanted)
}

/** Removes the file of a disk that was detached. */
export async function removeDisk(disk: GuestDisk, options: Pick<DiskOptions, 'folder'>): Promise<void> {
  if (disk.source.kind !== 'volume') await rm(join(options.folder, diskFile(disk.name)), { force: true })
}
