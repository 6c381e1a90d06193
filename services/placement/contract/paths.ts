/** Paths of the placement API, below its root; names are encoded. */
const part = encodeURIComponent

export const paths = {
  root: '/',
  providers: '/resource_providers',
  provider: (uuid: string) => `/resource_providers/${part(uuid)}`,
  inventories: (uuid: string) => `/resource_providers/${part(uuid)}/inventories`,
  inventory: (uuid: string, resourceClass: string) =>
    `/resource_providers/${part(uuid)}/inventories/${part(resourceClass)}`,
  providerTraits: (uuid: string) => `/resource_providers/${part(uuid)}/traits`,
  aggregates: (uuid: string) => `/resource_providers/${part(uuid)}/aggregates`,
  providerUsages: (uuid: string) => `/resource_providers/${part(uuid)}/usages`,
  providerAllocations: (uuid: string) => `/resource_providers/${part(uuid)}/allocations`,
  traits: '/traits',
  trait: (name: string) => `/traits/${part(name)}`,
  resourceClasses: '/resource_classes',
  resourceClass: (name: string) => `/resource_classes/${part(name)}`,
  allocations: '/allocations',
  consumerAllocations: (consumer: string) => `/allocations/${part(consumer)}`,
  allocationCandidates: '/allocation_candidates',
  usages: '/usages',
  reshaper: '/reshaper',
} as const
