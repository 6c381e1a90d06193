/** The keys of a cloud, for the operator's command. They are files: it does not matter whether the cloud runs. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { identityConfig } from '@strata/identity/contract'
import { changeKey, type KeyPlace, keyRingNames, type RingReport, reportKeys } from '@strata/identity/service'
import { ConfigError, loadConfig } from '@strata/toolkit/config'
import { systemRuntime } from '@strata/toolkit/runtime'
import { sections } from './cloud.ts'
import { databaseUrls } from './databases.ts'
import { keptConfig } from './kept-config.ts'

/** Rings of keys with their keys. Throws `ConfigError` where there is no cloud. */
export const keysOf = ({ state }: { readonly state: string }): RingReport[] => reportKeys(placeOf(state))

/** Changes the keys of a ring, or of all; says of which. Throws `ConfigError` when that cannot be. */
export async function changeKeys(options: { readonly state: string; readonly name?: string }): Promise<string[]> {
  const { state, name } = options
  const place = placeOf(state)
  if (name !== undefined && !keyRingNames.includes(name))
    throw new ConfigError(`there are no keys of ${name}; known: ${keyRingNames.join(', ')}`)
  const present = reportKeys(place).map(ring => ring.name)
  if (name !== undefined && !present.includes(name)) throw new ConfigError(`this cloud has no keys of ${name}`)
  const changed: string[] = []
  for (const ring of name === undefined ? present : [name]) {
    if (!(await changeKey(ring, place)))
      throw new ConfigError(`the keys of ${ring} are being changed by another process; try again`)
    changed.push(ring)
  }
  return changed
}

function placeOf(state: string): KeyPlace {
  const folder = join(state, 'identity')
  if (!existsSync(folder)) throw new ConfigError(`${state} has no keys: no cloud was started there`)
  const config = loadConfig({ path: keptConfig(state), known: sections })
  const own = config.section(identityConfig)
  return { folder, databaseUrl: databaseUrls(state, config)('identity'), runtime: systemRuntime, config: own }
}
