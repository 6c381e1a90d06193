/** `strata serve`: the server process itself. `up` starts it in the background; `up --foreground` runs it here. */
import { rmSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Cloud, CloudModule } from '../cloud.ts'
import { loadCloud } from '../cloud.ts'
import { userCloudsFile, writeCredentials } from '../credentials.ts'
import { takeLock } from '../lock.ts'
import { Refusal, refusalOf } from '../print.ts'
import { inspect } from '../process.ts'
import { createState, type Mode, readMode, type ServerStatus, type State, writeWhole } from '../state.ts'

export interface ServeOptions {
  readonly state: State
  readonly mode: Mode
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly configFile?: string | undefined
  /** Told when the cloud is ready; `up --foreground` prints its addresses then. */
  readonly onReady?: (cloud: Cloud) => void
  readonly load?: () => Promise<CloudModule>
}

/** Serves until SIGTERM or SIGINT. Rejects when the cloud cannot start; the status file then says why. */
export async function serve(options: ServeOptions): Promise<void> {
  const { state, mode } = options
  createState(state)
  const lock = takeLock(state.serverLock, 0)
  if (!lock) throw new Refusal(`another server works on ${state.folder}`)
  const { pid, startTicks } = inspect(process.pid)!
  const tell = (rest: Pick<ServerStatus, 'phase' | 'url' | 'notice' | 'error' | 'explained'>) =>
    writeWhole(state.serverFile, `${JSON.stringify({ pid, startTicks, mode, ...rest })}\n`)
  tell({ phase: 'starting' })
  if (!readMode(state)) writeWhole(state.settingsFile, `${JSON.stringify({ mode })}\n`)

  const stopAsked = new Promise<void>(resolve => {
    process.once('SIGTERM', () => resolve()).once('SIGINT', () => resolve())
  })
  try {
    const clouds = await (options.load ?? loadCloud)()
    const guestImage = mode === 'real' ? guestImageOf(state) : undefined
    const cloud = await clouds.startCloud({ state: state.folder, mode, ...pick(options), guestImage })
    const { cloudsFile, openrcFile } = state
    const userFile = userCloudsFile(homedir())
    const notice = writeCredentials({ cloud, cloudsFile, openrcFile, userFile })
    tell({ phase: 'ready', url: cloud.url, ...(notice && { notice }) })
    // Node writes its compile cache at exit, which a server that is killed never reaches.
    flushCompileCache()
    forgetStart()
    options.onReady?.(cloud)
    await stopAsked
    await cloud.stop()
    rmSync(state.serverFile, { force: true })
  } catch (error) {
    const refusal = refusalOf(error)
    const why = refusal ?? error
    tell({ phase: 'failed', error: why instanceof Error ? why.message : String(why), explained: refusal !== undefined })
    throw error
  } finally {
    lock.release()
  }
}

/** The image `tiny-linux`, made from Debian's packages when the cloud first asks for it, and kept in the state folder. */
const guestImageOf = (state: State) => async (log: (message: string) => void) => {
  const { buildTinyLinux } = await import('@strata/tools/tiny-linux')
  const outDir = join(state.folder, 'tiny-linux')
  return (await buildTinyLinux({ outDir, cacheDir: join(outDir, 'packages'), log })).qcow2
}

/** Frees what only the start needed (compiled sources, first-run requests), which V8 would keep for as long as it has no use for the room. */
function forgetStart(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

const pick = ({ host, port, configFile }: ServeOptions) => ({ host, port, configFile })
