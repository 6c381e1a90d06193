/** Plain HTTP to a cloud, for what the client has no command for: bad input, exact answers, many requests. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { TestCloud } from './cloud.ts'

interface Entry {
  readonly auth: {
    readonly auth_url: string
    readonly username: string
    readonly password: string
    readonly project_name: string
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** The parsed body; undefined when there is none or it is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what the tests look at
  readonly json: any
  readonly text: string
}

export interface Call {
  /** Sent as JSON, unless it is a string or bytes. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface Api {
  readonly token: string
  readonly projectId: string
  /** `path` begins with the service: `/compute/v2.1/servers`. */
  call(method: string, path: string, call?: Call): Promise<Answer>
}

export async function call(url: string, method: string, { body, headers, signal }: Call = {}): Promise<Answer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array
  const answer = await fetch(url, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body) }),
    ...(signal && { signal }),
  })
  const text = await answer.text()
  const json = answer.headers.get('content-type')?.includes('json') && text !== '' ? JSON.parse(text) : undefined
  return { status: answer.status, headers: answer.headers, json, text }
}

/** Logs in with the password that `strata up` wrote into clouds.yaml. */
export async function logIn(cloud: Pick<TestCloud, 'state' | 'url'>, login: 'strata' | 'strata-demo'): Promise<Api> {
  const { clouds } = parse(readFileSync(join(cloud.state, 'clouds.yaml'), 'utf8')) as { clouds: Record<string, Entry> }
  const { auth } = clouds[login]!
  const domain = { name: 'Default' }
  const user = { name: auth.username, password: auth.password, domain }
  const scope = { project: { name: auth.project_name, domain } }
  const body = { auth: { identity: { methods: ['password'], password: { user } }, scope } }
  const { status, headers, json, text } = await call(`${auth.auth_url}/auth/tokens`, 'POST', { body })
  if (status !== 201) throw new Error(`no token for ${login}: ${status} ${text}`)
  const token = headers.get('x-subject-token')!
  return {
    token,
    projectId: json.token.project.id,
    call: (method, path, given = {}) =>
      call(`${cloud.url}${path}`, method, { ...given, headers: { 'x-auth-token': token, ...given.headers } }),
  }
}
