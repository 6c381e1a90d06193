/** What all endpoints of placement share: who may speak which media type, links, and the headers that forbid caching. */
import { notAcceptable, unsupportedMediaType } from '@strata/toolkit/fault'
import type { JsonSchema } from '@strata/toolkit/schema'
import { type ApiRequest, type Operation, operation, type Reply, reply } from '@strata/toolkit/service'
import { current, since } from '../versions/history.ts'

/** An operation that speaks JSON and nothing else: 406 and 415 for who wants or sends something else. */
export function endpoint<Body = unknown>(definition: Operation<Body>): Operation {
  return operation<Body>({
    ...definition,
    handler(request) {
      if (definition.method === 'GET') mustAcceptJson(request)
      if (definition.body !== undefined) mustBeJson(request)
      return definition.handler(request)
    },
  })
}

function mustAcceptJson({ headers }: ApiRequest): void {
  const accept = headers['accept']
  if (typeof accept !== 'string' || accept.trim() === '') return
  const kinds = accept.split(',').map(one => one.split(';')[0]!.trim())
  if (!kinds.some(kind => kind === '*/*' || kind === 'application/*' || kind === 'application/json'))
    throw notAcceptable('Only application/json is provided')
}

function mustBeJson({ headers }: ApiRequest): void {
  const type = headers['content-type']?.toString().split(';')[0]?.trim()
  if (type !== 'application/json')
    throw unsupportedMediaType(`The media type ${type || 'None'} is not supported, use application/json`)
}

/** The schema in force for a version; before the first there is no such operation. */
export const versioned =
  (schemas: readonly (readonly [since: number, schema: JsonSchema])[]) =>
  (minor: number): JsonSchema =>
    current(schemas, minor)

/** `/placement/resource_providers/…`: links are told without the host, so that proxies do not matter. */
export const hrefOf = (request: ApiRequest, path: string): string =>
  new URL(request.baseUrl).pathname.replace(/\/$/, '') + path

export interface Answer {
  readonly status?: number
  readonly body?: object
  /** When what is shown was last changed, ISO 8601; now, where nobody can tell. */
  readonly modified?: string
  readonly location?: string
}

/** An answer, since 1.15 with the headers that keep caches from keeping it. */
export function answer(request: ApiRequest, given: Answer, now: number): Reply {
  const { status = 200, body, modified, location } = given
  const headers: Record<string, string> = {}
  if (request.minor >= since.cacheHeaders) {
    headers['cache-control'] = 'no-cache'
    headers['last-modified'] = new Date(modified ?? now).toUTCString()
  }
  if (location !== undefined) headers['location'] = location
  return reply(status, body, headers)
}

/** The newest of some times; undefined of none. */
export const newest = (times: readonly (string | undefined)[]): string | undefined =>
  times
    .filter(time => time !== undefined)
    .sort()
    .at(-1)
