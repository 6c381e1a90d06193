/**
 * Processes of this machine, read from /proc. A pid alone is no identity (it is given again after a while); a pid with
 * the *start ticks* of `/proc/PID/stat` is.
 */
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ProcessId {
  readonly pid: number
  readonly startTicks: number
}

export interface ProcessFacts extends ProcessId {
  /** Resident memory, in bytes. */
  readonly rss: number
  readonly uptimeSeconds: number
  readonly command: readonly string[]
}

const TICKS_PER_SECOND = 100
const PAGE = 4096

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return
  }
}

/** Fields of `/proc/PID/stat` from the state on: the name before it may hold spaces and parentheses. See proc(5). */
export function parseStat(text: string): { state: string; startTicks: number; rssPages: number } {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', startTicks: Number(fields[19]), rssPages: Number(fields[21]) }
}

function threads(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).length
  } catch {
    return 0
  }
}

/** The running process with this pid; undefined for none, and for one that is dead and only unburied. */
export function inspect(pid: number): ProcessFacts | undefined {
  const text = read(`/proc/${pid}/stat`)
  if (!text) return
  const { state, startTicks, rssPages } = parseStat(text)
  // The first thread may be dead while others still end, and with them what the process holds: its locks, its ports.
  if ((state === 'Z' || state === 'X') && threads(pid) <= 1) return
  const machineSeconds = Number(read('/proc/uptime')?.split(' ')[0] ?? 0)
  const command = (read(`/proc/${pid}/cmdline`) ?? '').split('\0').slice(0, -1)
  return {
    pid,
    startTicks,
    rss: rssPages * PAGE,
    uptimeSeconds: Math.max(0, machineSeconds - startTicks / TICKS_PER_SECOND),
    command,
  }
}

export function isAlive(id: ProcessId): boolean {
  return inspect(id.pid)?.startTicks === id.startTicks
}

/** Waits until `done` says so; false when it did not within `timeoutMs`. */
export async function waitUntil(done: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs
  for (;;) {
    if (await done()) return true
    if (performance.now() >= end) return false
    await sleep(25)
  }
}

function signal(id: ProcessId, name: NodeJS.Signals): void {
  if (!isAlive(id)) return
  try {
    process.kill(id.pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Asks a process to end, and ends it after `graceMs`. Says which of the two it took. */
export async function terminate(id: ProcessId, graceMs: number): Promise<'ended' | 'killed'> {
  signal(id, 'SIGTERM')
  if (await waitUntil(() => !isAlive(id), graceMs)) return 'ended'
  signal(id, 'SIGKILL')
  await waitUntil(() => !isAlive(id), 5_000)
  return 'killed'
}

export interface PidFile {
  /** Path below the folder, without `.pid`. */
  readonly name: string
  readonly file: string
  /** The process, when it runs and has `folder` on its command line or works in it: a stale file may name a stranger. */
  readonly process?: ProcessFacts
}

/** Guests are given paths relative to their folder alone: what they have of the state folder is where they work. */
function worksIn(folder: string, { pid }: ProcessId): boolean {
  try {
    return `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${realpathSync(folder)}/`)
  } catch {
    return false
  }
}

/** Every `*.pid` below a folder: how daemons and guests that outlive the server are found again. */
export function pidFiles(folder: string): PidFile[] {
  let entries: string[]
  try {
    entries = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return entries
    .filter(entry => entry.endsWith('.pid'))
    .sort()
    .map(entry => {
      const file = join(folder, entry)
      const pid = Number.parseInt(read(file) ?? '', 10)
      const found = pid > 1 ? inspect(pid) : undefined
      const ours = found && (found.command.some(word => word.includes(folder)) || worksIn(folder, found))
      return { name: relative(folder, file).slice(0, -4), file, ...(found && ours ? { process: found } : {}) }
    })
}
