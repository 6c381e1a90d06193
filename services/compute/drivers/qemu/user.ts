/**
 * The unprivileged user that guests run as, and the devices that it may open.
 *
 * Without root nothing can be dropped: guests then run as whoever started Strata.
 */
import { chmod, chown, readFile, stat } from 'node:fs/promises'
import type { Log } from '@strata/toolkit/log'
import { run } from './run.ts'

export interface GuestUser {
  readonly uid: number
  readonly gid: number
  /** Put before a command line, it makes the command run as this user, for good: no capability, no way back. */
  readonly dropTo: readonly string[]
}

/**
 * Finds the user `name`, or makes it when we are root, and sees to it that it may open `devices` (those that are there).
 * Throws when there is no such user and none can be made.
 */
export async function ensureUser(name: string, devices: readonly string[], log: Log): Promise<GuestUser> {
  const own = { uid: process.getuid!(), gid: process.getgid!() }
  if (own.uid !== 0) return { ...own, dropTo: [] }
  const found = (await lookUp(name)) ?? (await create(name))
  const groups = new Set<number>()
  for (const device of devices) groups.add((await grantDevice(device, found.gid, log)) ?? found.gid)
  groups.delete(found.gid)
  const ids = [
    `--reuid=${found.uid}`,
    `--regid=${found.gid}`,
    groups.size ? `--groups=${[...groups].join()}` : '--clear-groups',
  ]
  return { ...found, dropTo: ['setpriv', ...ids, '--no-new-privs', '--inh-caps=-all', '--bounding-set=-all', '--'] }
}

async function lookUp(name: string): Promise<{ uid: number; gid: number } | undefined> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find(entry => entry.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined
}

async function create(name: string): Promise<{ uid: number; gid: number }> {
  const settings = [
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
  ]
  const failure = await run('useradd', [...settings, name]).then(
    () => undefined,
    (error: Error) => error,
  )
  const made = await lookUp(name)
  if (made) return made
  throw new Error(`the user "${name}" that guests run as cannot be made: ${failure?.message}`)
}

/**
 * Returns the group through which the device may be opened, if one is needed. A device that only root may open is given
 * to the user's own group: where udev runs, `/dev/net/tun` is open to all (the kernel checks who owns each tap) and
 * `/dev/kvm` has a group of its own; bare machines and containers lack both.
 */
async function grantDevice(path: string, gid: number, log: Log): Promise<number | undefined> {
  const device = await stat(path).catch(() => undefined)
  if (!device || (device.mode & 0o006) === 0o006) return undefined
  if (device.gid !== 0 && (device.mode & 0o060) === 0o060) return device.gid
  try {
    await chown(path, device.uid, gid)
    await chmod(path, (device.mode & 0o777) | 0o060)
    log.info({ device: path, gid }, 'gave a device to the group of the user that guests run as')
  } catch (error) {
    log.warn({ device: path, error }, 'guests cannot open this device')
  }
  return undefined
}
