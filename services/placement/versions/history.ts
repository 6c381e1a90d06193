/**
 * What each microversion brought, by name: handlers ask `minor >= since.nestedProviders` and never compare with a bare
 * number. What a version did to a body is in the file of its noun beside this one.
 */
export const since = {
  aggregates: 1,
  resourceClasses: 2,
  deleteInventories: 5,
  traits: 6,
  bodilessResourceClass: 7,
  usages: 9,
  allocationCandidates: 10,
  allocationsLink: 11,
  keyedAllocations: 12,
  manyAllocations: 13,
  nestedProviders: 14,
  cacheHeaders: 15,
  traitsInSummaries: 17,
  aggregateGeneration: 19,
  createdProviderInBody: 20,
  forbiddenTraits: 22,
  repeatedMemberOf: 24,
  reservedMayBeTotal: 26,
  allClassesInSummaries: 27,
  consumerGeneration: 28,
  nestedCandidates: 29,
  reshaper: 30,
  forbiddenAggregates: 32,
  mappings: 34,
  sameSubtree: 36,
  reparenting: 37,
  consumerType: 38,
  anyTraits: 39,
} as const

/** The value that the newest of the versions up to `minor` brought. `list` is sorted by version. */
export function current<T>(list: readonly (readonly [since: number, value: T])[], minor: number): T {
  const found = list.findLast(([from]) => from <= minor)
  if (!found) throw new RangeError(`nothing in force at 1.${minor}`)
  return found[1]
}
