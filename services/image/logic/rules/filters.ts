/** What the query of `GET /v2/images` asks for, checked: filters, order and page. */
import { badRequest } from '@strata/toolkit/fault'
import { isoTime } from '@strata/toolkit/runtime'
import { VISIBILITIES, type Visibility } from '../../contract/image.ts'
import {
  type Comparison,
  type Condition,
  type ListQuery,
  NAMES,
  NUMBERS,
  SORT_KEYS,
  type SortKey,
  TEXTS,
  TIMES,
} from '../../contract/list.ts'

export type Query = Readonly<Record<string, string | string[] | undefined>>
export interface PageLimits {
  readonly default: number
  readonly max: number
}

const PAGE = new Set(['limit', 'marker', 'sort', 'sort_key', 'sort_dir', 'member_status', 'tag', 'visibility'])

/** Throws a 400 that names the parameter at fault. Parameters that are not known filter by the property of that name. */
export function parseListQuery(query: Query, limits: PageLimits): ListQuery {
  const memberStatus = last(query['member_status']) ?? 'accepted'
  if (!isMemberStatus(memberStatus)) throw badRequest(`Invalid status: ${memberStatus}`)
  const visibility = last(query['visibility']) || undefined
  if (visibility !== undefined && visibility !== 'all' && !VISIBILITIES.includes(visibility as Visibility))
    throw badRequest(`Invalid visibility value: ${visibility}`)
  if (last(query['changes-since'])) throw badRequest('The "changes-since" filter is no longer available on v2.')
  const conditions = Object.entries(query)
    .filter(([name]) => !PAGE.has(name))
    .flatMap(([name, value]) => (value === undefined ? [] : [condition(name, last(value) ?? '')]))
  if (!conditions.some(one => one.kind === 'flag' && one.field === 'os_hidden'))
    conditions.push({ kind: 'flag', field: 'os_hidden', value: false })
  return {
    conditions,
    tags: all(query['tag']).map(tag => tag.trim()),
    visibility: visibility as ListQuery['visibility'],
    memberStatus,
    sort: parseSort(query),
    limit: parseLimit(last(query['limit']), limits),
    marker: last(query['marker']) || undefined,
  }
}

const all = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]
const last = (value: string | string[] | undefined): string | undefined => all(value).at(-1)

function isMemberStatus(value: string): value is ListQuery['memberStatus'] {
  return ['pending', 'accepted', 'rejected', 'all'].includes(value)
}

/** The page size asked for, cut to the largest allowed. */
export function parseLimit(value: string | undefined, limits: PageLimits): number {
  if (value === undefined) return Math.min(limits.default, limits.max)
  if (!/^[+-]?\d+$/.test(value.trim())) throw badRequest('limit param must be an integer')
  const limit = Number(value)
  if (limit < 0) throw badRequest('limit param must be positive')
  return Math.min(limit, limits.max)
}

function condition(name: string, value: string): Condition {
  if (isOne(NAMES, name)) return { kind: 'in', field: name, values: namesOf(value) }
  if (isOne(TEXTS, name)) return { kind: 'in', field: name, values: [value] }
  if (isOne(NUMBERS, name)) return { kind: 'number', field: name, op: 'eq', value: wholeNumber(name, value) }
  const bound = /^(.+)_(min|max)$/.exec(name)
  if (bound && isOne(NUMBERS, bound[1]!)) {
    const op = bound[2] === 'min' ? 'gte' : 'lte'
    return { kind: 'number', field: bound[1], op, value: wholeNumber(name, value) }
  }
  if (isOne(TIMES, name)) return timeCondition(name, value)
  if (name === 'protected' || name === 'os_hidden') return { kind: 'flag', field: name, value: flagOf(name, value) }
  return { kind: 'property', name, value }
}

function isOne<const T extends string>(names: readonly T[], name: string): name is T {
  return (names as readonly string[]).includes(name)
}

function wholeNumber(name: string, value: string): number {
  if (!/^[+-]?\d{1,15}$/.test(value.trim()))
    throw badRequest(`Unable to filter on a range with a non-numeric value: ${name}.`)
  return Number(value)
}

function flagOf(name: string, value: string): boolean {
  const word = name === 'os_hidden' ? value.toLowerCase() : value
  if (word !== 'true' && word !== 'false')
    throw badRequest(`Invalid value '${value}' for '${name}' filter. Valid values are 'true' or 'false'.`)
  return word === 'true'
}

