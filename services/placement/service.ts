/** The placement service: who has how much of what, who holds it, and where more would fit. */
import { compilePolicy } from '@strata/toolkit/policy'
import { defineService } from '@strata/toolkit/service'
import { openStore } from '@strata/toolkit/store'
import { allocationEndpoints } from './api/allocation.ts'
import { candidateEndpoints } from './api/candidate.ts'
import { inventoryEndpoints } from './api/inventory.ts'
import { resourceClassEndpoints, traitEndpoints } from './api/names.ts'
import { providerEndpoints } from './api/provider.ts'
import { rootEndpoints } from './api/root.ts'
import { usageEndpoints } from './api/usage.ts'
import { dialect } from './contract/errors.ts'
import { microversions } from './contract/microversions.ts'
import { policies } from './contract/policies.ts'
import type { Placement } from './logic/change.ts'
import { createSnapshotKeeper } from './logic/snapshot.ts'
import { migrations } from './store/migrations/index.ts'
import type { Tables } from './store/tables.ts'

export { migrations } from './store/migrations/index.ts'

export const placement = defineService({
  type: 'placement',
  config: [],
  async build(environment) {
    const store = await openStore<Tables>({ url: environment.databaseUrl('placement'), migrations })
    const parts: Placement = { store, runtime: environment.runtime, snapshot: createSnapshotKeeper(store) }
    return {
      type: 'placement',
      dialect,
      policy: compilePolicy(policies, environment.policyOverrides('placement')),
      microversions,
      operations: [
        ...rootEndpoints(parts),
        ...providerEndpoints(parts),
        ...inventoryEndpoints(parts),
        ...traitEndpoints(parts),
        ...resourceClassEndpoints(parts),
        ...allocationEndpoints(parts),
        ...usageEndpoints(parts),
        ...candidateEndpoints(parts),
      ],
      // Read the snapshot in before the first caller waits for it.
      start: async () => void (await parts.snapshot.latest()),
      stop: () => store.close(),
    }
  },
})
