/**
 * The Debian packages that tiny-linux is made of, and those that make it.
 *
 * *Guest packages* are never installed on this machine: they are downloaded and unpacked, so that the guest's programs,
 * libraries and kernel come from one known set of versions whatever this machine itself runs.
 */
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { exists, run } from './run.ts'

/** What an installer has to install (apt-get install) before `buildTinyLinux` can work. */
export const buildPackages = [
  'cpio',
  'dosfstools',
  'e2fsprogs',
  'fdisk',
  'kmod',
  'lz4',
  'mtools',
  'qemu-utils',
  'syslinux',
  'syslinux-common',
  'zstd',
]

/** A metapackage: the kernel itself is what it depends on. */
const kernelMetapackage = 'linux-image-cloud-amd64'

const programPackages = ['busybox-static', 'dash', 'dropbear-bin', 'e2fsprogs', 'opendoas', 'util-linux']

const libraryPackages = [
  'libaudit1',
  'libblkid1',
  'libc6',
  'libcap-ng0',
  'libcom-err2',
  'libcrypt1',
  'libext2fs2',
  'libpam-modules',
  'libpam0g',
  'libsmartcols1',
  'libtomcrypt1',
  'libtommath1',
  'libgmp10',
  'libuuid1',
  'zlib1g',
]

/** One guest package as apt would fetch it; `file` names package, version and architecture. */
export type GuestPackage = { name: string; file: string }

/**
 * Asks apt which version of each guest package it would download. Needs no network, only apt's lists.
 * Throws when apt does not know a package (its lists are missing or older than the archive: `apt-get update`).
 */
export async function resolveGuestPackages(): Promise<GuestPackage[]> {
  const dependencies = await run('apt-cache', ['depends', '--important', kernelMetapackage])
  const kernel = /Depends: (linux-image-\S+)/.exec(dependencies)?.[1]
  if (kernel === undefined) throw new Error(`apt knows no package ${kernelMetapackage}: run "apt-get update" first`)
  const names = [kernel, ...programPackages, ...libraryPackages]
  const uris = await run('apt-get', ['download', '--print-uris', ...names])
  const files = uris.split('\n').flatMap(line => {
    const file = /^'[^']*' (\S+\.deb) /.exec(line)?.[1]
    return file === undefined ? [] : [{ name: file.slice(0, file.indexOf('_')), file }]
  })
  const missing = names.filter(name => !files.some(file => file.name === name))
  if (missing.length > 0) throw new Error(`apt does not offer ${missing.join(', ')}: run "apt-get update" first`)
  return files.sort((a, b) => (a.file < b.file ? -1 : 1))
}

/**
 * Downloads the packages that `folder` does not hold yet and unpacks all of them over each other into `tree`.
 * apt checks each file's signature chain; a file gets its final name only once it is whole.
 */
export async function unpackGuestPackages(packages: GuestPackage[], folder: string, tree: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const missing: GuestPackage[] = []
  for (const one of packages) if (!(await exists(join(folder, one.file)))) missing.push(one)
  if (missing.length > 0) {
    const partial = await mkdtemp(join(folder, 'partial-'))
    try {
      const names = missing.map(one => one.name)
      // apt drops to the user _apt, who may not write into a folder of root's: it says so at length, to no use.
      await run('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', ...names], { cwd: partial })
      for (const file of await readdir(partial)) await rename(join(partial, file), join(folder, file))
    } finally {
      await rm(partial, { recursive: true, force: true })
    }
  }
  await mkdir(tree, { recursive: true })
  for (const one of packages) await run('dpkg-deb', ['-x', join(folder, one.file), tree])
}
