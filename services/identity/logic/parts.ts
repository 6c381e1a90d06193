/** What the parts of identity's logic share: its store, clock, options, passwords, tokens, vault, directories, and the way to say that something changed. */
import type { Runtime } from '@strata/toolkit/runtime'
import type { AfterCommit } from '@strata/toolkit/store'
import type { IdentityConfig } from '../contract/config.ts'
import type { Validity } from '../store/expiring-membership.ts'
import type { IdentityStore } from '../store/tables.ts'
import type { Directories } from './directory/directories.ts'
import type { IsEnabled } from './password/enabled.ts'
import type { Passwords } from './password/hash.ts'
import type { Throttle } from './password/throttle.ts'
import type { LoginMemory } from './token/memory.ts'
import type { Receipts } from './token/receipt.ts'
import type { Tokens } from './token/tokens.ts'
import type { Vault } from './vault.ts'

export interface Parts {
  readonly store: IdentityStore
  readonly runtime: Runtime
  readonly config: IdentityConfig
  readonly passwords: Passwords
  readonly tokens: Tokens
  readonly memory: LoginMemory
  readonly vault: Vault
  readonly directories: Directories
  readonly receipts: Receipts
  readonly throttle: Throttle
  readonly isEnabled: IsEnabled
  /** Once the transaction is through, what was known of tokens is forgotten, here and in every service. */
  changed(afterCommit: AfterCommit): void
}

/** When memberships that an identity provider vouched for hold. */
export const validityOf = ({ runtime, config }: Pick<Parts, 'runtime' | 'config'>): Validity => ({
  now: runtime.now(),
  defaultTtl: config.default_authorization_ttl,
})

/** A new id as Keystone has them: a UUID without hyphens. */
export const newId = (runtime: Runtime): string => runtime.uuid().replaceAll('-', '')
