/** A session: requests in somebody's name, with a token that is renewed before it ends. */

import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Runtime } from '@strata/toolkit/runtime'
import { ApiError, messageOf } from './errors.ts'
import type { Transport } from './transport.ts'

/** Who to log in as: a user by its password, on a project; or somebody who handed in a token of their own. */
export type Credentials =
  | {
      readonly username: string
      readonly password: string
      readonly domain?: string
      readonly project?: string
      readonly system?: boolean
    }
  | { readonly token: string }

export interface ApiCall {
  readonly service: string
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Makes a repeated create find what the first one made. */
  readonly idempotencyKey?: string
  /** Statuses that are answers, not errors, beside 2xx. */
  readonly accept?: readonly number[]
  readonly signal?: AbortSignal
}

export interface ApiResponse<T> {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: T
}

export interface Session {
  /** Sends JSON, reads JSON. Throws `ApiError` unless the status is 2xx or accepted. */
  call<T = unknown>(call: ApiCall): Promise<ApiResponse<T>>
  /** Sends what is given (a stream, say) and gives the answer's body as a stream. */
  stream(call: Omit<ApiCall, 'body'> & { readonly body?: Readable | Uint8Array }): Promise<ApiResponse<Readable>>
  /** A valid token of this session's user. */
  token(): Promise<string>
  /** The same transport with somebody else's token, and this session's beside it: a service carries on for a caller. */
  as(token: string): Session
}

export function createSession(options: {
  readonly transport: Transport
  readonly credentials: Credentials
  readonly runtime: Runtime
  readonly requestId?: string
  /** The token of the service that acts for another; sent as `X-Service-Token`. */
  readonly serviceToken?: () => Promise<string>
}): Session {
  const { transport, credentials, runtime } = options
  let held: { token: string; renewAt: number } | undefined
  let renewing: Promise<string> | undefined

  const token = async (): Promise<string> => {
    if ('token' in credentials) return credentials.token
    if (held && held.renewAt > runtime.now()) return held.token
    renewing ??= logIn(transport, credentials)
      .then(issued => {
        held = { token: issued.token, renewAt: Date.parse(issued.expiresAt) - 300_000 }
        return issued.token
      })
      .finally(() => {
        renewing = undefined
      })
    return renewing
  }

  const send = async (
    call: Omit<ApiCall, 'body'> & { body?: string | Uint8Array | Readable },
    contentType: string | undefined,
  ) => {
    const once = async () =>
      transport({
        service: call.service,
        method: call.method,
        path: call.path + queryText(call.query),
        headers: {
          'x-auth-token': await token(),
          ...(options.serviceToken ? { 'x-service-token': await options.serviceToken() } : {}),
          ...(options.requestId ? { 'x-openstack-request-id': options.requestId } : {}),
          ...(contentType ? { 'content-type': contentType } : {}),
          ...(call.idempotencyKey ? { 'idempotency-key': call.idempotencyKey } : {}),
          ...call.headers,
        },
        body: call.body,
        signal: call.signal,
      })
    const before = held
    const answer = await once()
    // A token can end early (its keys rotated, the user changed): one fresh login, unless the body is spent.
    if (answer.status !== 401 || 'token' in credentials || isStream(call.body)) return answer
    answer.body.resume()
    // Of many calls that fail at once the first forgets the token; the others must not forget its successor.
    if (held === before || before === undefined) held = undefined
    return once()
  }

  const refuse = async (call: ApiCall, answer: { status: number; body: Readable }): Promise<never> => {
    const words = await text(answer.body)
    const body = parse(words)
    const message = messageOf(body) ?? (words.slice(0, 200) || `${call.service} answered ${answer.status}`)
    throw new ApiError({ service: call.service, status: answer.status, body, message: withoutToken(message) })
  }
  /** Messages are logged and shown; what answered (a proxy, say) may have quoted the request. */
  const withoutToken = (message: string): string => {
    const sent = 'token' in credentials ? credentials.token : held?.token
    return sent ? message.replaceAll(sent, '***') : message
  }
  const fine = (call: ApiCall, status: number) =>
    (status >= 200 && status < 300) || (call.accept?.includes(status) ?? false)

  return {
    token,
    as: other =>
      createSession({
        ...options,
        credentials: { token: other },
        serviceToken: 'token' in credentials ? options.serviceToken : token,
      }),
    async call<T>(call: ApiCall) {
      const answer = await send(
        { ...call, body: call.body === undefined ? undefined : JSON.stringify(call.body) },
        call.body === undefined ? undefined : 'application/json',
      )
      if (!fine(call, answer.status)) return refuse(call, answer)
      const words = await text(answer.body)
      return { status: answer.status, headers: answer.headers, body: parse(words) as T }
    },
    async stream(call) {
      const answer = await send(call, call.body === undefined ? undefined : 'application/octet-stream')
      return fine(call, answer.status) ? answer : refuse(call, answer)
    },
  }
}

const isStream = (body: unknown): boolean => typeof body === 'object' && body !== null && 'pipe' in body

function queryText(query: ApiCall['query']): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one))
  const written = search.toString()
  return written === '' ? '' : `?${written}`
}

function parse(words: string): unknown {
  try {
    return JSON.parse(words)
  } catch {
    return undefined
  }
}

async function logIn(
  transport: Transport,
  who: Exclude<Credentials, { token: string }>,
): Promise<{ token: string; expiresAt: string }> {
  const domain = { name: who.domain ?? 'Default' }
  const scope = who.system
    ? { system: { all: true } }
    : who.project === undefined
      ? undefined
      : { project: { name: who.project, domain } }
  const auth = {
    identity: { methods: ['password'], password: { user: { name: who.username, domain, password: who.password } } },
    scope,
  }
  const answer = await transport({
    service: 'identity',
    method: 'POST',
    path: '/v3/auth/tokens',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth }),
  })
  const body = parse(await text(answer.body)) as { token?: { expires_at: string } } | undefined
  const token = answer.headers['x-subject-token']
  if (answer.status !== 201 || typeof token !== 'string' || !body?.token)
    throw new ApiError({
      service: 'identity',
      status: answer.status,
      body,
      message: `${who.username} could not log in: ${messageOf(body) ?? answer.status}`,
    })
  return { token, expiresAt: body.token.expires_at }
}
