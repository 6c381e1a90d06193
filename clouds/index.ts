/** What the operator's command asks of a composition. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describeConfig, loadConfig } from '@strata/toolkit/config'
import { createLog } from '@strata/toolkit/log'
import { systemRuntime } from '@strata/toolkit/runtime'
import { sections } from './cloud.ts'
import { cloudConfig } from './config.ts'
import { keptConfig } from './kept-config.ts'
import { readPolicyFile } from './policy-file.ts'

export { type Cloud, type CloudOptions, type Login, type Mode, startCloud } from './cloud.ts'
export { copyDatabases, type DatabaseReport, databasesOf, migrateDatabases } from './database-tools.ts'
export { changeKeys, keysOf } from './keys.ts'

/** Ends guests and the data plane's daemons. The control plane must be down. Finding nothing is success. */
export async function stopDataPlane({ state }: { readonly state: string }): Promise<void> {
  const { isReal, stopRealEngine } = await import('./engine-real.ts')
  if (!isReal(state)) return rm(join(state, 'simulated'), { recursive: true, force: true })
  const log = createLog({ level: 'warn' })
  await stopRealEngine({
    state,
    config: loadConfig({ path: keptConfig(state), known: sections }),
    log,
    runtime: systemRuntime,
  })
}

/** Removes what lies outside of the state folder. A stopped data plane has nothing there, so this is to stop it. */
export const removeDataPlane = (options: { readonly state: string }): Promise<void> => stopDataPlane(options)

/** Loads the modules that otherwise wait until a mode is chosen. */
export async function loadEngines(): Promise<void> {
  await Promise.all([import('./engine-real.ts'), import('./engine-simulated.ts')])
}

/** Throws `ConfigError` when no cloud would start with this `strata.yaml`, or with the policy file that it names. */
export function checkConfig(file: string): void {
  readPolicyFile(loadConfig({ path: file, known: sections }).section(cloudConfig).policy_file)
}

/** Every option of `strata.yaml`, with its default and help, as text. */
export const configReference = (): string => describeConfig(sections)
