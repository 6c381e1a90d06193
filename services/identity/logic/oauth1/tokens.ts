/** Request tokens and access tokens of OAuth 1.0. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { RequestContext } from '@strata/toolkit/context'
import { unauthorized } from '@strata/toolkit/fault'
import type { AuthorizeRequest } from '../../contract/consumer.ts'
import { expectedToFind, missing, refusedAction } from '../../contract/errors.ts'
import {
  type AccessTokenRow,
  accessTokensOf,
  addAccessToken,
  addRequestToken,
  authorizeRequestToken,
  findAccessToken,
  findConsumer,
  findRequestToken,
  type RequestTokenRow,
  removeAccessToken,
  removeRequestToken,
} from '../../store/oauth1.ts'
import { findProject } from '../../store/project.ts'
import { allRoles, type RoleRow } from '../../store/role.ts'
import { findRoleBy } from '../application-credential.ts'
import { effectiveRoles } from '../assignment/effective.ts'
import { newId, type Parts, validityOf } from '../parts.ts'
import { newSecret, newVerifier } from './secret.ts'
import { type OAuth1Request, oauth1HeaderOf, requireSigned } from './signed.ts'

/** What a consumer gets; the secret is shown this once. */
export interface IssuedSecret {
  readonly id: string
  readonly secret: string
  /** Milliseconds since 1970; null: never. */
  readonly expiresAt: number | null
}

export type AccessToken = AccessTokenRow

export function oauth1Logic(parts: Parts) {
  const { store, vault, runtime, config } = parts
  const { db } = store
  const endOf = (seconds: number) => (seconds === 0 ? null : runtime.now() + seconds * 1000)
  const requestToken = async (id: string): Promise<RequestTokenRow> => {
    const row = await findRequestToken(db, id)
    if (!row) throw missing('request_token', id)
    if (hasEnded(row, runtime.now())) throw unauthorized('Request token is expired')
    return row
  }
  return {
    async requestToken(request: OAuth1Request): Promise<IssuedSecret> {
      const header = oauth1HeaderOf(request)
      const projectId = request.headers['requested-project-id']
      if (typeof projectId !== 'string' || projectId === '') throw expectedToFind('Requested-Project-Id', 'request')
      // A request that is sent to and fro by people's hands says so (`oob`).
      if (header.callback === undefined) throw expectedToFind('oauth_callback', 'request')
      const consumer = await findConsumer(db, header.consumerKey)
      if (!consumer) throw missing('consumer', header.consumerKey)
      await requireSigned(parts, request, header, { consumer: vault.open(consumer.sealed_secret) })
      if (!(await findProject(db, projectId))) throw missing('project', projectId)
      const made = { id: newId(runtime), secret: newSecret(runtime), expiresAt: endOf(config.request_token_duration) }
      await store.transaction(tx =>
        addRequestToken(
          tx,
          {
            id: made.id,
            sealed_secret: vault.seal(made.secret),
            consumer_id: consumer.id,
            project_id: projectId,
            authorizing_user_id: null,
            verifier_hash: null,
            role_ids: '[]',
            expires_at: made.expiresAt,
          },
          runtime.now(),
        ),
      )
      return made
    },
    /** The verifier: whoever knows it was told by the user. */
    async authorize(context: RequestContext, id: string, { roles = [] }: AuthorizeRequest): Promise<string> {
      refuseDelegated(context)
      const row = await requestToken(id)
      const wanted = await Promise.all(roles.map(ref => findRoleBy(db, ref)))
      const roleIds = [...new Set(wanted.map(role => role.id))]
      const project = await findProject(db, row.project_id)
      if (!project) throw missing('project', row.project_id)
      const also = { validity: validityOf(parts) }
      const own = await effectiveRoles(db, context.userId, { type: 'project', project }, also)
      if (!roleIds.every(roleId => own.some(role => role.id === roleId)))
        throw unauthorized('authorizing user does not have role required')
      const verifier = newVerifier(runtime)
      await authorizeRequestToken(db, id, { userId: context.userId, roleIds, verifierHash: hashOf(verifier) })
      return verifier
    },
    async accessToken(request: OAuth1Request): Promise<IssuedSecret> {
      const header = oauth1HeaderOf(request)
      if (header.token === undefined) throw expectedToFind('oauth_token', 'request')
      if (header.verifier === undefined) throw expectedToFind('oauth_verifier', 'request')
      const row = await requestToken(header.token)
      const consumer = await findConsumer(db, header.consumerKey)
      if (!consumer || row.consumer_id !== consumer.id)
        throw unauthorized('Provided consumer key does not match stored consumer key.')
      const secrets = { consumer: vault.open(consumer.sealed_secret), token: vault.open(row.sealed_secret) }
      await requireSigned(parts, request, header, secrets)
      if (row.authorizing_user_id === null || row.verifier_hash === null)
        throw unauthorized('Request Token does not have an authorizing user id.')
      if (!timingSafeEqual(Buffer.from(row.verifier_hash), Buffer.from(hashOf(header.verifier))))
        throw unauthorized('Provided verifier does not match stored verifier')
      const made = { id: newId(runtime), secret: newSecret(runtime), expiresAt: endOf(config.access_token_duration) }
      const access: AccessTokenRow = {
        id: made.id,
        sealed_secret: vault.seal(made.secret),
        consumer_id: row.consumer_id,
        project_id: row.project_id,
        authorizing_user_id: row.authorizing_user_id,
        role_ids: row.role_ids,
        expires_at: made.expiresAt,
      }
      await store.transaction(async tx => {
        if (!(await removeRequestToken(tx, row.id))) throw unauthorized('Request token was used before.')
        await addAccessToken(tx, access, runtime.now())
      })
      return made
    },
    /** Those that have not ended. */
    async list(context: RequestContext, userId: string): Promise<AccessToken[]> {
      refuseDelegated(context)
      return (await accessTokensOf(db, userId)).filter(row => !hasEnded(row, runtime.now()))
    },
    /** Undefined when there is none, whoever authorized it. */
    async find(id: string): Promise<AccessToken | undefined> {
      const row = await findAccessToken(db, id)
      return row && !hasEnded(row, runtime.now()) ? row : undefined
    },
    async rolesOf(row: AccessToken): Promise<RoleRow[]> {
      const ids = new Set(JSON.parse(row.role_ids) as string[])
      return (await allRoles(db)).filter(role => ids.has(role.id))
    },
    remove: (row: AccessToken): Promise<void> =>
      store.transaction(async (tx, afterCommit) => {
        await removeAccessToken(tx, row.id)
        await parts.tokens.revoke(tx, { accessTokenId: row.id })
        parts.changed(afterCommit)
      }),
  }
}

/** Throws a 403 for a token that is itself a delegation: it would hand on more than it was given. */
export function refuseDelegated({ token }: RequestContext): void {
  if (token?.trust || token?.applicationCredential || token?.accessToken)
    throw refusedAction('Cannot manage OAuth access tokens with a token issued via delegation.')
}

export const hasEnded = (row: { readonly expires_at: number | null }, now: number): boolean =>
  row.expires_at !== null && row.expires_at <= now

const hashOf = (verifier: string): string => createHash('sha256').update(verifier).digest('hex')
