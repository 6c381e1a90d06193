/**
 * The config drive: an ISO 9660 file system labelled `config-2` with the files that a guest's cloud-init reads where no
 * metadata service can be reached.
 */
import { chmod, chown, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { GuestBuildError } from '../../logic/ports/hosts.ts'
import { guestFiles } from './command-line.ts'
import { run } from './run.ts'
import type { GuestUser } from './user.ts'

/** Programs that write ISO images, which understand the same options, and what each needs before them. */
const writers: readonly (readonly string[])[] = [['genisoimage'], ['mkisofs'], ['xorriso', '-as', 'mkisofs']]
const isoOptions = ['-quiet', '-input-charset', 'utf-8', '-joliet', '-rational-rock', '-volid', 'config-2']

/** Makes the guest's config drive unless it is there. Throws `GuestBuildError` for a path that leaves the drive. */
export async function makeConfigDrive(
  files: Readonly<Record<string, Uint8Array>>,
  folder: string,
  user: GuestUser,
): Promise<void> {
  const drive = join(folder, guestFiles.configDrive)
  if (
    await stat(drive).then(
      () => true,
      () => false,
    )
  )
    return
  const tree = `${drive}.tree`
  const unfinished = `${drive}.new`
  await rm(tree, { recursive: true, force: true })
  await mkdir(tree, { mode: 0o700 })
  try {
    for (const [path, content] of Object.entries(files)) {
      if (!isInside(path))
        throw new GuestBuildError(`"${path.slice(0, 200)}" is not a path for a file of a config drive.`)
      await mkdir(dirname(join(tree, path)), { recursive: true })
      await writeFile(join(tree, path), content)
    }
    await writeImage(tree, unfinished)
    await chown(unfinished, process.getuid!(), user.gid)
    await chmod(unfinished, 0o440)
    await rename(unfinished, drive)
  } finally {
    await rm(tree, { recursive: true, force: true })
  }
}

function isInside(path: string): boolean {
  return (
    path !== '' && !path.includes('\0') && !path.startsWith('/') && normalize(path) === path && !path.startsWith('..')
  )
}

async function writeImage(tree: string, target: string): Promise<void> {
  for (const [program, ...before] of writers) {
    try {
      await run(program!, [...before, ...isoOptions, '-output', target, tree])
      return
    } catch (error) {
      if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') throw error
    }
  }
  throw new GuestBuildError('This host has no program that makes a config drive (genisoimage, mkisofs or xorriso).')
}
