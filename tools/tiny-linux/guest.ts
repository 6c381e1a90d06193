/**
 * Puts the guest's two file trees together: the *root* (what runs) and the *initrd* (what finds the root).
 *
 * Every program lies in /bin, and /sbin, /usr/bin and /usr/sbin are links to it, so that each is found under any of the paths
 * that scripts know it by. Programs that are not busybox's own bring their shared libraries.
 */
import { chmod, chown, copyFile, cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { run } from './run.ts'

const libraryFolder = 'lib/x86_64-linux-gnu'
const loader = 'lib64/ld-linux-x86-64.so.2'
const tinyUser = 1000

/** Programs beside busybox, by their path in the unpacked packages. */
const programs = [
  'bin/dash',
  'sbin/blkid',
  'bin/lsblk',
  'bin/mountpoint',
  'usr/bin/resizepart',
  'sbin/mke2fs',
  'sbin/resize2fs',
  'usr/bin/dbclient',
  'usr/bin/doas',
  'usr/bin/dropbearkey',
  'usr/sbin/dropbear',
]

/**
 * sh is dash: busybox's own shell prefers its applets to what lies in /bin, so the ping that everybody may use would not be
 * found.
 */
const links = {
  sh: 'dash',
  ssh: 'dbclient',
  'mkfs.ext4': 'mke2fs',
  ping6: 'ping',
  traceroute: 'ping',
  traceroute6: 'ping',
}

/** Applets that make no sense here, or that a program above does better. */
const unwantedApplets = [
  'busybox',
  'dpkg',
  'dpkg-deb',
  'linuxrc',
  'mke2fs',
  'ping',
  'rpm',
  'rpm2cpio',
  ...Object.keys(links),
]

/** Only what is needed to reach the root: while the initrd is unpacked, memory is at its scarcest. */
const initrdModules = ['virtio_pci', 'virtio_blk', 'virtio_scsi', 'sd_mod']

const rootModules = [
  ...initrdModules,
  '8021q',
  'ata_piix',
  'button',
  'evdev',
  'isofs',
  'nls_ascii',
  'nls_cp437',
  'nls_iso8859-1',
  'nls_utf8',
  'sr_mod',
  'vfat',
  'virtio-rng',
  'virtio_balloon',
  'virtio_console',
  'virtio_net',
]

const initrdApplets = 'awk cat dd echo insmod ls mkdir modprobe mount sh sort switch_root usleep xargs'.split(' ')

/** `packages`: the unpacked packages; `sources`: the folder with this module's `rootfs` and `initrd`. */
export type TreeOptions = { packages: string; sources: string; target: string }

/** Assembles the guest's root in `target`. Needs root: the files get the owners they have in the guest. */
export async function assembleRoot(options: TreeOptions): Promise<void> {
  const { packages, sources, target } = options
  for (const folder of ['bin', 'usr', libraryFolder, 'lib64', 'proc', 'sys', 'dev', 'run', 'mnt', 'root', 'var/log']) {
    await mkdir(join(target, folder), { recursive: true })
  }
  await mkdir(join(target, 'tmp'))
  await chmod(join(target, 'tmp'), 0o1777)
  for (const [path, to] of [
    ['sbin', 'bin'],
    ['usr/bin', '../bin'],
    ['usr/sbin', '../bin'],
    ['var/run', '../run'],
  ] as const) {
    await symlink(to, join(target, path))
  }

  await copyFile(join(packages, 'bin/busybox'), join(target, 'bin/busybox'))
  const applets = (await run(join(packages, 'bin/busybox'), ['--list'])).trim().split('\n')
  for (const applet of applets) {
    if (!unwantedApplets.includes(applet)) await symlink('busybox', join(target, 'bin', applet))
  }
  for (const program of programs) await copyFile(join(packages, program), join(target, 'bin', basename(program)))
  for (const [name, to] of Object.entries(links)) await symlink(to, join(target, 'bin', name))
  await chmod(join(target, 'bin/doas'), 0o4755)
  await copyLibraries(packages, target)
  await copyModules(packages, target, rootModules)

  await cp(join(sources, 'rootfs'), target, { recursive: true })
  await copyFile(join(packages, 'etc/mke2fs.conf'), join(target, 'etc/mke2fs.conf'))
  await chmod(join(target, 'etc/shadow'), 0o600)
  await chmod(join(target, 'etc/doas.conf'), 0o600)
  await chmod(join(target, 'root'), 0o700)
  await mkdir(join(target, 'home/tiny'), { recursive: true })
  await chown(join(target, 'home/tiny'), tinyUser, tinyUser)
}

/** Assembles the initrd's tree in `target`. */
export async function assembleInitrd(options: TreeOptions): Promise<void> {
  const { packages, sources, target } = options
  await mkdir(join(target, 'bin'), { recursive: true })
  await copyFile(join(packages, 'bin/busybox'), join(target, 'bin/busybox'))
  for (const applet of initrdApplets) await symlink('busybox', join(target, 'bin', applet))
  await copyModules(packages, target, initrdModules)
  await copyFile(join(sources, 'initrd/init'), join(target, 'init'))
}

/** The version directory's name under lib/modules; the packages hold one kernel. */
export async function kernelVersion(packages: string): Promise<string> {
  const [version] = await readdir(join(packages, 'lib/modules'))
  if (version === undefined) throw new Error('the kernel package holds no modules')
  return version
}

async function copyLibraries(packages: string, target: string): Promise<void> {
  const paths = [libraryFolder, `usr/${libraryFolder}`].map(folder => join(packages, folder)).join(':')
  // doas loads its PAM module by name when it runs.
  const permit = `${libraryFolder}/security/pam_permit.so`
  const needed = new Set<string>()
  for (const program of [...programs, permit]) {
    const args = ['--library-path', paths, '--list', join(packages, program)]
    for (const line of (await run(join(packages, loader), args)).split('\n')) {
      if (line.includes('not found'))
        throw new Error(`${program} needs a library that no guest package has: ${line.trim()}`)
      const library = / => (\S+) \(/.exec(line)?.[1]
      if (library?.startsWith(packages)) needed.add(library)
    }
  }
  await mkdir(join(target, dirname(permit)), { recursive: true })
  await copyFile(join(packages, permit), join(target, permit))
  await copyFile(join(packages, loader), join(target, loader))
  for (const library of needed) await copyFile(library, join(target, libraryFolder, basename(library)))
}

async function copyModules(packages: string, target: string, modules: string[]): Promise<void> {
  const version = await kernelVersion(packages)
  const folder = join('lib/modules', version)
  await mkdir(join(target, folder), { recursive: true })
  for (const list of ['modules.builtin', 'modules.builtin.modinfo', 'modules.order']) {
    await copyFile(join(packages, folder, list), join(target, folder, list))
  }
  await run('depmod', ['-b', packages, version])
  const files = new Set<string>()
  for (const name of modules) {
    const steps = await run('modprobe', ['-d', packages, '-S', version, '--show-depends', name])
    for (const step of steps.matchAll(/^insmod (\S+)/gm)) files.add(step[1]!)
  }
  for (const file of files) {
    const place = join(target, file.slice(packages.length))
    await mkdir(dirname(place), { recursive: true })
    await copyFile(file, place)
  }
  await run('depmod', ['-b', target, version])
  // busybox reads the text tables only; the rest would double their size.
  for (const list of await readdir(join(target, folder))) {
    if (!['kernel', 'modules.alias', 'modules.dep'].includes(list)) await rm(join(target, folder, list))
  }
  await writeFile(join(target, folder, 'modules.builtin'), '')
}
