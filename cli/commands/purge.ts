/** `strata purge`: removes the cloud and everything it made on this machine, except Debian packages. */
import { existsSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { type CloudModule, loadCloud } from '../cloud.ts'
import { removeCredentials, userCloudsFile } from '../credentials.ts'
import { Refusal, say, warn } from '../print.ts'
import { readMode, root, type State } from '../state.ts'
import { down } from './down.ts'

export interface PurgeOptions {
  readonly state: State
  readonly load?: () => Promise<CloudModule>
}

export async function purge({ state, load = loadCloud }: PurgeOptions): Promise<void> {
  if (!existsSync(state.folder)) return say(`There is nothing at ${state.folder}.`)
  refuseStranger(state)
  await down({ state, all: true, load })
  const clouds = await load()
  await clouds.removeDataPlane({ state: state.folder })
  const complaint = removeCredentials({ cloudsFile: state.cloudsFile, userFile: userCloudsFile(homedir()) })
  if (complaint) warn(complaint)
  rmSync(state.folder, { recursive: true, force: true })
  say(`Removed ${state.folder}, its guests, networks and logins.`)
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
