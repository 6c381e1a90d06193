/** By a request that a consumer of OAuth 1.0 signed with an access token. The scope is that of the access token, whatever is asked for. */
import { Fault } from '@strata/toolkit/fault'
import { delegationScoped, expectedToFind, loginFailed } from '../../../contract/errors.ts'
import { findAccessToken, findConsumer } from '../../../store/oauth1.ts'
import { oauth1HeaderOf, requireSigned } from '../../oauth1/signed.ts'
import { hasEnded } from '../../oauth1/tokens.ts'
import type { Parts } from '../../parts.ts'
import { trustIn } from '../scope.ts'
import type { Login, Proof } from './proof.ts'

export async function byOAuth1(parts: Parts, login: Login): Promise<Proof> {
  const header = oauth1HeaderOf(login)
  if (header.token === undefined) throw expectedToFind('oauth_token', 'request')
  // By a trust it would get what was handed to its user by others.
  if (trustIn(login.auth) !== undefined) throw delegationScoped()
  const { store, vault, runtime } = parts
  const access = await findAccessToken(store.db, header.token)
  const consumer = access && (await findConsumer(store.db, access.consumer_id))
  if (!access || !consumer || consumer.id !== header.consumerKey || hasEnded(access, runtime.now())) throw loginFailed()
  const secrets = { consumer: vault.open(consumer.sealed_secret), token: vault.open(access.sealed_secret) }
  const { headers, sentTo } = login
  if (!sentTo) throw loginFailed()
  await requireSigned(parts, { headers, ...sentTo }, header, secrets).catch(thrown => {
    throw thrown instanceof Fault ? loginFailed() : thrown
  })
  return {
    userId: access.authorizing_user_id,
    delegation: {
      by: { type: 'access_token', id: access.id },
      scope: { type: 'project', id: access.project_id },
      notAfter: access.expires_at ?? undefined,
    },
  }
}
