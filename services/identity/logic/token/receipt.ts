/**
 * Receipts: what a login gets that used some of the methods that its user's rules ask for, and not all. It says who proved
 * what, for a short time; handed back with the other methods it completes the login. It is a Fernet message under keys of
 * its own, so that a receipt can never pass for a token.
 */
import { isoTime, type Runtime, toMicroseconds } from '@strata/toolkit/runtime'
import { isRevoked } from '../../store/revocation.ts'
import type { Db } from '../../store/tables.ts'
import type { UserRow } from '../../store/user.ts'
import { decrypt, encrypt } from '../rules/fernet.ts'
import type { MfaRule } from '../rules/mfa.ts'
import type { KeyRepository } from './keys.ts'

export interface Receipt {
  readonly userId: string
  readonly methods: readonly string[]
  /** Milliseconds since 1970. */
  readonly issuedAt: number
  readonly expiresAt: number
}

export interface IssuedReceipt {
  /** What is handed back. */
  readonly receipt: string
  /** JSON text of the answer. */
  readonly body: string
}

export interface Receipts {
  issue(about: Pick<Receipt, 'userId' | 'methods'>): Receipt & { readonly text: string }
  /** Undefined when it is none of this cloud, or has ended. */
  open(text: string): Receipt | undefined
}

export function createReceipts(options: {
  readonly keys: KeyRepository
  readonly runtime: Runtime
  /** Milliseconds. */
  readonly lifetime: number
}): Receipts {
  const { keys, runtime, lifetime } = options
  return {
    issue({ userId, methods }) {
      const now = runtime.now()
      const receipt: Receipt = { userId, methods, issuedAt: now, expiresAt: now + lifetime }
      const message = Buffer.from(JSON.stringify(receipt))
      const text = encrypt({ key: keys.primary(), message, now, iv: runtime.bytes(16) }).replaceAll('=', '')
      return { ...receipt, text }
    },
    open(text) {
      // The longest that this service makes is far below; what is longer is not worth a look.
      const opened = text.length > 2048 ? undefined : decrypt(keys.all(), text)
      if (!opened) return undefined
      const receipt = JSON.parse(opened.message.toString('utf8')) as Receipt
      return receipt.expiresAt > runtime.now() ? receipt : undefined
    },
  }
}

/** As tokens it ends when all of the user's do: with a change of its password, say. */
export const isReceiptRevoked = (db: Db, { userId, issuedAt }: Receipt, domainId: string): Promise<boolean> =>
  isRevoked(db, { userIds: [userId], domainIds: [domainId], issuedAt })

/** The answer that carries one; `required`: the rules that can be completed. */
export function receiptBody(about: {
  readonly receipt: Receipt
  readonly user: UserRow
  readonly domain: { readonly id: string; readonly name: string }
  readonly required: readonly MfaRule[]
}): object {
  const { receipt, user, domain, required } = about
  return {
    receipt: {
      methods: receipt.methods,
      user: { id: user.id, name: user.name, domain: { id: domain.id, name: domain.name } },
      expires_at: toMicroseconds(isoTime(receipt.expiresAt)),
      issued_at: toMicroseconds(isoTime(receipt.issuedAt)),
    },
    required_auth_methods: required,
  }
}
