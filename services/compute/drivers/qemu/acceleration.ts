/**
 * Whether guests can run on KVM here: found by running one.
 *
 * The presence of `/dev/kvm` says little: on some machines that are guests themselves the device opens and a virtual
 * processor is made, and then its first instruction never ends. So a guest of one instruction or two is started, as
 * the user that guests run as, and must say in time that it ran them.
 */
import { spawn } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { release } from 'node:os'
import { join } from 'node:path'
import type { Log } from '@strata/toolkit/log'
import type { GuestUser } from './user.ts'

export type Acceleration = 'kvm' | 'tcg'

/** The port of the `isa-debug-exit` device; a guest that writes `n` there ends its QEMU with the code `2n + 1`. */
const exitPort = 0xf4
const exitValue = 0x2a
const exitCode = (exitValue << 1) | 1

/** `mov dx, exitPort; mov al, exitValue; out dx, al; hlt`, as the first sector of a disk. */
export function probeSector(): Buffer {
  const sector = Buffer.alloc(512)
  sector.set([0xba, exitPort & 0xff, exitPort >> 8, 0xb0, exitValue, 0xee, 0xf4])
  sector.set([0x55, 0xaa], 510)
  return sector
}

export interface ProbeOptions {
  readonly binary: string
  readonly accelerator: Acceleration
  readonly folder: string
  readonly user: GuestUser
  readonly timeoutMs: number
}

/** Runs the probe's guest and says whether it did its work in time. Its process is gone when this returns. */
export async function guestRuns(options: ProbeOptions): Promise<boolean> {
  const disk = join(options.folder, `probe-${process.pid}.img`)
  await writeFile(disk, probeSector(), { mode: 0o644 })
  const argv = [
    ...[...options.user.dropTo, options.binary, '-no-user-config', '-nodefaults', '-display', 'none', '-no-reboot'],
    ...['-machine', 'pc', '-accel', options.accelerator, '-m', '16'],
    ...['-drive', `if=floppy,format=raw,readonly=on,file=probe-${process.pid}.img`],
    ...['-device', `isa-debug-exit,iobase=0x${exitPort.toString(16)},iosize=4`],
  ]
  try {
    const [program, ...args] = argv
    const child = spawn(program!, args, {
      cwd: options.folder,
      stdio: 'ignore',
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    })
    const code = await new Promise<number | null>(resolve => {
      child.once('error', () => resolve(null))
      child.once('exit', resolve)
      // A process stuck in the kernel may not even die; it is not waited for.
      setTimeout(() => resolve(null), options.timeoutMs + 1000).unref()
    })
    return code === exitCode
  } finally {
    await rm(disk, { force: true })
  }
}

export interface DetectOptions {
  readonly binary: string
  readonly version: string
  readonly folder: string
  readonly user: GuestUser
  readonly log: Log
}

interface Remembered {
  readonly key: string
  readonly acceleration: Acceleration
}

/**
 * `kvm` when a guest ran on it within two seconds, else `tcg`. What was found is remembered in `folder` for as long as
 * the machine, its kernel, and QEMU stay the same: until the next boot, that is.
 */
export async function detectAcceleration(options: DetectOptions): Promise<Acceleration> {
  const file = join(options.folder, 'acceleration.json')
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  const key = [boot, release(), options.version, options.user.uid].join(' ')
  const remembered = await readFile(file, 'utf8')
    .then(text => JSON.parse(text) as Remembered)
    .catch(() => undefined)
  if (remembered?.key === key) return remembered.acceleration
  const works = await guestRuns({ ...options, accelerator: 'kvm', timeoutMs: 2000 })
  const acceleration: Acceleration = works ? 'kvm' : 'tcg'
  await writeFile(file, JSON.stringify({ key, acceleration } satisfies Remembered))
  if (!works) options.log.info('no guest runs on KVM here: guests are emulated by TCG')
  return acceleration
}
