/** What other services may know of placement: its paths, bodies, answers, error codes and policy. */
export type { Aggregates } from './aggregate.ts'
export type {
  ConsumerAllocations,
  ManyAllocations,
  ProviderAllocation,
  Reshape,
  ShownAllocations,
} from './allocation.ts'
export {
  type AllocationCandidates,
  type AllocationRequest,
  type CandidatesRequest,
  candidatesQuery,
  type ProviderSummary,
  type RequestGroup,
} from './candidate.ts'
export { errorCodes } from './errors.ts'
export type { Inventories, Inventory, InventoryInput, OneInventory, SetInventories } from './inventory.ts'
export { microversions, versionHeader } from './microversions.ts'
export { paths } from './paths.ts'
export { policies } from './policies.ts'
export type { CreateProvider, ProviderList, ResourceProvider, UpdateProvider } from './provider.ts'
export { standardResourceClasses } from './standard-resource-classes.ts'
export { sharesViaAggregate, standardTraits } from './standard-traits.ts'
export type { ProviderTraits, SetTraits } from './trait.ts'
export type { ProjectUsages, ProviderUsages } from './usage.ts'
