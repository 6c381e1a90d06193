/** The rings of keys that the service has, by the names that operators know them by, and where each lies. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Runtime } from '@strata/toolkit/runtime'
import type { IdentityConfig } from '../../contract/config.ts'
import { formatOf, type TokenFormat } from './format.ts'
import { fernetFormat } from './format-fernet.ts'
import { jwsFormat } from './format-jws.ts'
import { type JwsKeys, openJwsKeys } from './jws-keys.ts'
import type { KeyRing } from './key-folder.ts'
import { type KeyRepository, openKeys } from './keys.ts'

export type RingName = 'tokens' | 'jws' | 'receipts' | 'credentials'

const folders: Readonly<Record<RingName, string>> = {
  tokens: 'fernet-keys',
  jws: 'jws-keys',
  receipts: 'receipt-keys',
  credentials: 'credential-keys',
}

export const ringNames = Object.keys(folders) as RingName[]

interface Place {
  /** Of the service's files. */
  readonly folder: string
  readonly runtime: Runtime
  readonly config: IdentityConfig
}

/** How long what a key made may be shown to us, in milliseconds. */
const tokensLast = ({ token_expiration: lifetime, allow_expired_window: after }: IdentityConfig) =>
  (lifetime + after) * 1000

const openers = {
  tokens: ({ folder, runtime, config }: Place): KeyRepository =>
    openKeys({
      folder: join(folder, folders.tokens),
      runtime,
      maxActive: config.max_active_keys,
      keepFor: tokensLast(config),
    }),
  jws: ({ folder, runtime, config }: Place): JwsKeys =>
    openJwsKeys({
      folder: join(folder, folders.jws),
      runtime,
      maxActive: config.max_active_keys,
      keepFor: tokensLast(config),
    }),
  receipts: ({ folder, runtime, config }: Place): KeyRepository =>
    openKeys({
      folder: join(folder, folders.receipts),
      runtime,
      maxActive: 3,
      keepFor: config.receipt_expiration * 1000,
    }),
  // Nothing rests on a key of these that was replaced: all is encrypted anew.
  credentials: ({ folder, runtime }: Place): KeyRepository =>
    openKeys({ folder: join(folder, folders.credentials), runtime, maxActive: 3 }),
} satisfies Record<RingName, (place: Place) => KeyRing>

/** Those that have been made; a service that never signed tokens has no keys for that. */
export const ringsIn = (folder: string): RingName[] => ringNames.filter(name => existsSync(join(folder, folders[name])))

export const openCredentialKeys = (place: Place): KeyRepository => openers.credentials(place)

export const openRing = (name: RingName, place: Place): KeyRing => openers[name](place)

export interface Rings {
  readonly format: TokenFormat
  readonly credentials: KeyRepository
  readonly receipts: KeyRepository
  /** Those that are simply changed when they have served their time, and for what they are. */
  readonly changing: readonly { readonly keys: KeyRing; readonly purpose: string }[]
}

/** Opens those that the service needs. Tokens of the form that is not made any more can be read while there are keys. */
export function openRings(place: Place): Rings {
  const jwsFirst = place.config.token_provider === 'jws'
  const tokens = openers.tokens(place)
  const jws = jwsFirst || ringsIn(place.folder).includes('jws') ? openers.jws(place) : undefined
  const receipts = openers.receipts(place)
  const fernet = fernetFormat({ keys: tokens, runtime: place.runtime })
  const signed = jws && jwsFormat(jws)
  return {
    format: !signed ? formatOf(fernet) : jwsFirst ? formatOf(signed, fernet) : formatOf(fernet, signed),
    credentials: openers.credentials(place),
    receipts,
    changing: [
      { keys: tokens, purpose: 'tokens' },
      { keys: receipts, purpose: 'receipts' },
      ...(jws ? [{ keys: jws, purpose: 'signed tokens' }] : []),
    ],
  }
}
