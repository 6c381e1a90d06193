/**
 * The process of a guest: starting it so that it outlives us, finding it again, ending it.
 *
 * A guest's QEMU leads a session of its own and is told from any other process by the id of its server on its command line
 * and by its user. A process is its pid *and* its start time, for pids are used again. One that is a zombie is dead:
 * after a restart of ours the guest's parent is init, and not every init reaps.
 *
 * The pid file is ours. QEMU would write one itself, but insists on resolving its path from the root, where its user may
 * have no way through. So there is a moment when a process exists that no file tells of; it is found by looking at all.
 */
import { spawn } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { guestFiles } from './command-line.ts'
import { connectQmp, type Qmp } from './qmp.ts'

export interface ProcessRef {
  readonly pid: number
  /** In clock ticks since the machine booted, from `/proc/<pid>/stat`. */
  readonly startTime: string
}

/** The process with this pid, unless there is none or it is dead in all but name. */
export async function processOf(pid: number): Promise<ProcessRef | undefined> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (!status) return undefined
  // The name may hold spaces and parentheses; the fields that matter follow its last parenthesis.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
  const [state, startTime] = [fields[0], fields[19]]
  if (!startTime || state === 'Z' || state === 'X') return undefined
  return { pid, startTime }
}

export async function isAlive(process: ProcessRef): Promise<boolean> {
  return (await processOf(process.pid))?.startTime === process.startTime
}

/** The living process of a guest: the one that its pid file names or else the one found by looking at all. */
export async function findProcess(folder: string, serverId: string, uid: number): Promise<ProcessRef | undefined> {
  // Without this folder nothing was ever started.
  if (!(await stat(join(folder, guestFiles.runtime)).catch(() => undefined))) return undefined
  const named = await readPidFile(folder)
  if (named && (await isAlive(named)) && (await serverOf(named.pid, uid)) === serverId) return named
  return (await findProcesses(uid)).get(serverId)
}

/** The living processes of all guests that the user `uid` runs on this machine, by the id of their server. */
export async function findProcesses(uid: number): Promise<ReadonlyMap<string, ProcessRef>> {
  const found = new Map<string, ProcessRef>()
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const serverId = await serverOf(Number(entry), uid)
    const process = serverId === undefined ? undefined : await processOf(Number(entry))
    if (serverId !== undefined && process) found.set(serverId, process)
  }
  return found
}

async function readPidFile(folder: string): Promise<ProcessRef | undefined> {
  const text = await readFile(join(folder, guestFiles.pid), 'utf8').catch(() => '')
  const [, pid, startTime] = /^(\d+) (\d+)\n$/.exec(text) ?? []
  return pid && startTime ? { pid: Number(pid), startTime } : undefined
}

/** The server whose guest this process is. Anyone may call a process so: only the user's, and ours before it drops to it, count. */
async function serverOf(pid: number, uid: number): Promise<string | undefined> {
  const owner = await stat(`/proc/${pid}`).then(
    found => found.uid,
    () => undefined,
  )
  if (owner !== uid && owner !== process.getuid!()) return undefined
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
  const ours = words.some(word => word.includes(`path=${guestFiles.monitor},`))
  return ours ? words[words.indexOf('-uuid') + 1] : undefined
}

export interface StartOptions {
  readonly argv: readonly string[]
  /** The working directory, from which the relative paths of `argv` start. */
  readonly folder: string
  /** Called as soon as there is a process, before its guest has run: the time for putting it into its cgroup. */
  readonly confine: (pid: number) => Promise<void>
  readonly timeoutMs: number
}

/** Starts QEMU and connects to its monitor. Throws an Error with QEMU's last words when it ends or does not answer. */
export async function startProcess(options: StartOptions): Promise<{ process: ProcessRef; qmp: Qmp }> {
  const { argv, folder } = options
  const logFile = join(folder, guestFiles.stderr)
  const log = openSync(logFile, constants.O_CREAT | constants.O_TRUNC | constants.O_WRONLY | constants.O_APPEND, 0o600)
  const ended = Promise.withResolvers<never>()
  const [program, ...args] = argv
  const child = spawn(program!, args, {
    cwd: folder,
    detached: true,
    stdio: ['ignore', log, log],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  })
  closeSync(log)
  let over = false
  child.once('error', error => ended.reject(error))
  child.once('exit', (code, signal) => {
    over = true
    ended.reject(new Error(`QEMU ended with ${signal ?? `code ${code}`}`))
  })
  ended.promise.catch(() => {})
  child.unref()
  try {
    if (child.pid === undefined) return await ended.promise
    const process = await processOf(child.pid)
    if (!process) return await ended.promise
    await writeFile(join(folder, guestFiles.pid), `${process.pid} ${process.startTime}\n`, { mode: 0o600 })
    await options.confine(child.pid)
    const qmp = await Promise.race([
      connectWhenReady(join(folder, guestFiles.monitor), options.timeoutMs, () => over),
      ended.promise,
    ])
    return { process, qmp }
  } catch (error) {
    if (!over && child.pid !== undefined) child.kill('SIGKILL')
    throw new Error((await lastWords(logFile)) || (error as Error).message, { cause: error })
  }
}

/** Connects to a monitor that may not be there yet. Throws when `timeoutMs` are over, or `over` says that it never will be. */
export async function connectWhenReady(
  path: string,
  timeoutMs: number,
  over: () => boolean | Promise<boolean>,
): Promise<Qmp> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    try {
      return await connectQmp(path, Math.max(1, deadline - performance.now()))
    } catch (error) {
      if ((await over()) || performance.now() >= deadline) throw error
      await pause(10)
    }
  }
}

async function lastWords(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '')
  const line = text.trim().split('\n').at(-1) ?? ''
  return line.replace(/^qemu-system-\w+: /, '').slice(0, 500)
}

/** Waits until the process is no more. Returns whether it is so within `timeoutMs`. */
export async function waitForEnd(process: ProcessRef, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  for (let wait = 5; await isAlive(process); wait = Math.min(wait * 2, 100)) {
    if (performance.now() >= deadline) return false
    await pause(wait)
  }
  return true
}

/** Ends the process at once. Throws when it is still there after `timeoutMs`. */
export async function kill(ref: ProcessRef, timeoutMs = 10_000): Promise<void> {
  if (!(await isAlive(ref))) return
  try {
    process.kill(ref.pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
  if (!(await waitForEnd(ref, timeoutMs))) throw new Error(`process ${ref.pid} does not end`)
}

const pause = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))
