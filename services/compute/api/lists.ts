/** Lists and links as compute's callers read them: `limit` and `marker`, `flavors_links`, `self` and `bookmark`. */
import { nova } from '@strata/toolkit/dialect'
import { badRequest } from '@strata/toolkit/fault'
import type { JsonSchema } from '@strata/toolkit/schema'
import type { ApiRequest } from '@strata/toolkit/service'

/** The last of the values that a parameter was given; undefined when there is none. */
export function param(request: ApiRequest, name: string): string | undefined {
  const value = request.query[name]
  return Array.isArray(value) ? value.at(-1) : value
}

/** A parameter that must be a whole number of at least 0. Throws a 400 that names it. */
export function wholeParam(request: ApiRequest, name: string): number | undefined {
  const text = param(request, name)
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text))
    throw badRequest(
      `Invalid input for query parameters ${name}: ${JSON.stringify(text)} is not a non-negative integer`,
      'ValidationError',
    )
  return Number(text)
}

export interface PageParams {
  readonly limit: number
  readonly marker: string | undefined
}

export function pageParams(request: ApiRequest, maxLimit: number): PageParams {
  const limit = wholeParam(request, 'limit') || maxLimit
  return { limit: Math.min(limit, maxLimit), marker: param(request, 'marker') }
}

/** A page of rows that were fetched with one more than `limit`, and the link to the next. */
export function page<T>(
  request: ApiRequest,
  plural: string,
  found: readonly T[],
  options: { readonly limit: number; readonly markerOf: (row: T) => string },
): { readonly rows: readonly T[]; readonly links: Record<string, unknown> } {
  const rows = found.slice(0, options.limit)
  const next = found.length > options.limit ? options.markerOf(rows.at(-1)!) : undefined
  const url = `${request.baseUrl}${request.path}`
  return { rows, links: nova.pageLinks(plural, { url, query: request.query, next }) }
}

/** Links of one resource: with the API's version, and without it. */
export function resourceLinks(request: ApiRequest, collection: string, id: string): readonly object[] {
  const path = `${collection}/${encodeURIComponent(id)}`
  return [
    { rel: 'self', href: `${request.baseUrl}/v2.1/${path}` },
    { rel: 'bookmark', href: `${request.baseUrl}/${path}` },
  ]
}

/** Parameters of a list: unknown ones are let pass by early versions and refused since `strictSince`. */
export function parameters(names: readonly string[], strictSince = 75): (minor: number) => JsonSchema {
  const properties = Object.fromEntries(names.map(name => [name, {}]))
  const loose: JsonSchema = { type: 'object', properties }
  const strict: JsonSchema = { ...loose, additionalProperties: false }
  return minor => (minor >= strictSince ? strict : loose)
}

/** A parameter that says yes or no; no when it is not there. Throws a 400 that names it. */
export function isTrueParam(request: ApiRequest, name: string): boolean {
  const text = param(request, name)
  if (text === undefined || /^(false|f|0|no|n|off)$/i.test(text)) return false
  if (/^(true|t|1|yes|y|on)$/i.test(text)) return true
  throw badRequest(
    `Invalid input for query parameters ${name}: ${JSON.stringify(text)} is neither true nor false`,
    'ValidationError',
  )
}
