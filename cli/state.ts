/**
 * Where a cloud keeps its things. One *state folder* is one cloud: databases, disks, logs, sockets and the files that
 * say which process serves it.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Root of the checkout, or of the installed tree. */
export const root = dirname(import.meta.dirname)

export type Mode = 'real' | 'simulated'

export interface State {
  readonly folder: string
  /** Locks and the server's status file. */
  readonly run: string
  readonly log: string
  readonly serverLog: string
  /** `ServerStatus`, written by the server. */
  readonly serverFile: string
  /** Held by the server for life. */
  readonly serverLock: string
  /** Held by a command while it starts or stops something. */
  readonly commandLock: string
  /** `{ mode }`: what the state was made with. Real disks and simulated ones do not mix. */
  readonly settingsFile: string
  readonly cloudsFile: string
  readonly openrcFile: string
}

/** What the server says of itself in `serverFile`. */
export interface ServerStatus {
  readonly pid: number
  /** Clock ticks from the machine's start to the process's: tells it from a later one with the same pid. */
  readonly startTicks: number
  readonly phase: 'starting' | 'ready' | 'failed'
  readonly mode: Mode
  /** Base address of the API, once it listens: `http://127.0.0.1:5000`. */
  readonly url?: string
  /** What the operator should know although it is ready: their clouds.yaml was left alone, say. */
  readonly notice?: string
  /** Why it failed, in one sentence. */
  readonly error?: string
  /** The error says all that there is to know: the log adds nothing to it. */
  readonly explained?: boolean
}

/** Folder of the state: `--state`, then `$STRATA_STATE`, then `.strata/` of a checkout or `/var/lib/strata`. */
export function stateFolder(options: { flag?: string | undefined; env?: string | undefined; root: string }): string {
  if (options.flag) return resolve(options.flag)
  if (options.env) return resolve(options.env)
  return /^\/(usr|opt)\//.test(options.root) ? '/var/lib/strata' : join(options.root, '.strata')
}

export function stateAt(folder: string): State {
  const run = join(folder, 'run')
  const log = join(folder, 'log')
  return {
    folder,
    run,
    log,
    serverLog: join(log, 'strata.log'),
    serverFile: join(run, 'server.json'),
    serverLock: join(run, 'server.lock'),
    commandLock: join(run, 'command.lock'),
    settingsFile: join(folder, 'settings.json'),
    cloudsFile: join(folder, 'clouds.yaml'),
    openrcFile: join(folder, 'openrc'),
  }
}

/** Makes the folders. The state holds passwords, keys and disks, so nobody else may look in. */
export function createState(state: State): void {
  mkdirSync(state.folder, { recursive: true, mode: 0o711 })
  mkdirSync(state.run, { recursive: true, mode: 0o700 })
  mkdirSync(state.log, { recursive: true, mode: 0o700 })
}

/** Replaces a file whole, so that no reader sees half of it. */
export function writeWhole(file: string, text: string, mode = 0o600): void {
  const next = `${file}.${process.pid}.new`
  writeFileSync(next, text, { mode })
  renameSync(next, file)
}

export function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return
    throw error
  }
}

export const readServer = (state: State) => readJson<ServerStatus>(state.serverFile)

export const readMode = (state: State) => readJson<{ mode?: Mode }>(state.settingsFile)?.mode
