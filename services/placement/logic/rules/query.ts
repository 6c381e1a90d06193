/**
 * The query strings by which providers and candidates are asked for, read into what the searches take. Values that came
 * with later versions are refused where the caller's version has no such thing.
 */
import { isUuid } from '@strata/toolkit/schema'
import { badQuery, errorCodes } from '../../contract/errors.ts'
import type { Group, Search } from './candidates.ts'

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

/** What the caller's version can say. */
export interface Abilities {
  readonly forbiddenTraits: boolean
  readonly anyTraits: boolean
  readonly repeatedMemberOf: boolean
  readonly forbiddenAggregates: boolean
  readonly subtrees: boolean
  readonly nested: boolean
}

export type Filter = Omit<Group, 'suffix'>

const valuesOf = (query: Query, name: string): readonly string[] => {
  const value = query[name]
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}
const lastOf = (query: Query, name: string): string | undefined => valuesOf(query, name).at(-1)

/** `VCPU:2,MEMORY_MB:1024`. */
export function parseResources(text: string, name = 'resources'): ReadonlyMap<string, number> {
  const amounts = new Map<string, number>()
  for (const item of text.split(',')) {
    const [resourceClass, amount, ...rest] = item.split(':')
    if (!resourceClass?.trim() || amount === undefined || rest.length > 0)
      throw badQuery(
        `Badly formed ${name} parameter. Expected resources query string parameter in form: ?${name}=VCPU:2,MEMORY_MB:1024. Got: ${text.trim() === '' ? 'empty string' : item}.`,
      )
    const got = `Got: ${amount} (in ${name}).`
    if (!/^[+-]?\d{1,15}$/.test(amount.trim()))
      throw badQuery(`Requested resource ${resourceClass} expected positive integer amount. ${got}`)
    if (Number(amount) < 1) throw badQuery(`Requested resource ${resourceClass} requires amount >= 1. ${got}`)
    amounts.set(resourceClass.trim(), Number(amount))
  }
  return amounts
}

interface Traits {
  readonly required: readonly ReadonlySet<string>[]
  readonly forbidden: ReadonlySet<string>
}

/** `HW_A,!HW_B`, and since 1.39 also `in:HW_A,HW_B` and several of these. */
export function parseTraits(
  values: readonly string[],
  name: string,
  abilities: Pick<Abilities, 'forbiddenTraits' | 'anyTraits'>,
): Traits {
  const required: ReadonlySet<string>[] = []
  const forbidden = new Set<string>()
  for (const value of abilities.anyTraits ? values : values.slice(-1)) {
    const any = value.startsWith('in:')
    if (any && !abilities.anyTraits)
      throw badQuery(
        `Invalid query string parameters: The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' only supported since microversion 1.39. Got: ${name}=${value}`,
      )
    const names = (any ? value.slice(3) : value).split(',').map(one => one.trim())
    const isForbidden = (one: string) => one.startsWith('!')
    if (names.some(one => one.replace(/^!+/, '') === ''))
      throw badQuery(
        `Invalid query string parameters: Expected '${name}' parameter value of the form: ${
          any
            ? 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC'
            : abilities.forbiddenTraits
              ? 'HW_CPU_X86_VMX,!CUSTOM_MAGIC'
              : 'HW_CPU_X86_VMX,CUSTOM_MAGIC'
        }. Got an empty trait in: ${value}`,
      )
    if (any && names.some(isForbidden))
      throw badQuery(
        `Invalid query string parameters: The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' does not support forbidden traits. Got: ${name}=${value}`,
      )
    if (!abilities.forbiddenTraits && names.some(isForbidden))
      throw badQuery(
        `Invalid query string parameters: Expected '${name}' parameter value of the form: HW_CPU_X86_VMX,CUSTOM_MAGIC. Got: ${value}`,
      )
    if (any) required.push(new Set(names))
    else
      for (const one of names) {
        if (isForbidden(one)) forbidden.add(one.replace(/^!+/, ''))
        else required.push(new Set([one]))
      }
  }
  return { required, forbidden }
}

