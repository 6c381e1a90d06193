/** `strata purge`: removes the cloud and everything it made on this machine, except Debian packages. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { type CloudModule, loadCloud } from '../cloud.ts'
import { removeCredentials, userCloudsFile } from '../credentials.ts'
import { Refusal, say, warn } from '../print.ts'
import { readMode, root, type State } from '../state.ts'
import { alone, stopDataPlane, stopServer } from './down.ts'

export interface PurgeOptions {
  readonly state: State
  readonly load?: () => Promise<CloudModule>
}

export async function purge({ state, load = loadCloud }: PurgeOptions): Promise<void> {
  if (!existsSync(state.folder)) return say(`There is nothing at ${state.folder}.`)
  refuseStranger(state)
  // The lock is held to the end: a second purge, or an `up`, waits, and then finds that the folder is gone.
  await alone(state, async () => {
    await stopServer(state)
    await stopDataPlane(state, load)
    await (await load()).removeDataPlane({ state: state.folder })
    const complaint = removeCredentials({ cloudsFile: state.cloudsFile, userFile: userCloudsFile(homedir()) })
    if (complaint) warn(complaint)
    removeFolder(state)
  })
  say(`Removed ${state.folder}, its guests, networks and logins.`)
}

/** What shows that the folder is a cloud's goes last, so that a purge that was cut off can be called again. */
function removeFolder({ folder, run, settingsFile }: State): void {
  const marks = [run, settingsFile].map(file => basename(file))
  for (const entry of readdirSync(folder).filter(name => !marks.includes(name)))
    rmSync(join(folder, entry), { recursive: true, force: true })
  rmSync(folder, { recursive: true, force: true })
}

/** A mistyped `--state` must not cost a home folder. */
function refuseStranger(state: State): void {
  const { folder } = state
  const around = [root, homedir()].some(one => `${one}/`.startsWith(folder === '/' ? '/' : `${folder}/`))
  if (around) throw new Refusal(`${folder} will not be removed`)
  if (!readMode(state) && !existsSync(state.commandLock)) {
    throw new Refusal(`${folder} does not look like the state of a cloud; it was left alone`)
  }
}
