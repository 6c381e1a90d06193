/** The end of every login, once it is known who is asking: all methods that the user must use, then the scope. */
import { loginFailed, notTrustee, trustExhausted } from '../../contract/errors.ts'
import { findTrust, trustChain, useTrust } from '../../store/trust.ts'
import { findUser } from '../../store/user.ts'
import type { Parts } from '../parts.ts'
import { markActive } from '../password/account.ts'
import type { Method, TokenPayload, TokenScope } from '../rules/token-payload.ts'
import { endOf } from '../trust.ts'
import { trustPlace } from './delegation.ts'
import type { Delegated, Login, Proof } from './methods/proof.ts'
import type { IssuedReceipt } from './receipt.ts'
import { isEmpty, scopeOf, trustIn } from './scope.ts'
import { withReceipt } from './second-factor.ts'
import type { IssuedToken } from './tokens.ts'

/** What was proved, by which methods, and for what. */
export interface Proven {
  readonly auth: Login['auth']
  readonly asked: readonly Method[]
  readonly proofs: readonly Proof[]
  /** Milliseconds since 1970: before anything was looked at. */
  readonly issuedAt: number
  /** That of an earlier request, as it was sent. */
  readonly receipt?: string | string[]
}

/** The token for who has proved to be somebody, or a receipt; throws as `authenticate` does. */
export async function tokenFor(parts: Parts, proven: Proven): Promise<IssuedToken | IssuedReceipt> {
  const { auth, asked, proofs, issuedAt } = proven
  const userId = proofs[0]!.userId
  const from = proofs.find(proof => proof.from)?.from
  const used = [...(from?.methods ?? []), ...asked]
  const { methods, receipt } = await withReceipt(parts, { userId, methods: used, shown: proven.receipt })
  if (receipt) return receipt
  const trustId = trustIn(auth)
  const delegation =
    trustId === undefined ? proofs.find(proof => proof.delegation)?.delegation : await byTrust(parts, userId, trustId)
  const about = {
    userId: delegation?.actsAs ?? userId,
    methods,
    issuedAt,
    from,
    delegation: delegation?.by,
    notAfter: delegation?.notAfter,
    // Who acts by delegation has what was delegated, not what its own groups have.
    federation: delegation ? undefined : proofs.find(proof => proof.federation)?.federation,
  }
  const issue = (scope: TokenScope) => parts.tokens.issue({ ...about, scope })
  const token = await (delegation
    ? issue(delegation.scope)
    : auth.scope === undefined || isEmpty(auth.scope)
      ? issueDefault(parts, about, issue)
      : issue(await scopeOf(parts.store.db, auth.scope)))
  if (!token) throw loginFailed()
  if (trustId !== undefined && !(await useTrust(parts.store.db, trustId))) throw trustExhausted(trustId)
  // What was made from a token or a delegation shows a program at work, not that its user is still there.
  if (proofs.some(proof => !proof.from && !proof.delegation)) await markActive(parts, userId)
  return token
}

async function byTrust(parts: Parts, userId: string, id: string): Promise<Delegated> {
  const trust = await findTrust(parts.store.db, id)
  if (!trust) throw loginFailed()
  if (trust.trustee_user_id !== userId) throw notTrustee()
  const ends = (await trustChain(parts.store.db, trust)).map(one => endOf(one) ?? Number.POSITIVE_INFINITY)
  const notAfter = Math.min(...ends)
  if (notAfter <= parts.runtime.now()) throw loginFailed()
  const { userId: actsAs, scope } = trustPlace(trust)
  return { by: { type: 'trust', id }, actsAs, scope, notAfter }
}

/** The user's default project where that is possible, else a token without a scope. */
async function issueDefault(
  parts: Parts,
  { userId, federation }: Pick<TokenPayload, 'userId' | 'federation'>,
  issue: (scope: TokenScope) => Promise<IssuedToken | undefined>,
): Promise<IssuedToken | undefined> {
  // Clients that come from an identity provider begin without a scope, and look where they may go.
  if (federation) return issue({ type: 'unscoped' })
  const user = await findUser(parts.store.db, userId)
  const id = user?.default_project_id ?? undefined
  const token = id === undefined ? undefined : await issue({ type: 'project', id })
  return token ?? issue({ type: 'unscoped' })
}
