/**
 * Long-lived programs that outlive us: started detached, found again by pid file and command line, restarted when they
 * died, ended by signal. A pid alone proves nothing after a reboot, hence the look into `/proc`.
 */

import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from './commands.ts'

export interface DaemonSpec {
  readonly name: string
  readonly file: string
  /** Must make the program go to the background by itself and write `pidFile`; `marker` must be among them. */
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly pidFile: string
  /** An argument by which the process is known as ours. */
  readonly marker: string
  readonly logFile?: string
  /** Target for `ovs-appctl`, given the pid. */
  readonly control?: (pid: number) => string
}

const MAX_LOG_BYTES = 8 * 1024 * 1024

/** The pid of the running daemon, or undefined. Zombies do not run. */
export function runningPid(spec: Pick<DaemonSpec, 'pidFile' | 'marker'>): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(spec.pidFile, 'utf8'), 10)
    return pid > 0 && isAlive(pid, spec.marker) ? pid : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number, marker: string): boolean {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    const state = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')[0]
    return args.includes(marker) && state !== 'Z' && state !== 'X'
  } catch {
    return false
  }
}

function lastLines(file: string | undefined): string {
  if (file === undefined || !existsSync(file)) return ''
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-5).join('\n')
}

/** Starts the daemon unless it runs; says which. Rejects with the end of its log when it does not come up. */
export async function startDaemon(spec: DaemonSpec): Promise<'started' | 'running'> {
  if (runningPid(spec) !== undefined) return 'running'
  await rm(spec.pidFile, { force: true })
  const child = spawn(spec.file, [...spec.args], {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { ...process.env, ...spec.env },
    detached: true,
    cwd: '/',
  })
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', error => reject(new Error(`${spec.name} could not be started: ${error.message}`)))
    child.once('exit', resolve)
  })
  if (status !== 0 || !(await eventually(() => runningPid(spec) !== undefined, 2000)))
    throw new Error(`${spec.name} did not start (status ${status})\n${lastLines(spec.logFile)}`)
  return 'started'
}

/** Polls a cheap condition; for things that tell nobody when they happen. */
export async function eventually(condition: () => boolean, timeoutMs: number, everyMs = 10): Promise<boolean> {
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await sleep(everyMs))
    if (condition()) return true
  return condition()
}

/** Ends the daemon: with `appctl` (a command for `ovs-appctl`) first if given, then by TERM, then by KILL. */
export async function stopDaemon(spec: DaemonSpec, appctl?: readonly string[]): Promise<void> {
  const pid = runningPid(spec)
  if (pid !== undefined) {
    // Daemons remove their pid file before they end, so the process itself is watched.
    const gone = () => !isAlive(pid, spec.marker)
    if (appctl !== undefined && spec.control !== undefined)
      await run('ovs-appctl', ['-t', spec.control(pid), ...appctl], { timeoutMs: 5000 }).catch(() => {})
    if (!(await eventually(gone, appctl === undefined ? 0 : 5000))) signal(pid, 'SIGTERM')
    if (!(await eventually(gone, 5000))) signal(pid, 'SIGKILL')
    await eventually(gone, 2000)
  }
  await rm(spec.pidFile, { force: true })
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Keeps one earlier log: a log that grew too large is renamed and begun anew. */
export async function boundLog(spec: DaemonSpec): Promise<void> {
  const pid = runningPid(spec)
  if (spec.logFile === undefined || spec.control === undefined || pid === undefined) return
  const size = await stat(spec.logFile).then(
    file => file.size,
    () => 0,
  )
  if (size < MAX_LOG_BYTES) return
  await rename(spec.logFile, `${spec.logFile}.1`)
  await run('ovs-appctl', ['-t', spec.control(pid), 'vlog/reopen'])
}
