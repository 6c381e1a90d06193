/**
 * Allocation candidates through the versions: requests were lists until 1.11 and had no mappings until 1.33; summaries told
 * no traits until 1.16, only the classes asked for until 1.26, and nothing of trees until 1.28.
 */
import type { AllocationCandidates, AllocationRequest, ProviderSummary } from '../contract/candidate.ts'
import { since } from './history.ts'

/** What a version shows; `asked` are the resource classes of the request. */
export function downCandidates(
  shown: AllocationCandidates,
  asked: ReadonlySet<string>,
  minor: number,
): { readonly allocation_requests: readonly object[]; readonly provider_summaries: object } {
  return {
    allocation_requests: shown.allocation_requests.map(one => downRequest(one, minor)),
    provider_summaries: Object.fromEntries(
      Object.entries(shown.provider_summaries).map(([uuid, one]) => [uuid, downSummary(one, asked, minor)]),
    ),
  }
}

function downRequest({ allocations, mappings }: AllocationRequest, minor: number): object {
  if (minor >= since.mappings) return { allocations, mappings }
  if (minor >= since.keyedAllocations) return { allocations }
  return {
    allocations: Object.entries(allocations).map(([uuid, { resources }]) => ({
      resource_provider: { uuid },
      resources,
    })),
  }
}

function downSummary(summary: ProviderSummary, asked: ReadonlySet<string>, minor: number): object {
  const { resources, traits, parent_provider_uuid, root_provider_uuid } = summary
  const all = minor >= since.allClassesInSummaries
  return {
    resources: all ? resources : Object.fromEntries(Object.entries(resources).filter(([name]) => asked.has(name))),
    ...(minor >= since.traitsInSummaries ? { traits } : {}),
    ...(minor >= since.nestedCandidates ? { parent_provider_uuid, root_provider_uuid } : {}),
  }
}