interface Membership {
  readonly memberOf: readonly ReadonlySet<string>[]
  readonly forbiddenAggregates: ReadonlySet<string>
}

/** `uuid`, `in:uuid,uuid`, and since 1.32 `!uuid` and `!in:uuid,uuid`. */
export function parseMemberOf(
  values: readonly string[],
  name: string,
  abilities: Pick<Abilities, 'repeatedMemberOf' | 'forbiddenAggregates'>,
): Membership {
  if (!abilities.repeatedMemberOf && values.length > 1) throw badQuery(`Multiple ${name} parameters are not supported`)
  const memberOf: ReadonlySet<string>[] = []
  const forbiddenAggregates = new Set<string>()
  for (const value of values) {
    const [, not, list, rest] = /^(!?)(in:)?(.*)$/s.exec(value)!
    if (!list && rest!.includes(','))
      throw badQuery(
        `Multiple values for '${name}' must be prefixed with the 'in:' or '!in:' keyword using the valid microversion. Got: ${value}`,
      )
    const uuids = rest!.split(',')
    for (const uuid of uuids)
      if (!isUuid(uuid))
        throw badQuery(
          `Invalid query string parameters: Expected '${name}' parameter to contain valid UUID(s). Got: ${uuid}`,
        )
    if (!not) memberOf.push(new Set(uuids))
    else if (!abilities.forbiddenAggregates)
      throw badQuery(`Forbidden ${name} parameters are not supported in the specified microversion`)
    else for (const uuid of uuids) forbiddenAggregates.add(uuid)
  }
  return { memberOf, forbiddenAggregates }
}

/** The filters of `GET /resource_providers` that are told in the same words as a request group. */
export function parseFilter(query: Query, abilities: Abilities, suffix = ''): Filter {
  const resources = lastOf(query, `resources${suffix}`)
  const inTree = lastOf(query, `in_tree${suffix}`)?.trim()
  if (inTree !== undefined && !isUuid(inTree))
    throw badQuery(
      `Invalid query string parameters: Expected 'in_tree${suffix}' parameter to be a format of uuid. Got: ${inTree}`,
    )
  return {
    resources: resources === undefined ? new Map() : parseResources(resources, `resources${suffix}`),
    ...parseTraits(valuesOf(query, `required${suffix}`), `required${suffix}`, abilities),
    ...parseMemberOf(valuesOf(query, `member_of${suffix}`), `member_of${suffix}`, abilities),
    inTree,
  }
}

/** The whole query of `GET /allocation_candidates`, whose keys have been checked against the version's schema. */
export function parseSearch(query: Query, abilities: Abilities): Search {
  const suffixes = new Set<string>()
  for (const key of Object.keys(query)) {
    const suffix = /^(?:resources|required|member_of|in_tree)(.*)$/s.exec(key)?.[1]
    if (suffix !== undefined) suffixes.add(suffix)
  }
  const groups = [...suffixes].map((suffix): Group => ({ suffix, ...parseFilter(query, abilities, suffix) }))
  const sameSubtrees = valuesOf(query, 'same_subtree').map(parseSuffixes)
  if (abilities.subtrees) checkSubtrees(groups, sameSubtrees)
  else checkOrphans(groups)
  if (abilities.forbiddenTraits) checkConflicts(groups)
  const policy = parsePolicy(valuesOf(query, 'group_policy')[0])
  if (policy === undefined && groups.filter(group => group.suffix !== '').length > 1)
    throw badQuery('The "group_policy" parameter is required when specifying more than one "resources{N}" parameter.')
  return {
    groups,
    isolate: policy === 'isolate',
    limit: parseLimit(valuesOf(query, 'limit')[0]),
    ...parseRootRequired(valuesOf(query, 'root_required')),
    sameSubtrees,
    nested: abilities.nested,
  }
}

function parsePolicy(value: string | undefined): string | undefined {
  if (value !== undefined && value !== 'none' && value !== 'isolate')
    throw badQuery(`Invalid query string parameters: group_policy '${value}' is not one of ['none', 'isolate']`)
  return value
}

