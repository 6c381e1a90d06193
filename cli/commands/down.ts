/** `strata down` ends the control plane; instances go on. With `--all`, guests and data plane daemons end too. */
import { existsSync, rmSync } from 'node:fs'
import { type CloudModule, loadCloud } from '../cloud.ts'
import { takeLock } from '../lock.ts'
import { Refusal, say, warn } from '../print.ts'
import { isAlive, pidFiles, terminate } from '../process.ts'
import { createState, readServer, type State } from '../state.ts'

const GRACE_MS = 20_000

export interface DownOptions {
  readonly state: State
  readonly all: boolean
  readonly load?: () => Promise<CloudModule>
}

export async function down({ state, all, load = loadCloud }: DownOptions): Promise<void> {
  if (!existsSync(state.folder)) return say('The cloud is not running.')
  await alone(state, async () => {
    await stopServer(state)
    if (all) await stopDataPlane(state, load)
    else sayWhatGoesOn(state)
  })
}

/** Runs `action` while no other command works on the state. */
export async function alone(state: State, action: () => Promise<void>): Promise<void> {
  createState(state)
  const lock = takeLock(state.commandLock, 60_000)
  if (!lock) throw new Refusal('another strata command is busy with this state')
  try {
    await action()
  } finally {
    lock.release()
  }
}

function sayWhatGoesOn(state: State): void {
  const count = pidFiles(state.folder).filter(one => one.process).length
  if (count > 0) say(`${count} ${count === 1 ? 'guest goes' : 'guests go'} on running; "down --all" ends guests too.`)
}

export async function stopServer(state: State): Promise<void> {
  const server = readServer(state)
  if (!server || !isAlive(server)) {
    rmSync(state.serverFile, { force: true })
    return say('The cloud is not running.')
  }
  const how = await terminate(server, GRACE_MS)
  if (how === 'killed') warn(`the server did not end within ${GRACE_MS / 1000} s and was killed; nothing is lost`)
  rmSync(state.serverFile, { force: true })
  say('The control plane is down.')
}

/** First as the cloud knows how; then whatever of this state still has a pid file and a process. */
export async function stopDataPlane(state: State, load: () => Promise<CloudModule>): Promise<void> {
  const clouds = await load()
  await clouds.stopDataPlane({ state: state.folder })
  const left = pidFiles(state.folder).flatMap(one => one.process ?? [])
  await Promise.all(left.map(one => terminate(one, 5_000)))
  say('Guests and data plane daemons are down.')
}
