/**
 * Allocation candidates: the ways in which a request could be allocated now, each ready to be sent as allocations, with a
 * summary of every provider of the trees involved.
 */
import type { JsonSchema } from '@strata/toolkit/schema'

export interface AllocationRequest {
  readonly allocations: Readonly<Record<string, { readonly resources: Readonly<Record<string, number>> }>>
  /** Providers by request group; the unsuffixed group is the empty string. Since 1.34. */
  readonly mappings: Readonly<Record<string, readonly string[]>>
}

export interface ProviderSummary {
  readonly resources: Readonly<Record<string, { readonly capacity: number; readonly used: number }>>
  readonly traits: readonly string[]
  readonly parent_provider_uuid: string | null
  readonly root_provider_uuid: string
}

/** Answer of `GET /allocation_candidates` since 1.34. */
export interface AllocationCandidates {
  readonly allocation_requests: readonly AllocationRequest[]
  readonly provider_summaries: Readonly<Record<string, ProviderSummary>>
}

/** What to ask for, one group; see `candidatesQuery`. */
export interface RequestGroup {
  readonly resources: Readonly<Record<string, number>>
  /** `HW_CPU_X86_VMX`, `!CUSTOM_BAD`; a list means any of them. */
  readonly required?: readonly (string | readonly string[])[]
  /** Each entry: aggregates of which the provider must be in at least one. */
  readonly memberOf?: readonly (readonly string[])[]
  readonly forbiddenAggregates?: readonly string[]
  readonly inTree?: string
}

export interface CandidatesRequest {
  /** By suffix; the unsuffixed group is the empty string and may be met by several providers of a tree. */
  readonly groups: Readonly<Record<string, RequestGroup>>
  readonly limit?: number
  readonly groupPolicy?: 'none' | 'isolate'
  readonly rootRequired?: readonly string[]
  readonly sameSubtree?: readonly (readonly string[])[]
}

/** The query string (1.39) of such a request, without its question mark. */
export function candidatesQuery(request: CandidatesRequest): string {
  const query = new URLSearchParams()
  const add = (key: string, value: string) => query.append(key, value)
  for (const [suffix, group] of Object.entries(request.groups)) {
    const amounts = Object.entries(group.resources).map(([name, amount]) => `${name}:${amount}`)
    if (amounts.length > 0) add(`resources${suffix}`, amounts.join(','))
    for (const trait of group.required ?? [])
      add(`required${suffix}`, typeof trait === 'string' ? trait : `in:${trait.join(',')}`)
    for (const any of group.memberOf ?? []) add(`member_of${suffix}`, `in:${any.join(',')}`)
    if (group.forbiddenAggregates?.length) add(`member_of${suffix}`, `!in:${group.forbiddenAggregates.join(',')}`)
    if (group.inTree !== undefined) add(`in_tree${suffix}`, group.inTree)
  }
  if (request.limit !== undefined) add('limit', String(request.limit))
  if (request.groupPolicy) add('group_policy', request.groupPolicy)
  if (request.rootRequired?.length) add('root_required', request.rootRequired.join(','))
  for (const suffixes of request.sameSubtree ?? []) add('same_subtree', suffixes.join(','))
  return query.toString()
}

/** Read further by logic/rules/query.ts: any of these may be repeated, and each has its own little language. */
const oneOrMore: JsonSchema = {}

const plain = (names: readonly string[], required: readonly string[], more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties: { ...Object.fromEntries(names.map(name => [name, oneOrMore])), ...more },
})
const grouped = (suffix: string, names: readonly string[], more: JsonSchema): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  properties: more,
  patternProperties: { [`^(${names.join('|')})(${suffix})?$`]: oneOrMore },
})

const numbered = '[1-9][0-9]*'
const worded = '[a-zA-Z0-9_-]{1,64}'
const threeNames = ['resources', 'required', 'member_of']
const fourNames = [...threeNames, 'in_tree']
const wide = { limit: oneOrMore, group_policy: oneOrMore }

/** Queries of `GET /allocation_candidates`, by the version that brought them. */
export const candidatesQuerySchemas: readonly (readonly [since: number, schema: JsonSchema])[] = [
  [10, plain(['resources'], ['resources'])],
  [16, plain(['resources'], ['resources'], { limit: oneOrMore })],
  [17, plain(['resources', 'required'], ['resources'], { limit: oneOrMore })],
  [21, plain(threeNames, ['resources'], { limit: oneOrMore })],
  [25, grouped(numbered, threeNames, wide)],
  [31, grouped(numbered, fourNames, wide)],
  [33, grouped(worded, fourNames, wide)],
  [35, grouped(worded, fourNames, { ...wide, root_required: oneOrMore })],
  [36, grouped(worded, fourNames, { ...wide, root_required: oneOrMore, same_subtree: oneOrMore })],
]

const providers = (names: readonly string[]): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  properties: {
    uuid: { type: 'string', format: 'uuid' },
    name: { type: 'string' },
    ...Object.fromEntries(
      names.map(name => [name, name === 'in_tree' ? { type: 'string', format: 'uuid' } : oneOrMore]),
    ),
  },
})

/** Queries of `GET /resource_providers`. */
export const providersQuerySchemas: typeof candidatesQuerySchemas = [
  [0, providers([])],
  [3, providers(['member_of'])],
  [4, providers(['member_of', 'resources'])],
  [14, providers(['member_of', 'resources', 'in_tree'])],
  [18, providers(['member_of', 'resources', 'in_tree', 'required'])],
]