/** `x`, `eq:x` or `in:x,"y, z"`. */
function namesOf(expression: string): string[] {
  const colon = expression.indexOf(':')
  if (colon < 0) return [expression]
  const operator = expression.slice(0, colon)
  const rest = expression.slice(colon + 1)
  if (operator === 'eq') return [rest]
  if (operator === 'in') return splitQuoted(rest)
  throw badRequest(`Unable to filter by unknown operator '${operator}'.`)
}

/** Parts between commas; a part in double quotes may hold commas, and quotes after a backslash. */
export function splitQuoted(list: string): string[] {
  const parts: string[] = []
  let at = 0
  while (at <= list.length) {
    if (list[at] === '"') {
      const quoted = /"((?:[^"\\]|\\.)*)"(?=,|$)/y
      quoted.lastIndex = at
      const found = quoted.exec(list)
      if (!found)
        throw badRequest(`Invalid filter value ${list}. A quotation mark is not closed, or no comma follows it.`)
      parts.push(found[1]!.replace(/\\(.)/g, '$1'))
      at = quoted.lastIndex + 1
      continue
    }
    const comma = list.indexOf(',', at)
    const part = list.slice(at, comma < 0 ? undefined : comma)
    if (part.replaceAll('\\"', '').includes('"'))
      throw badRequest(`Invalid filter value ${list}. There is no comma before opening quotation mark.`)
    parts.push(part)
    if (comma < 0) break
    at = comma + 1
  }
  return parts
}

const OPERATORS: readonly string[] = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte']

function timeCondition(field: (typeof TIMES)[number], expression: string): Condition {
  const [, operator, rest] = /^([a-z]+):(.*)$/.exec(expression) ?? [undefined, 'eq', expression]
  if (!OPERATORS.includes(operator!)) throw badRequest(`Unable to filter on a unknown operator: ${operator}.`)
  const second = Math.floor(parseTime(field, rest!) / 1000) * 1000
  return { kind: 'time', field, op: operator as Comparison, value: isoTime(second), end: isoTime(second + 1000) }
}

/** Milliseconds of an ISO 8601 time with or without a zone (then UTC). */
function parseTime(field: string, text: string): number {
  const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?))?(Z|[+-]\d\d:?\d\d)?$/.exec(text.trim())
  const zone = parts?.[3] ?? 'Z'
  const ms = parts
    ? Date.parse(
        `${parts[1]}T${parts[2] ?? '00:00'}${zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone}`,
      )
    : Number.NaN
  if (Number.isNaN(ms)) throw badRequest(`Bad "${field}" query filter format. Use ISO 8601 DateTime notation.`)
  return ms
}

function parseSort(query: Query): ListQuery['sort'] {
  const asked = query['sort'] !== undefined ? newSyntax(query) : classicSyntax(query)
  const first = asked[0]?.direction ?? 'desc'
  const fallback = asked.every(one => one.direction === first) ? first : 'desc'
  const sort: Sort[] = [...asked]
  for (const key of ['created_at', 'id'] as const)
    if (!sort.some(one => one.key === key)) sort.push({ key, direction: fallback })
  return sort
}

type Sort = ListQuery['sort'][number]

function newSyntax(query: Query): Sort[] {
  if (query['sort_key'] !== undefined || query['sort_dir'] !== undefined)
    throw badRequest('Old and new sorting syntax cannot be combined')
  return (last(query['sort']) ?? '').split(',').map(part => {
    const [key, direction] = part.split(':')
    return { key: sortKey(key!.trim()), direction: sortDirection(direction?.trim() || 'desc') }
  })
}

/** One direction holds for all keys; otherwise each key has its own. */
function classicSyntax(query: Query): Sort[] {
  const keys = all(query['sort_key']).map(key => sortKey(key.trim()))
  const directions = all(query['sort_dir']).map(direction => sortDirection(direction.trim()))
  if (directions.length > 1 && directions.length !== keys.length)
    throw badRequest('Number of sort dirs does not match the number of sort keys')
  const asked: SortKey[] = keys.length > 0 ? keys : directions.length > 0 ? ['created_at'] : []
  return asked.map((key, at) => ({ key, direction: directions[at] ?? directions[0] ?? 'desc' }))
}

function sortKey(key: string): SortKey {
  if (!isOne(SORT_KEYS, key))
    throw badRequest(`Invalid sort key: ${key}. It must be one of the following: ${SORT_KEYS.join(', ')}.`)
  return key
}

function sortDirection(direction: string): 'asc' | 'desc' {
  if (direction !== 'asc' && direction !== 'desc') throw badRequest(`Invalid sort direction: ${direction}`)
  return direction
}
