/** Login: who is asking, by one method or several, that agree. What it comes to is in `complete.ts`. */
import { loginFailed, unsupportedMethod } from '../../contract/errors.ts'
import type { Parts } from '../parts.ts'
import type { Method } from '../rules/token-payload.ts'
import { attemptOf } from './attempt.ts'
import { tokenFor } from './complete.ts'
import { proverOf } from './methods/index.ts'
import type { Login, Proof } from './methods/proof.ts'
import type { IssuedReceipt } from './receipt.ts'
import type { IssuedToken } from './tokens.ts'

/**
 * Throws a 401 in the same words whatever was wrong; a 400 for a request that makes no sense. A receipt comes out where the
 * rules of the user ask for more methods.
 */
export async function authenticate(parts: Parts, login: Login): Promise<IssuedToken | IssuedReceipt> {
  // `issuedAt` is taken before anything is looked at: a password that is changed meanwhile ends this token too.
  const { auth } = login
  const issuedAt = parts.runtime.now()
  const asked = [...new Set(auth.identity.methods)]
  const { memory } = parts
  const key = memory.keyOf(login)
  const remember = memory.rememberer()
  const found = await parts.throttle.attempt(
    attemptOf(login, parts.config),
    async () => (key === undefined ? undefined : memory.recall(key, issuedAt)) ?? proveAll(parts, login, asked),
  )
  if ('text' in found) return found
  const shown = login.headers['openstack-auth-receipt']
  const result = await tokenFor(parts, { auth, asked: asked as Method[], proofs: found, issuedAt, receipt: shown })
  if (key !== undefined && 'text' in result) remember(key, result)
  return result
}

async function proveAll(parts: Parts, login: Login, asked: readonly string[]): Promise<Proof[]> {
  const proofs: Proof[] = []
  for (const method of asked) {
    const prove = proverOf(method)
    if (!prove) throw unsupportedMethod()
    proofs.push(await prove(parts, login))
  }
  // Of several methods all must agree; that they don't tells that one was another's, and counts as a failure.
  if (proofs.some(proof => proof.userId !== proofs[0]!.userId)) throw loginFailed()
  return proofs
}
