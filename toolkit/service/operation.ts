/**
 * An operation is one thing that a caller can ask of a service: a method and path, or one action of such a path; what it
 * takes; who may ask; and the handler that does it. Operations are data: a service is a list of them.
 */
import type { Readable } from 'node:stream'
import type { RequestContext } from '../context/index.ts'
import type { JsonSchema } from '../schema/index.ts'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface ApiRequest<Body = unknown> {
  readonly context: RequestContext
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | string[] | undefined>>
  /** Checked against the operation's schema; a `Readable` where the operation takes a stream; undefined when empty. */
  readonly body: Body
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Minor of the microversion in force; 0 where the service has none. */
  readonly minor: number
  /** `http://host:port/compute`: the service's root as the caller reached it, for links. */
  readonly baseUrl: string
  /** Path below the service's root, without the query. */
  readonly path: string
  readonly clientAddress: string
  /** Aborted when the caller goes away before the answer. */
  readonly signal: AbortSignal
}

/** The request with some of it changed, for handing it on to another operation's handler. */
export function withChanges<Body>(request: ApiRequest<Body>, changes: Partial<ApiRequest<Body>>): ApiRequest<Body> {
  const changed = Object.assign(Object.create(Object.getPrototypeOf(request)), request)
  // Defined, not assigned: some of a request's members are made on demand.
  for (const [name, value] of Object.entries(changes)) Object.defineProperty(changed, name, { value, enumerable: true })
  return changed
}

export interface Reply {
  readonly reply: true
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** An answer with a status or headers of its own. A `Readable`, Buffer or string body is sent as it is, others as JSON. */
export function reply(
  status: number,
  body?: Readable | Uint8Array | string | object | null,
  headers?: Readonly<Record<string, string>>,
): Reply {
  return { reply: true, status, body, headers }
}

export interface Operation<Body = unknown> {
  readonly method: Method
  /** Below the service's root, parameters after a colon: `/v3/users/:user_id`. */
  readonly path: string
  /** The sole key of the body that selects it among the actions of a path: `os-stop`. */
  readonly action?: string
  /** Minors in which it exists, both ends included. */
  readonly since?: number
  readonly until?: number
  /** `token` (the default): a valid one is needed. `optional`: one that is sent must be valid. `none`: not looked at. */
  readonly auth?: 'token' | 'optional' | 'none'
  /**
   * Policy rule checked before the body, with the caller's own project, user and domain and the path's parameters as target.
   * A rule about the resource itself is enforced by the handler, which knows it.
   */
  readonly policy?: string
  readonly body?: JsonSchema | ((minor: number) => JsonSchema)
  readonly query?: JsonSchema | ((minor: number) => JsonSchema)
  /** The body is handed on as it comes, unread, when its content type is one of these. */
  readonly stream?: readonly string[]
  /** The body may be an `application/x-www-form-urlencoded` form; it is then an object of strings. */
  readonly form?: true
  /** Bytes; a larger body is refused before it is read. 114,688 unless set, as in OpenStack. */
  readonly bodyLimit?: number
  /** Of an answer that names none: 200, or 204 when it has no body. */
  readonly status?: number
  handler(request: ApiRequest<Body>): Promise<Reply | object | undefined> | Reply | object | undefined
}

/** Only helps inference: the handler's body is of type `Body`. */
export function operation<Body = unknown>(definition: Operation<Body>): Operation {
  return definition as Operation
}
