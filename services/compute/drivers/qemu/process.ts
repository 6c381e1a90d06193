/**
 * The process of a guest: starting it so that it outlives us, finding it again, ending it.
 *
 * A guest's QEMU leads a session of its own, writes and locks a pid file, and is told from any other process by the id of
 * its server on its command line. A process is its pid *and* its start time, for pids are used again. One that is a
 * zombie is dead: after a restart of ours the guest's parent is init, and not every init reaps.
 */
import { spawn } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { open, readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
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

/**
 * The living process of a guest: the one that its pid file names or, when a start was cut short before there was one, the
 * one found by looking at all.
 */
export async function findProcess(folder: string, serverId: string): Promise<ProcessRef | undefined> {
  if (!(await stat(join(folder, dirname(guestFiles.pid))).catch(() => undefined))) return undefined
  const named = await readPidFile(join(folder, guestFiles.pid))
  if (named !== undefined && (await servesGuest(named, serverId))) return processOf(named)
  for (const entry of await readdir('/proc')) {
    if (/^\d+$/.test(entry) && (await servesGuest(Number(entry), serverId))) return processOf(Number(entry))
  }
  return undefined
}

async function readPidFile(path: string): Promise<number | undefined> {
  // QEMU's user may write in this folder: a link put there must not make us read another file.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined)
  if (!file) return undefined
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0)
    const pid = Number.parseInt(buffer.toString('latin1', 0, bytesRead), 10)
    return pid > 1 ? pid : undefined
  } finally {
    await file.close()
  }
}

async function servesGuest(pid: number, serverId: string): Promise<boolean> {
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
  const at = words.indexOf('-uuid')
  return at > 0 && words[at + 1] === serverId && words.includes('-pidfile')
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
    await options.confine(child.pid)
    const qmp = await Promise.race([
      connectWhenReady(join(folder, guestFiles.monitor), options.timeoutMs, () => over),
      ended.promise,
    ])
    const process = await processOf(child.pid)
    if (!process) return await ended.promise
    return { process, qmp }
  } catch (error) {
    if (!over && child.pid !== undefined) child.kill('SIGKILL')
    throw new Error((await lastWords(logFile)) || (error as Error).message, { cause: error })
  }
}

async function connectWhenReady(path: string, timeoutMs: number, over: () => boolean): Promise<Qmp> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    try {
      return await connectQmp(path, Math.max(1, deadline - performance.now()))
    } catch (error) {
      if (over() || performance.now() >= deadline) throw error
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
