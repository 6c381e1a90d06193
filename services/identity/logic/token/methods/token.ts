/** By a token that one has: for another scope, or for the same with a chain that goes on. */
import { delegationScoped, expectedToFind, loginFailed, tokenNotFound } from '../../../contract/errors.ts'
import { callersThumbprint } from '../../client-certificate.ts'
import type { Parts } from '../../parts.ts'
import type { TokenScope } from '../../rules/token-payload.ts'
import { scopeOf, trustIn } from '../scope.ts'
import type { Login, Proof } from './proof.ts'

export async function byToken(parts: Parts, login: Login): Promise<Proof> {
  const { auth } = login
  if (!auth.identity.token) throw expectedToFind('token', 'identity')
  const token = await parts.tokens.check(auth.identity.token.id)
  if (!token) throw tokenNotFound()
  const from = token.payload
  const { userId, scope, delegation: by } = from
  if (!by) return { userId, from, federation: from.federation }
  if (by.type === 'certificate' && by.id !== callersThumbprint(parts.config, login)) throw loginFailed()
  // Each token by a trust is one of its uses, and each by an access token is signed for.
  if (by.type === 'trust' || by.type === 'access_token' || trustIn(auth) !== undefined) throw delegationScoped()
  // Elsewhere, or unscoped, it would be free of the limits under which it was given.
  if (auth.scope !== undefined && !sameScope(scope, await scopeOf(parts.store.db, auth.scope))) throw delegationScoped()
  return { userId, from, delegation: { by, scope } }
}

const sameScope = (one: TokenScope, other: TokenScope): boolean =>
  one.type === other.type && 'id' in one && 'id' in other && one.id === other.id
