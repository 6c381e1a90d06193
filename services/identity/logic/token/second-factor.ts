/** Whether a login used all methods that its user must use, in this request and in those before it that its receipt tells of. */
import { loginFailed } from '../../contract/errors.ts'
import { findDomain } from '../../store/project.ts'
import { findUser } from '../../store/user.ts'
import type { Parts } from '../parts.ts'
import { optionsOf } from '../password/enabled.ts'
import { begunRules, isSatisfied, rulesOf } from '../rules/mfa.ts'
import type { Method } from '../rules/token-payload.ts'
import { isLoginMethod } from './methods/names.ts'
import { type IssuedReceipt, isReceiptRevoked, receiptBody } from './receipt.ts'

export interface Factors {
  /** All that were used. */
  readonly methods: readonly Method[]
  /** Present when they are not enough: the answer. */
  readonly receipt?: IssuedReceipt
}

/**
 * `methods` were used in this request, or to get the token that it shows; `shown` is the receipt that came with it, as it was
 * sent. Throws `loginFailed()` for a receipt that is not (any more) one of this user.
 */
export async function withReceipt(
  parts: Parts,
  about: {
    readonly userId: string
    readonly methods: readonly Method[]
    readonly shown: string | string[] | undefined
  },
): Promise<Factors> {
  const { userId, methods, shown } = about
  const { db } = parts.store
  const user = await findUser(db, userId)
  const domain = user && (await findDomain(db, { id: user.domain_id }))
  if (!user || !domain?.enabled || !(await parts.isEnabled(db, user))) throw loginFailed()
  const before = shown === undefined ? undefined : parts.receipts.open(String(shown))
  if (shown !== undefined && (before?.userId !== userId || (await isReceiptRevoked(db, before, domain.id))))
    throw loginFailed()
  const used = [...new Set([...methods, ...((before?.methods ?? []) as readonly Method[])])]
  const rules = rulesOf(optionsOf(user), isLoginMethod)
  if (isSatisfied(rules, used)) return { methods: used }
  const receipt = parts.receipts.issue({ userId, methods: used })
  const body = receiptBody({ receipt, user, domain, required: begunRules(rules, used) })
  return { methods: used, receipt: { receipt: receipt.text, body: JSON.stringify(body) } }
}
