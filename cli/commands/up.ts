/** `strata up`: from whatever the machine is now to a cloud that answers. */
import { spawn } from 'node:child_process'
import { closeSync, openSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CloudModule } from '../cloud.ts'
import { askHealth } from '../health.ts'
import { chooseMode, dataPlanePackages, installPackages, lookAtMachine, missingPackages } from '../install.ts'
import { type Lock, takeLock } from '../lock.ts'
import { Refusal, say } from '../print.ts'
import { isAlive, terminate } from '../process.ts'
import { createState, type Mode, readMode, readServer, root, type ServerStatus, type State } from '../state.ts'
import { lastLines } from '../tail.ts'
import { serve } from './serve.ts'

export interface UpOptions {
  readonly state: State
  readonly simulated: boolean
  readonly foreground: boolean
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly configFile?: string | undefined
  /** The server's command line; tests start another. */
  readonly serverCommand?: readonly string[]
  readonly readyTimeoutMs?: number
  /** The composition that `--foreground` serves; tests give another. */
  readonly load?: () => Promise<CloudModule>
}

/** The first start fetches packages and builds a guest image, on whatever machine this is. */
const READY_TIMEOUT_MS = 15 * 60_000
/** For a server that has said why it cannot start, to end. */
const FAILED_GRACE_MS = 5_000
const TURN_TIMEOUT_MS = 10 * 60_000
const LOG_KEPT_BYTES = 64 * 2 ** 20

export async function up(options: UpOptions): Promise<void> {
  const { state } = options
  createState(state)
  const lock = waitForTurn(state)
  try {
    const running = readServer(state)
    if (running && isAlive(running) && running.phase !== 'failed') {
      const ready = await waitForServer(state, running, options.readyTimeoutMs ?? READY_TIMEOUT_MS)
      say(`The cloud is up already (process ${ready.pid}).`)
      return printWelcome(state, ready)
    }
    const { mode, why } = await prepare(state, options.simulated)
    say(mode === 'real' ? 'Guests and networks are real (QEMU, OVN).' : `Guests and networks are simulated: ${why}.`)
    if (options.foreground) {
      const onReady = () => printWelcome(state, readServer(state)!)
      // From here on the server's own lock holds; `down` must be able to take this one.
      lock.release()
      return await serve({ ...options, mode, onReady })
    }
    say('starting the cloud …')
    const started = startServer(options, mode)
    printWelcome(state, await waitForServer(state, started, options.readyTimeoutMs ?? READY_TIMEOUT_MS))
  } finally {
    lock.release()
  }
}

function waitForTurn(state: State): Lock {
  const free = takeLock(state.commandLock, 0)
  if (free) return free
  say('waiting for another strata command …')
  const lock = takeLock(state.commandLock, TURN_TIMEOUT_MS)
  if (!lock) throw new Refusal('another strata command has been busy with this state for ten minutes')
  return lock
}

/** Chooses the mode and installs what it needs. Where installing fails on a fresh state, simulates instead. */
async function prepare(state: State, asked: boolean): Promise<{ mode: Mode; why?: string | undefined }> {
  const made = readMode(state)
  const choice = chooseMode({ machine: lookAtMachine(), asked, made })
  if (choice.mode === 'simulated') return choice
  const missing = await missingPackages(await dataPlanePackages())
  if (missing?.length === 0) return choice
  const log = join(state.log, 'install.log')
  try {
    if (!missing) throw new Error('this is no Debian or Ubuntu')
    say(`installing ${missing.join(' ')} …`)
    await installPackages(missing, log)
    return choice
  } catch (error) {
    const why = `${(error as Error).message} (see ${log})`
    if (made === 'real') throw new Refusal(`packages are missing and could not be installed: ${why}`)
    return { mode: 'simulated', why }
  }
}

/** Young objects get 4 MiB instead of 32, and glibc gives freed memory back, so that large uploads leave the process small. */
const frugal = ['--max-semi-space-size=4']
const frugalMemory = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' }

function startServer(options: UpOptions, mode: Mode): { pid: number } {
  const { state } = options
  const flag = (name: string, value: string | number | undefined) =>
    value === undefined ? [] : [`--${name}`, `${value}`]
  const command = options.serverCommand ?? [
    process.execPath,
    ...frugal,
    ...process.execArgv,
    join(root, 'cli', 'main.ts'),
  ]
  const words = [
    ...command.slice(1),
    ...['serve', '--mode', mode, '--state', state.folder],
    ...flag('host', options.host),
    ...flag('port', options.port),
    ...flag('config', options.configFile),
  ]
  turnLog(state.serverLog)
  const log = openSync(state.serverLog, 'a', 0o600)
  // Detached (setsid), so that the terminal's end is not the cloud's.
  const child = spawn(command[0]!, words, {
    cwd: state.folder,
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...frugalMemory, ...process.env },
  })
  closeSync(log)
  child.unref()
  if (child.pid === undefined) throw new Refusal('the server process could not be started')
  return { pid: child.pid }
}

/** A log that has grown large becomes `.1`; the server starts a new one. */
function turnLog(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > LOG_KEPT_BYTES) renameSync(file, `${file}.1`)
}

/** Waits until the server says that it is ready and answers; relays its reason, or its log, when it fails. */
async function waitForServer(state: State, started: { pid: number }, timeoutMs: number): Promise<ServerStatus> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const status = readServer(state)
    const own = status?.pid === started.pid ? status : undefined
    if (own?.phase === 'failed') {
      await terminate(own, FAILED_GRACE_MS)
      if (own.explained) throw new Refusal(`the cloud did not start: ${own.error}`)
      throw failure(state, own.error)
    }
    if (own?.phase === 'ready' && (await askHealth(own.url!))?.status === 'ready') return own
    const gone = own ? !isAlive(own) : !exists(started.pid)
    if (gone) throw failure(state, 'the server ended while it was starting')
    if (performance.now() > end)
      throw failure(state, `not ready after ${Math.round(timeoutMs / 1000)} s; it goes on trying`)
    await sleep(20)
  }
}

/** Signal 0 also finds our own dead child before Node has reaped it; the next look does not. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function failure(state: State, why = 'it gave no reason'): Refusal {
  const tail = lastLines(state.serverLog, 15)
  const log = tail.length > 0 ? `\nLast lines of ${state.serverLog}:\n${tail.map(line => `  ${line}`).join('\n')}` : ''
  return new Refusal(`the cloud did not start: ${why}${log}`)
}

function printWelcome(state: State, { url, mode, notice }: ServerStatus): void {
  say()
  say(`The cloud is ready${mode === 'simulated' ? ' (simulated)' : ''}: ${url}`)
  say(`  logins       strata (admin), strata-demo (member of project demo), in ~/.config/openstack/clouds.yaml`)
  say(`  also in      ${state.cloudsFile}, ${state.openrcFile}`)
  if (notice) say(`  but          ${notice}`)
  say('Try:')
  say(
    '  openstack --os-cloud strata-demo server create --image tiny-linux --flavor m1.nano --network private --wait vm1',
  )
  say('  openstack --os-cloud strata-demo console log show vm1')
  say('  openstack --os-cloud strata hypervisor list')
  say('  ./strata status      ./strata down      ./strata help')
}
