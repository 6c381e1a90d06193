/** The query string of a list, read by the declaration: filters, sort keys, limit and marker. */
import type { Dialect, Page } from '../dialect/index.ts'
import { badRequest } from '../fault/index.ts'
import type { Field, Fields } from '../schema/index.ts'
import type { ApiRequest } from '../service/index.ts'
import type { Resource, SortKey } from './resource.ts'

export type QueryValues = Readonly<Record<string, string | string[] | undefined>>

export interface ParsedList {
  /** Field → wanted values, already of the field's type. */
  readonly where: Readonly<Record<string, unknown>>
  /** Filters that the resource does not declare, for the service's own `filters`. */
  readonly others: Readonly<Record<string, readonly string[]>>
  readonly sort: readonly SortKey[]
  readonly limit: number | undefined
  readonly marker: string | undefined
  readonly reverse: boolean
}

const many = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]
const one = (value: string | string[] | undefined): string | undefined => many(value).at(-1)

/** Throws a 400 that names the parameter. `own` are filters that the service itself knows how to apply. */
export function parseList<F extends Fields>(
  resource: Resource<F>,
  dialect: Dialect,
  query: QueryValues,
  own: readonly string[] = [],
): ParsedList {
  const where: Record<string, unknown> = {}
  const others: Record<string, readonly string[]> = {}
  const unknown: string[] = []
  for (const [given, value] of Object.entries(query)) {
    if (value === undefined) continue
    if (own.includes(given)) {
      others[given] = many(value)
      continue
    }
    if (dialect.reserved.includes(given)) continue
    const name = resource.aliases?.[given] ?? given
    const field = resource.fields[name]
    if (field?.filter && field.stored) where[name] = many(value).map(text => filterValue(name, field, text))
    else unknown.push(given)
  }
  if (unknown.length > 0 && dialect.unknownFilter === 'refuse')
    throw badRequest(
      `Invalid input for operation: ${JSON.stringify(unknown).replaceAll('"', "'")} is invalid attribute for filtering.`,
      'InvalidInput',
    )
  return {
    where,
    others,
    sort: parseSort(resource, query),
    ...parsePaging(query),
    reverse: isTrue(one(query['page_reverse'])),
  }
}

/** Which page is asked for; a limit of 0 is none. Throws a 400 for a limit that is no number. */
export function parsePaging(query: QueryValues): Pick<ParsedList, 'limit' | 'marker'> {
  return { limit: parseLimit(query), marker: one(query['marker']) || undefined }
}

function parseLimit(query: QueryValues): number | undefined {
  const text = one(query['limit'])
  if (text === undefined) return undefined
  if (!/^\d+$/.test(text))
    throw badRequest(`Invalid input for limit: ${JSON.stringify(text)} is not a non-negative integer.`, 'InvalidInput')
  const limit = Number(text)
  return limit === 0 ? undefined : limit
}

function parseSort(resource: Resource, query: QueryValues): readonly SortKey[] {
  const keys = many(query['sort_key'])
  const directions = many(query['sort_dir'])
  if (keys.length === 0) return resource.defaultSort ?? []
  return keys.map((given, at) => {
    const field = resource.aliases?.[given] ?? given
    const known = resource.fields[field]
    if (!known?.stored || known.columnType === 'json')
      throw badRequest(`Invalid input for sort_key: there is no sorting by ${given}.`, 'InvalidInput')
    const direction = (directions[at] ?? directions.at(-1) ?? 'asc').toLowerCase()
    if (direction !== 'asc' && direction !== 'desc')
      throw badRequest(`Invalid input for sort_dir: ${direction} is neither asc nor desc.`, 'InvalidInput')
    return { field, direction }
  })
}

export const isTrue = (text: string | undefined): boolean => text !== undefined && /^(true|1|yes|on|t|y)$/i.test(text)
const isFalse = (text: string): boolean => /^(false|0|no|off|f|n)$/i.test(text)

function filterValue(name: string, field: Field, text: string): unknown {
  if (field.columnType === 'boolean') {
    if (isTrue(text)) return true
    // Keystone reads a filter without a value (`?enabled`) as true.
    if (text === '') return true
    if (isFalse(text)) return false
    throw badRequest(`Invalid input for ${name}: ${JSON.stringify(text)} is neither true nor false.`, 'InvalidInput')
  }
  if (field.columnType === 'integer') {
    if (!/^-?\d+$/.test(text))
      throw badRequest(`Invalid input for ${name}: ${JSON.stringify(text)} is not an integer.`, 'InvalidInput')
    return Number(text)
  }
  // Rows without a value are asked for with an empty one (`?parent_id=`), which non-empty columns never hold.
  return text === '' && Array.isArray(field.json['type']) && field.json['type'].includes('null') ? [null, ''] : text
}

/** The page's place, for the dialect's links. */
export function pageOf(request: ApiRequest, ids: { next?: string; previous?: string }): Page {
  return { url: `${request.baseUrl}${request.path}`, query: request.query, ...ids }
}