function parseLimit(value: string | undefined): number | undefined {
  if (value !== undefined && !/^[1-9]\d{0,9}$/.test(value))
    throw badQuery(`Invalid query string parameters: limit '${value}' is not a positive integer`)
  return value === undefined ? undefined : Number(value)
}

function parseSuffixes(value: string): string[] {
  const suffixes = value.split(',').map(one => one.trim())
  if (suffixes.includes(''))
    throw badQuery('Empty string (unsuffixed group) can not be specified in `same_subtree`', errorCodes.badQueryValue)
  return suffixes
}

function parseRootRequired(values: readonly string[]): Pick<Search, 'rootRequired' | 'rootForbidden'> {
  if (values.length > 1)
    throw badQuery("Query parameter 'root_required' may be specified only once.", errorCodes.duplicateQueryKey)
  const { required, forbidden } = parseTraits(values, 'root_required', { forbiddenTraits: true, anyTraits: false })
  const rootRequired = new Set(required.flatMap(any => [...any]))
  const both = [...rootRequired].filter(trait => forbidden.has(trait))
  if (both.length > 0)
    throw badQuery(
      `Conflicting required and forbidden traits found in root_required: ${both.join(', ')}`,
      errorCodes.badQueryValue,
    )
  return { rootRequired, rootForbidden: forbidden }
}

/** Until 1.35: a group without resources has nothing to say. */
function checkOrphans(groups: readonly Group[]): void {
  const empty = groups.filter(group => group.resources.size === 0)
  const keys = (name: string, has: (group: Group) => boolean) =>
    empty.filter(has).map(group => `${name}${group.suffix}`)
  const traits = keys('required', group => group.required.length > 0)
  if (traits.length > 0)
    throw badQuery(
      `All traits parameters must be associated with resources.  Found the following orphaned traits keys: ${traits.join(', ')}`,
    )
  const aggregates = keys('member_of', group => group.memberOf.length > 0 || group.forbiddenAggregates.size > 0)
  if (aggregates.length > 0)
    throw badQuery(
      `All member_of parameters must be associated with resources. Found the following orphaned member_of keys: ${aggregates.join(', ')}`,
    )
  if (empty.length > 0) throw badQuery('All request groups must specify resources.')
  if (groups.length === 0) throw badQuery('At least one request group (`resources` or `resources{$S}`) is required.')
}

/** Since 1.36: a group may be without resources where a subtree holds it. */
function checkSubtrees(groups: readonly Group[], sameSubtrees: readonly (readonly string[])[]): void {
  const empty = groups.filter(group => group.resources.size === 0).map(group => group.suffix)
  if (empty.length === groups.length)
    throw badQuery('There must be at least one resources or resources[$S] parameter.', errorCodes.missingQueryValue)
  const named = new Set(sameSubtrees.flat())
  const loose = empty.filter(suffix => !named.has(suffix))
  if (loose.length > 0)
    throw badQuery(
      `Resourceless suffixed group request should be specified in \`same_subtree\` query param: bad group(s) - ${loose.join(', ')}.`,
      errorCodes.badQueryValue,
    )
  const unknown = [...named].filter(suffix => !groups.some(group => group.suffix === suffix))
  if (unknown.length > 0)
    throw badQuery(
      `Real suffixes should be specified in \`same_subtree\`: ${unknown.join(', ')} not found in ${groups.map(group => group.suffix).join(', ')}.`,
      errorCodes.badQueryValue,
    )
}

function checkConflicts(groups: readonly Group[]): void {
  const conflicts = groups.flatMap(group =>
    group.required
      .filter(any => [...any].every(trait => group.forbidden.has(trait)))
      .map(any => `required${group.suffix}: (${[...any].sort().join(', ')})`),
  )
  if (conflicts.length > 0)
    throw badQuery(
      `Conflicting required and forbidden traits found in the following traits keys: ${conflicts.sort().join(', ')}`,
    )
}
