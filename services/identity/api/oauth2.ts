/** The token endpoint of OAuth 2.0 (`/v3/OS-OAUTH2/token`), with the errors of RFC 6749, section 5.2. */
import { Fault } from '@strata/toolkit/fault'
import { type ApiRequest, type Method, type Operation, operation, type Reply, reply } from '@strata/toolkit/service'
import { type Client, oauth2Logic } from '../logic/oauth2.ts'
import type { Parts } from '../logic/parts.ts'

const path = '/v3/OS-OAUTH2/token'
const uncached = { 'cache-control': 'no-store', pragma: 'no-cache' }

type Form = Readonly<Record<string, string>>

export function oauth2Operations(parts: Parts): Operation[] {
  const logic = oauth2Logic(parts)
  const other: readonly Method[] = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']
  return [
    operation<Form | undefined>({
      method: 'POST',
      path,
      auth: 'none',
      form: true,
      async handler(request) {
        const form = request.body ?? {}
        const { grant_type: grant } = form
        if (typeof grant !== 'string') return problem(400, 'invalid_request', 'The parameter grant_type is required.')
        if (grant !== 'client_credentials')
          return problem(400, 'unsupported_grant_type', `The parameter grant_type ${grant} is not supported.`)
        const client = clientOf(request, form)
        if (!client) return refused()
        try {
          const token = await logic.token(client, request)
          const body = { access_token: token.text, token_type: 'Bearer', expires_in: logic.secondsLeft(token) }
          return reply(200, body, uncached)
        } catch (thrown) {
          if (thrown instanceof Fault) return problemOf(thrown)
          throw thrown
        }
      },
    }),
    ...other.map(method =>
      operation({
        method,
        path,
        auth: 'none',
        form: true,
        handler: () =>
          reply(
            405,
            { error: 'other_error', error_description: 'The method is not allowed for the requested URL.' },
            { ...uncached, allow: 'POST' },
          ),
      }),
    ),
  ]
}

/** By the header of the scheme Basic, else by the form. */
function clientOf({ headers }: ApiRequest, form: Form): Client | undefined {
  const [, basic] = /^Basic +([\w+/=-]+)$/i.exec(headers.authorization?.toString() ?? '') ?? []
  if (basic !== undefined) {
    const [, id, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(basic, 'base64').toString('utf8')) ?? []
    return id && secret ? { id, secret } : undefined
  }
  const { client_id: id, client_secret: secret } = form
  return id ? { id, secret } : undefined
}

const refused = () => problem(401, 'invalid_client', 'Client authentication failed.')

function problemOf({ status, message, headers }: Fault): Reply {
  if (status === 401) return refused()
  if (status === 400) return problem(400, 'invalid_request', message)
  const words = 'An unknown error occurred and failed to get an OAuth2.0 access token.'
  return problem(status, 'other_error', words, headers)
}

const problem = (
  status: number,
  error: string,
  description: string,
  headers: Readonly<Record<string, string>> = {},
): Reply =>
  reply(
    status,
    { error, error_description: description },
    {
      ...uncached,
      ...headers,
      // Whoever used a scheme must be told that it is the right one.
      ...(status === 401 && { 'www-authenticate': 'Basic realm="identity"' }),
    },
  )
