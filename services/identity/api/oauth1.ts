/** OAuth 1.0 (`/v3/OS-OAUTH1`): how consumers get request tokens and access tokens, and the access tokens of a user. */
import { unauthorized } from '@strata/toolkit/fault'
import { isoTime, toMicroseconds } from '@strata/toolkit/runtime'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { type AuthorizeRequest, authorizeSchema } from '../contract/consumer.ts'
import { missing } from '../contract/errors.ts'
import { role } from '../contract/role.ts'
import { type AccessToken, type IssuedSecret, oauth1Logic, refuseDelegated } from '../logic/oauth1/tokens.ts'
import type { Parts } from '../logic/parts.ts'
import { sentTo } from './sent-to.ts'

const root = '/v3/OS-OAUTH1'
const all = '/v3/users/:user_id/OS-OAUTH1/access_tokens'
const one = `${all}/:access_token_id`

type Logic = ReturnType<typeof oauth1Logic>

export function oauth1Operations(parts: Parts): Operation[] {
  const logic = oauth1Logic(parts)
  const signed = (path: string, act: Logic['requestToken']) =>
    operation({
      method: 'POST',
      path: `${root}/${path}`,
      // The signature says who asks.
      auth: 'none',
      form: true,
      async handler(request) {
        const made = await act({ headers: request.headers, ...sentTo(request, request.body) })
        return reply(201, formOf(made), { 'content-type': 'application/x-www-form-urlencoded' })
      },
    })
  return [
    signed('request_token', logic.requestToken),
    signed('access_token', logic.accessToken),
    operation<AuthorizeRequest | undefined>({
      method: 'PUT',
      path: `${root}/authorize/:request_token_id`,
      policy: 'identity:authorize_request_token',
      body: authorizeSchema,
      async handler({ context, params, body }) {
        const verifier = await logic.authorize(context, params['request_token_id']!, body ?? {})
        return { token: { oauth_verifier: verifier } }
      },
    }),
    ...accessTokenOperations(logic),
  ]
}

function accessTokenOperations(logic: Logic): Operation[] {
  const owned = async ({ params }: ApiRequest): Promise<AccessToken> => {
    const id = params['access_token_id']!
    const found = await logic.find(id)
    if (!found || found.authorizing_user_id !== params['user_id']) throw missing('access_token', id)
    return found
  }
  const ownedOrRefused = async (request: ApiRequest): Promise<AccessToken> => {
    const found = await logic.find(request.params['access_token_id']!)
    if (found && found.authorizing_user_id !== request.params['user_id']) throw unauthorized('User IDs do not match')
    return owned(request)
  }
  return [
    operation({
      method: 'GET',
      path: all,
      policy: 'identity:list_access_tokens',
      async handler(request) {
        const found = await logic.list(request.context, request.params['user_id']!)
        return { access_tokens: found.map(row => view(row, request)), links: listLinks(request) }
      },
    }),
    operation({
      method: 'GET',
      path: one,
      policy: 'identity:get_access_token',
      async handler(request) {
        refuseDelegated(request.context)
        return { access_token: view(await owned(request), request) }
      },
    }),
    operation({
      method: 'DELETE',
      path: one,
      policy: 'identity:delete_access_token',
      async handler(request) {
        refuseDelegated(request.context)
        await logic.remove(await ownedOrRefused(request))
        return undefined
      },
    }),
    operation({
      method: 'GET',
      path: `${one}/roles`,
      policy: 'identity:list_access_token_roles',
      async handler(request) {
        const roles = await logic.rolesOf(await owned(request))
        return { roles: roles.map(each => roleView(each, request)), links: listLinks(request) }
      },
    }),
    operation({
      method: 'GET',
      path: `${one}/roles/:role_id`,
      policy: 'identity:get_access_token_role',
      async handler(request) {
        const id = request.params['role_id']!
        const found = (await logic.rolesOf(await ownedOrRefused(request))).find(each => each.id === id)
        if (!found) throw missing('role', id)
        return { role: roleView(found, request) }
      },
    }),
  ]
}

const timeOf = (ms: number): string => toMicroseconds(isoTime(ms))

function formOf({ id, secret, expiresAt }: IssuedSecret): string {
  const end = expiresAt === null ? '' : `&oauth_expires_at=${timeOf(expiresAt)}`
  return `oauth_token=${id}&oauth_token_secret=${secret}${end}`
}

const listLinks = ({ baseUrl, path }: ApiRequest) => ({ next: null, self: `${baseUrl}${path}`, previous: null })

function view(row: AccessToken, { baseUrl }: ApiRequest): object {
  const self = `${baseUrl}/v3/users/${row.authorizing_user_id}/OS-OAUTH1/access_tokens/${row.id}`
  return {
    id: row.id,
    consumer_id: row.consumer_id,
    project_id: row.project_id,
    authorizing_user_id: row.authorizing_user_id,
    expires_at: row.expires_at === null ? null : timeOf(row.expires_at),
    links: { self, roles: `${self}/roles` },
  }
}

const roleView = (
  { id, name, domain_id }: { readonly id: string; readonly name: string; readonly domain_id: string | null },
  { baseUrl }: ApiRequest,
) => ({ id, name, domain_id, links: { self: `${baseUrl}${role.path}/${id}` } })
