/**
 * The real PAM of this machine, for tests: a user and a group made for them, a PAM service of their own that asks `pam_unix`,
 * and a saslauthd in a folder of its own. All is gone when it is closed.
 */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const tools = ['/usr/sbin/saslauthd', '/usr/sbin/useradd', '/usr/sbin/groupadd', '/usr/sbin/chpasswd', '/etc/pam.d']

/** Why no test with the real PAM can run here; false when they can. */
export const noPam: string | false =
  process.getuid?.() !== 0
    ? 'only root can make a user'
    : (tools.filter(path => !existsSync(path)).map(path => `there is no ${path}`)[0] ?? false)

export interface PamHost {
  readonly socket: string
  readonly service: string
  readonly user: string
  readonly password: string
  readonly group: string
  close(): Promise<void>
}

export async function startPam(): Promise<PamHost> {
  const mark = `st${process.pid.toString(36)}`
  const [user, group, service] = [`${mark}u`, `${mark}g`, `strata-${mark}`]
  const password = `pw of ${mark}: "ü"`
  const file = `/etc/pam.d/${service}`
  const folder = mkdtempSync(join(tmpdir(), 'strata-pam-'))
  const undo = [
    () => execFileSync('/usr/sbin/userdel', [user], { stdio: 'ignore' }),
    () => execFileSync('/usr/sbin/groupdel', [group], { stdio: 'ignore' }),
    () => rmSync(file, { force: true }),
    () => rmSync(folder, { recursive: true, force: true }),
  ]
  const clear = () => {
    for (const step of undo)
      try {
        step()
      } catch {
        // What was not made is not there.
      }
  }
  try {
    execFileSync('/usr/sbin/groupadd', [group], { stdio: 'ignore' })
    const words = [
      '--no-create-home',
      '--shell',
      '/usr/sbin/nologin',
      '--comment',
      'Test Person',
      '--groups',
      group,
      user,
    ]
    execFileSync('/usr/sbin/useradd', words, { stdio: 'ignore' })
    execFileSync('/usr/sbin/chpasswd', [], { input: `${user}:${password}\n` })
    writeFileSync(file, 'auth required pam_unix.so nodelay\naccount required pam_unix.so\n')
    chmodSync(folder, 0o700)
    const child = spawn('/usr/sbin/saslauthd', ['-a', 'pam', '-d', '-n', '1', '-m', folder], {
      stdio: 'ignore',
      // When it ends it ends all of its process group.
      detached: true,
    })
    const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
    const socket = join(folder, 'mux')
    for (const end = Date.now() + 10_000; !existsSync(socket); await new Promise(resolve => setTimeout(resolve, 20)))
      if (child.exitCode !== null || Date.now() > end) throw new Error('saslauthd did not start')
    return {
      ...{ socket, service, user, password, group },
      async close() {
        child.kill('SIGTERM')
        await ended
        clear()
      },
    }
  } catch (thrown) {
    clear()
    throw thrown
  }
}
