/** Allocation candidates: the search over the latest snapshot. */
import type { Placement } from './change.ts'
import { mustKnowClasses, mustKnowTraits } from './names.ts'
import { type Found, findCandidates, type Search } from './rules/candidates.ts'

/** Throws 400 for classes and traits that do not exist. */
export async function searchCandidates({ store, snapshot }: Placement, search: Search): Promise<Found> {
  await mustKnowClasses(
    store.db,
    search.groups.flatMap(group => [...group.resources.keys()]),
    'Invalid resource class in resources parameter:',
  )
  await mustKnowTraits(store.db, [
    ...search.groups.flatMap(group => [...group.required.flatMap(any => [...any]), ...group.forbidden]),
    ...search.rootRequired,
    ...search.rootForbidden,
  ])
  return findCandidates(await snapshot.latest(), search)
}
