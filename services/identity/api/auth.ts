/** Tokens: `/v3/auth/tokens`, and what a caller may ask about its own under `/v3/auth`. */
import type { RequestContext } from '@strata/toolkit/context'
import { andThen, type Eventual } from '@strata/toolkit/eventual'
import { forbidden } from '@strata/toolkit/fault'
import { isTrue } from '@strata/toolkit/resource'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { tokenNotFound } from '../contract/errors.ts'
import { domain, project } from '../contract/project.ts'
import { type AuthRequest, authSchema } from '../contract/token.ts'
import { alsoIn } from '../logic/assignment/caller.ts'
import { reachableDomains, reachableProjects, reachesSystem } from '../logic/assignment/reachable.ts'
import type { Parts } from '../logic/parts.ts'
import { authenticate } from '../logic/token/authenticate.ts'
import type { CheckedToken } from '../logic/token/checked.ts'
import type { IssuedReceipt } from '../logic/token/receipt.ts'
import type { IssuedToken } from '../logic/token/tokens.ts'
import { sentTo } from './sent-to.ts'
import { collection } from './view.ts'

const headersOf = (text: string) => ({
  'x-subject-token': text,
  vary: 'X-Auth-Token',
  'content-type': 'application/json',
})
const wantsCatalog = ({ query }: ApiRequest) => query['nocatalog'] === undefined

/** Of a token that was just made. */
export const newTokenReply = (status: number, token: IssuedToken, request: ApiRequest) =>
  reply(status, token.answer(wantsCatalog(request)), headersOf(token.text))

/** Of a login: its token, or a receipt for what it proved so far. */
export const loginReply = (result: IssuedToken | IssuedReceipt, request: ApiRequest) =>
  'receipt' in result
    ? reply(401, result.body, {
        'openstack-auth-receipt': result.receipt,
        vary: 'X-Auth-Token',
        'content-type': 'application/json',
      })
    : newTokenReply(201, result, request)

export function authOperations(parts: Parts): Operation[] {
  return [...tokenOperations(parts), ...ownOperations(parts)]
}

interface Subject {
  readonly text: string
  readonly token: CheckedToken
}

function tokenOperations(parts: Parts): Operation[] {
  const subject = (request: ApiRequest, rule: string): Eventual<Subject> => {
    const text = request.headers['x-subject-token']
    if (typeof text !== 'string' || text === '') throw tokenNotFound()
    return andThen(parts.tokens.check(text, expiredFor(request)), token => {
      if (!token) throw tokenNotFound()
      request.context.enforce(rule, { target: { token: { user_id: token.payload.userId } } })
      return { text, token }
    })
  }
  /** Who does not say that it heeds access rules would take the token for one that is good for everything. */
  const shown = (request: ApiRequest, rule: string) =>
    andThen(subject(request, rule), ({ text, token }) => {
      const limited = token.info.applicationCredential?.accessRules
      if (limited && request.headers['openstack-identity-access-rules'] === undefined) throw tokenNotFound()
      return reply(200, wantsCatalog(request) ? token.body : token.bodyWithoutCatalog, headersOf(text))
    })
  const expiredFor = ({ context, query }: ApiRequest) =>
    isTrue(String(query['allow_expired'] ?? '')) && context.can('service_or_admin')
      ? parts.config.allow_expired_window * 1000
      : 0
  return [
    operation<AuthRequest>({
      method: 'POST',
      path: '/v3/auth/tokens',
      auth: 'none',
      body: authSchema,
      async handler(request) {
        const result = await authenticate(parts, {
          ...request.body,
          headers: request.headers,
          clientAddress: request.clientAddress,
          sentTo: sentTo(request),
        })
        return loginReply(result, request)
      },
    }),
    operation({
      method: 'GET',
      path: '/v3/auth/tokens',
      handler: request => shown(request, 'identity:validate_token'),
    }),
    operation({
      method: 'HEAD',
      path: '/v3/auth/tokens',
      handler: request => shown(request, 'identity:check_token'),
    }),
    operation({
      method: 'DELETE',
      path: '/v3/auth/tokens',
      async handler(request) {
        const { token } = await subject(request, 'identity:revoke_token')
        const { auditIds } = token.payload
        // All that were made from the first of its chain, too, where the caller says so.
        const chain = isTrue(String(request.query['revoke_chain'] ?? ''))
        await parts.store.transaction(async (tx, afterCommit) => {
          await parts.tokens.revoke(tx, chain ? { auditChainId: auditIds.at(-1) } : { auditId: auditIds[0] })
          parts.changed(afterCommit)
        })
        return undefined
      },
    }),
  ]
}

function ownOperations(parts: Parts): Operation[] {
  const own = (path: string, rule: string, handler: (request: ApiRequest, caller: RequestContext) => Promise<object>) =>
    operation({ method: 'GET', path, policy: rule, handler: request => handler(request, request.context) })
  const { db } = parts.store
  return [
    own('/v3/auth/projects', 'identity:get_auth_projects', async (request, caller) =>
      collection(project, await reachableProjects(db, caller.userId, await alsoIn(parts, caller)), request),
    ),
    own('/v3/auth/domains', 'identity:get_auth_domains', async (request, caller) =>
      collection(domain, await reachableDomains(db, caller.userId, await alsoIn(parts, caller)), request),
    ),
    own('/v3/auth/system', 'identity:get_auth_system', async (request, caller) => ({
      system: (await reachesSystem(db, caller.userId, await alsoIn(parts, caller))) ? [{ all: true }] : [],
      links: { self: `${request.baseUrl}/v3/auth/system` },
    })),
    own('/v3/auth/catalog', 'identity:get_auth_catalog', async (request, { projectId, tokenText }) => {
      if (!projectId) throw forbidden('A project-scoped token is required to produce a service catalog.')
      const token = await parts.tokens.check(tokenText ?? '')
      if (!token) throw tokenNotFound()
      return {
        catalog: (JSON.parse(`${token.body}`) as { token: { catalog: object[] } }).token.catalog,
        links: { self: `${request.baseUrl}/v3/auth/catalog` },
      }
    }),
  ]
}
