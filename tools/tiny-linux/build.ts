/**
 * Builds tiny-linux, the guest image that a Strata cloud starts with, from Debian's own packages.
 *
 *     node tools/tiny-linux/build.ts OUTDIR
 *
 * The *stamp* names what the output was made of (the versions of the packages, this folder's files). It is written last and
 * removed first, so an output with a fitting stamp is whole, and is not made again.
 */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { kernelArguments, makeDisk, packInitrd } from './disk.ts'
import { assembleInitrd, assembleRoot, kernelVersion } from './guest.ts'
import { repackKernel, UnknownKernelLayout } from './kernel.ts'
import { buildPackages, type GuestPackage, resolveGuestPackages, unpackGuestPackages } from './packages.ts'
import { exists } from './run.ts'

export { buildPackages, kernelArguments }

/** Paths of the finished files. `kernel` and `initrd` start with `kernelArguments` and, where wanted, root=/dev/…. */
export type TinyLinux = { qcow2: string; kernel: string; initrd: string }

/**
 * Builds the image into `outDir`, or finds there the one that was built from the same inputs. Needs root, `buildPackages`,
 * apt's package lists and, for packages that `cacheDir` does not hold yet, the network. Two builds at once into the same
 * folder do each other no harm. Throws with the failed program's message; what stood in `outDir` then no longer counts as built.
 */
export async function buildTinyLinux(options: {
  outDir: string
  cacheDir: string
  log: (message: string) => void
}): Promise<TinyLinux> {
  const outDir = resolve(options.outDir)
  const output: TinyLinux = {
    qcow2: join(outDir, 'tiny-linux.qcow2'),
    kernel: join(outDir, 'tiny-linux.vmlinuz'),
    initrd: join(outDir, 'tiny-linux.initrd'),
  }
  const stampFile = join(outDir, 'tiny-linux.stamp')
  const packages = await resolveGuestPackages()
  const stamp = await makeStamp(packages)
  if ((await readIfThere(stampFile)) === stamp && (await allExist(Object.values(output)))) return output

  await mkdir(outDir, { recursive: true })
  const work = await mkdtemp(join(outDir, 'building-'))
  try {
    const made = await build({ work, packages, cacheDir: resolve(options.cacheDir), log: options.log })
    await rm(stampFile, { force: true })
    await rename(made.kernel, output.kernel)
    await rename(made.initrd, output.initrd)
    await rename(made.qcow2, output.qcow2)
    await writeFile(join(work, 'stamp'), stamp)
    await rename(join(work, 'stamp'), stampFile)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  options.log(`tiny-linux: built ${output.qcow2}, ${Math.round((await stat(output.qcow2)).size / 1024)} KiB`)
  return output
}

async function build(options: {
  work: string
  packages: GuestPackage[]
  cacheDir: string
  log: (message: string) => void
}): Promise<TinyLinux> {
  const { work, log } = options
  const sources = import.meta.dirname
  const packages = join(work, 'packages')
  log(`tiny-linux: unpacking ${options.packages.length} packages`)
  await unpackGuestPackages(options.packages, options.cacheDir, packages)

  const made: TinyLinux = {
    qcow2: join(work, 'disk.qcow2'),
    kernel: join(work, 'vmlinuz'),
    initrd: join(work, 'initrd.img'),
  }
  const original = join(packages, 'boot', `vmlinuz-${await kernelVersion(packages)}`)
  log('tiny-linux: repacking the kernel')
  try {
    await repackKernel(original, made.kernel, work)
  } catch (error) {
    if (!(error instanceof UnknownKernelLayout)) throw error
    log(`tiny-linux: ${error.message}; the kernel stays as it is, and the guest needs 128 MiB of memory`)
    made.kernel = original
  }
  log('tiny-linux: making the initrd and the disk')
  await assembleInitrd({ packages, sources, target: join(work, 'initrd') })
  await packInitrd(join(work, 'initrd'), made.initrd)
  await assembleRoot({ packages, sources, target: join(work, 'root') })
  await makeDisk({ ...made, root: join(work, 'root'), target: made.qcow2, workDir: work })
  return made
}

async function makeStamp(packages: GuestPackage[]): Promise<string> {
  const hash = createHash('sha256')
  for (const one of packages) hash.update(`${one.file}\n`)
  const entries = await readdir(import.meta.dirname, { recursive: true, withFileTypes: true })
  const files = entries
    .filter(entry => entry.isFile() && !/\.(test\.ts|md)$/.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
  for (const file of files) {
    const content = await readFile(file)
    const mode = (await stat(file)).mode & 0o111
    hash.update(`${relative(import.meta.dirname, file)} ${mode} ${content.length}\n`).update(content)
  }
  return `${hash.digest('hex')}\n`
}

async function allExist(paths: string[]): Promise<boolean> {
  return (await Promise.all(paths.map(exists))).every(Boolean)
}

function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

if (import.meta.main) {
  const outDir = process.argv[2]
  if (outDir === undefined || process.argv.length !== 3) {
    console.error('usage: node tools/tiny-linux/build.ts OUTDIR')
    process.exitCode = 2
  } else {
    const made = await buildTinyLinux({ outDir, cacheDir: join(outDir, 'packages'), log: console.error })
    console.log(Object.values(made).join('\n'))
  }
}
