/**
 * Makes files of the guest's trees: the initrd, and a disk with an MBR, a FAT partition with the boot loader (syslinux),
 * the kernel and the initrd, and behind it, so that it can grow, the root as ext4. Neither loop devices nor mounts are used.
 */
import { execFile } from 'node:child_process'
import { copyFile, open, readdir, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { exists, run } from './run.ts'

const MiB = 1024 * 1024
/** Where the first partition starts, as every partitioning tool does it. */
const alignment = 1 * MiB
const rootSize = 32 * MiB
const rootLabel = 'tiny-root'
const bootCodeLength = 440
/** The boot loader wants to know where on the disk its FAT lies, in sectors. */
const bootPartitionSector = alignment / 512

const masterBootRecords = ['/usr/lib/syslinux/mbr/mbr.bin', '/usr/lib/SYSLINUX/mbr.bin']

/**
 * The kernel's command line. What is there for the sake of 64 MiB of memory:
 * no trace file system (9 MiB of inodes), per-CPU memory in pages rather than 2 MiB pieces, no accounting of kernel memory by
 * cgroup (a 4 MiB table), no KFENCE pool (2 MiB). nokaslr: the kernel's place is fixed, as there is no room for another.
 * no_timer_check: on a busy machine without KVM the check of the timer finds faults that are not there.
 */
export const kernelArguments = [
  'quiet',
  'panic=10',
  'mitigations=off',
  'nokaslr',
  'no_timer_check',
  'initcall_blacklist=tracer_init_tracefs',
  'percpu_alloc=page',
  'cgroup.memory=nokmem,nosocket',
  'kfence.sample_interval=0',
  'console=tty1',
  'console=ttyS0,115200',
].join(' ')

/** Packs a tree as an initrd (cpio, zstd). */
export async function packInitrd(tree: string, target: string): Promise<void> {
  const names = (await readdir(tree, { recursive: true })).sort()
  const archive = `${target}.cpio`
  const packing = promisify(execFile)('cpio', ['-o', '-H', 'newc', '-R', '0:0', '--quiet', '-F', archive], {
    cwd: tree,
  })
  packing.child.stdin?.end(`${names.join('\n')}\n`)
  await packing
  await run('zstd', ['-q', '-19', '-f', '--rm', archive, '-o', target])
}

/** Makes the qcow2 image; `workDir` takes the temporary files. */
export async function makeDisk(options: {
  root: string
  kernel: string
  initrd: string
  target: string
  workDir: string
}): Promise<void> {
  const boot = join(options.workDir, 'boot.fat')
  const bootSize = await makeBootPartition({ ...options, target: boot })
  const root = join(options.workDir, 'root.ext4')
  await makeEmpty(root, rootSize)
  // A journal, because instances get their power cut; as small as ext4 allows.
  const settings = ['-L', rootLabel, '-b', '4096', '-N', '4096', '-m', '0', '-J', 'size=4', '-d', options.root]
  await run('mke2fs', ['-q', '-F', '-t', 'ext4', ...settings, root])

  const disk = join(options.workDir, 'disk.raw')
  await makeEmpty(disk, alignment + bootSize + rootSize)
  const table = join(options.workDir, 'partitions')
  const sectors = [alignment, bootSize, alignment + bootSize, rootSize].map(bytes => bytes / 512)
  const lines = [
    'label: dos',
    `start=${sectors[0]}, size=${sectors[1]}, type=c, bootable`,
    `start=${sectors[2]}, size=${sectors[3]}, type=83`,
  ]
  await writeFile(table, `${lines.join('\n')}\n`)
  const partitioning = promisify(execFile)('sfdisk', ['-q', disk])
  partitioning.child.stdin?.end(`${lines.join('\n')}\n`)
  await partitioning
  await writeInto(disk, await bootRecord(), 0, bootCodeLength)
  await writeInto(disk, boot, alignment, bootSize)
  await writeInto(disk, root, alignment + bootSize, rootSize)
  await run('qemu-img', ['convert', '-c', '-O', 'qcow2', disk, options.target])
}

async function makeBootPartition(options: {
  kernel: string
  initrd: string
  target: string
  workDir: string
}): Promise<number> {
  const configuration = join(options.workDir, 'syslinux.cfg')
  const lines = [
    'SERIAL 0 115200',
    'DEFAULT tiny-linux',
    'PROMPT 0',
    'LABEL tiny-linux',
    '  KERNEL vmlinuz',
    `  APPEND initrd=initrd.img ${kernelArguments}`,
  ]
  await writeFile(configuration, `${lines.join('\n')}\n`)
  const kernel = join(options.workDir, 'vmlinuz')
  const initrd = join(options.workDir, 'initrd.img')
  if (kernel !== options.kernel) await copyFile(options.kernel, kernel)
  if (initrd !== options.initrd) await copyFile(options.initrd, initrd)
  const content = (await stat(kernel)).size + (await stat(initrd)).size
  // Room for the FAT itself and the boot loader; at least what a FAT16 needs.
  const size = Math.max(Math.ceil(content / MiB) + 1, 17) * MiB
  await makeEmpty(options.target, size)
  await run('mkfs.vfat', ['-F', '16', '-n', 'TINYBOOT', '-h', String(bootPartitionSector), options.target])
  await run('mcopy', ['-i', options.target, kernel, initrd, configuration, '::/'])
  await run('syslinux', ['--install', options.target])
  return size
}

async function bootRecord(): Promise<string> {
  for (const path of masterBootRecords) if (await exists(path)) return path
  throw new Error(`none of ${masterBootRecords.join(', ')} exists: is syslinux-common installed?`)
}

async function makeEmpty(path: string, size: number): Promise<void> {
  await writeFile(path, '')
  await truncate(path, size)
}

async function writeInto(disk: string, source: string, position: number, limit: number): Promise<void> {
  const from = await open(source)
  const to = await open(disk, 'r+')
  try {
    const { buffer, bytesRead } = await from.read(Buffer.alloc(limit), 0, limit, 0)
    await to.write(buffer, 0, bytesRead, position)
  } finally {
    await from.close()
    await to.close()
  }
}
