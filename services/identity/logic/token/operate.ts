/** Keys in the operator's hands: what there is, and changing them, while the service runs or while it does not. */
import type { Runtime } from '@strata/toolkit/runtime'
import { openStore } from '@strata/toolkit/store'
import type { IdentityConfig } from '../../contract/config.ts'
import { migrations } from '../../store/migrations/index.ts'
import type { Tables } from '../../store/tables.ts'
import { createVault, rotateVault } from '../vault.ts'
import type { ListedKey } from './key-folder.ts'
import { openCredentialKeys, openRing, type RingName, ringNames, ringsIn } from './rings.ts'

export interface KeyPlace {
  /** Of the service's files. */
  readonly folder: string
  readonly databaseUrl: string
  readonly runtime: Runtime
  readonly config: IdentityConfig
}

export interface RingReport {
  readonly name: string
  /** Hours after which the service changes its key by itself; 0: never. */
  readonly everyHours: number
  readonly keys: readonly ListedKey[]
}

/** What keys there may be: `tokens`, … */
export const keyRingNames: readonly string[] = ringNames

export function reportKeys(place: KeyPlace): RingReport[] {
  const { key_rotation_hours: tokens, credential_key_rotation_hours: credentials } = place.config
  return ringsIn(place.folder).map(name => ({
    name,
    everyHours: name === 'credentials' ? credentials : tokens,
    keys: openRing(name, place).list(),
  }))
}

/**
 * Changes the key, of a service that may be running. False when there are no such keys, or another process is changing them
 * just now.
 */
export async function changeKey(name: string, place: KeyPlace): Promise<boolean> {
  if (!ringsIn(place.folder).includes(name as RingName)) return false
  if (name !== 'credentials') return openRing(name as RingName, place).rotate()
  const keys = openCredentialKeys(place)
  const store = await openStore<Tables>({ url: place.databaseUrl, migrations })
  try {
    return await rotateVault({ keys, vault: createVault({ keys, runtime: place.runtime }), store })
  } finally {
    await store.close()
  }
}
