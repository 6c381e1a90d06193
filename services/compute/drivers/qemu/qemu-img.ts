/**
 * The program qemu-img, as far as guests' disks need it. What it reads may come from strangers, so it looks at images as the
 * unprivileged user, within limits, and is always told the format.
 */
import { run } from './run.ts'
import type { GuestUser } from './user.ts'

export interface ImageInfo {
  readonly format: string
  readonly virtualSizeBytes: number
  readonly backingFile: string | undefined
  readonly dataFile: string | undefined
}

export interface ImageFile {
  /** The folder in which `file` is named; the program runs there, for its user may not reach it from the root. */
  readonly folder: string
  readonly file: string
  readonly format: 'qcow2' | 'raw'
  readonly user: GuestUser
}

const limits = { cpuSeconds: 10, addressSpaceMiB: 1024 }

interface Info {
  readonly format: string
  readonly 'virtual-size': number
  readonly 'backing-filename'?: string
  readonly 'format-specific'?: { readonly data?: { readonly 'data-file'?: string } }
}

/** What an image is. Safe beside a running guest. Throws an Error when qemu-img cannot read it as its format. */
export async function imageInfo(image: ImageFile): Promise<ImageInfo> {
  const args = ['info', '--force-share', '--output=json', '-f', image.format, image.file]
  const info = JSON.parse(
    await run('qemu-img', args, { cwd: image.folder, user: image.user, limits, timeoutMs: 30_000 }),
  ) as Info
  return {
    format: info.format,
    virtualSizeBytes: info['virtual-size'],
    backingFile: info['backing-filename'],
    dataFile: info['format-specific']?.data?.['data-file'],
  }
}

/**
 * Makes sure that the tables of a qcow2 image that no guest uses are whole: QEMU itself reads what lies beyond the end of
 * a file that was cut off as an empty disk. Throws an Error that says what is broken.
 */
export async function checkImage(image: ImageFile): Promise<void> {
  const args = ['check', '-q', '-f', image.format, image.file]
  const options = { cwd: image.folder, user: image.user, limits, timeoutMs: 30_000 }
  await run('qemu-img', args, options).catch((error: Error) => {
    // Exit status 3: space that nothing refers to, which does no harm.
    if ((error.cause as { code?: unknown }).code !== 3) throw error
  })
}

/** Makes an empty qcow2 file or, with `backing` (named from where the new file lies), one that continues that image. */
export async function createImage(
  path: string,
  sizeBytes: number,
  backing?: { path: string; format: string },
): Promise<void> {
  const base = backing ? ['-u', '-b', backing.path, '-F', backing.format] : []
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', ...base, path, String(sizeBytes)])
}

/** Grows an image that no guest uses at the moment. */
export async function growImage(image: ImageFile, sizeBytes: number): Promise<void> {
  const args = ['resize', '-q', '-f', image.format, image.file, String(sizeBytes)]
  await run('qemu-img', args, { cwd: image.folder, user: image.user, limits })
}
