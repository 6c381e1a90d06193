/** `GET /allocation_candidates`. */
import type { Operation } from '@strata/toolkit/service'
import { type AllocationCandidates, candidatesQuerySchemas, type ProviderSummary } from '../contract/candidate.ts'
import { searchCandidates } from '../logic/candidate.ts'
import type { Placement } from '../logic/change.ts'
import type { Candidate, Found } from '../logic/rules/candidates.ts'
import { capacityOf } from '../logic/rules/capacity.ts'
import { parseSearch } from '../logic/rules/query.ts'
import type { ProviderView } from '../logic/rules/snapshot.ts'
import { downCandidates } from '../versions/candidate.ts'
import { since } from '../versions/history.ts'
import { answer, endpoint, versioned } from './http.ts'
import { abilitiesOf } from './provider.ts'

const requestView = ({ resources, mappings }: Candidate): AllocationCandidates['allocation_requests'][number] => ({
  allocations: Object.fromEntries(
    [...resources].map(([uuid, amounts]) => [uuid, { resources: Object.fromEntries(amounts) }]),
  ),
  mappings: Object.fromEntries([...mappings].map(([suffix, uuids]) => [suffix, [...uuids]])),
})

const summaryView = (provider: ProviderView): ProviderSummary => ({
  resources: Object.fromEntries(
    [...provider.stocks].map(([name, stock]) => [name, { capacity: Math.floor(capacityOf(stock)), used: stock.used }]),
  ),
  traits: [...provider.traits],
  parent_provider_uuid: provider.parent,
  root_provider_uuid: provider.root,
})

const view = ({ candidates, providers }: Found): AllocationCandidates => ({
  allocation_requests: candidates.map(requestView),
  provider_summaries: Object.fromEntries(providers.map(provider => [provider.uuid, summaryView(provider)])),
})

export function candidateEndpoints(placement: Placement): Operation[] {
  return [
    endpoint({
      method: 'GET',
      path: '/allocation_candidates',
      since: since.allocationCandidates,
      policy: 'placement:allocation_candidates:list',
      query: versioned(candidatesQuerySchemas),
      async handler(request) {
        const search = parseSearch(request.query, abilitiesOf(request.minor))
        const shown = view(await searchCandidates(placement, search))
        const asked = new Set(search.groups.flatMap(group => [...group.resources.keys()]))
        return answer(request, { body: downCandidates(shown, asked, request.minor) }, placement.runtime.now())
      },
    }),
  ]
}
