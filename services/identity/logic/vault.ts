/**
 * Keeps secrets encrypted in the database, by keys that are not in it. A key is changed in two steps, so that none is ever
 * dropped that something is still encrypted with.
 */
import type { Runtime } from '@strata/toolkit/runtime'
import { resealAll } from '../store/sealed.ts'
import type { IdentityStore } from '../store/tables.ts'
import { decrypt, encrypt } from './rules/fernet.ts'
import type { KeyRepository } from './token/keys.ts'

export interface Vault {
  seal(text: string): string
  /** Throws when none of the keys fits. */
  open(sealed: string): string
}

export function createVault({ keys, runtime }: { readonly keys: KeyRepository; readonly runtime: Runtime }): Vault {
  return {
    seal: text =>
      encrypt({ key: keys.primary(), message: Buffer.from(text), now: runtime.now(), iv: runtime.bytes(16) }),
    open(sealed) {
      let opened = decrypt(keys.all(), sealed)
      // Another process may have changed the key.
      if (!opened && keys.reloadIfChanged()) opened = decrypt(keys.all(), sealed)
      if (!opened) throw new Error('no key fits an encrypted credential: are the files of credential-keys those of it?')
      return opened.message.toString('utf8')
    },
  }
}

/**
 * Encrypts everything with the present key, then changes it, and encrypts everything with the new one. False when another
 * process is changing it.
 */
export async function rotateVault(options: {
  readonly keys: KeyRepository
  readonly vault: Vault
  readonly store: IdentityStore
}): Promise<boolean> {
  const { keys, vault, store } = options
  const sealAll = () => store.transaction(tx => resealAll(tx, sealed => vault.seal(vault.open(sealed))))
  await sealAll()
  if (!keys.rotate()) return false
  await sealAll()
  return true
}
