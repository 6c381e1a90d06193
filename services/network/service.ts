/** The network service put together: contract, store, logic, API, and the data plane that its composition hands it. */
import { neutron } from '@strata/toolkit/dialect'
import { compilePolicy } from '@strata/toolkit/policy'
import { defineService } from '@strata/toolkit/service'
import { openStore } from '@strata/toolkit/store'
import { agentOperations } from './api/agents.ts'
import { availabilityOperations } from './api/availabilities.ts'
import { discoveryOperations } from './api/discovery.ts'
import { networkOperations } from './api/networks.ts'
import { portOperations } from './api/ports.ts'
import { quotaOperations } from './api/quotas.ts'
import { rbacPolicyOperations } from './api/rbac-policies.ts'
import { floatingIpOperations, routerOperations } from './api/routers.ts'
import { securityGroupOperations } from './api/security-groups.ts'
import { networkConfig } from './contract/config.ts'
import { CHANGED_TOPIC, type ChangedEvent, PORT_TOPIC, type PortEvent } from './contract/events.ts'
import { policies } from './contract/policies.ts'
import type { NetworkDeps } from './logic/deps.ts'
import type { NetworkBackend } from './logic/ports.ts'
import { createDataplane } from './logic/reconcilers/dataplane.ts'
import type { NetworkTables } from './store/database.ts'
import { migrations } from './store/migrations/index.ts'

export { migrations } from './store/migrations/index.ts'

export interface NetworkExtra {
  readonly backend: NetworkBackend
}

export const network = defineService<NetworkExtra>({
  type: 'network',
  config: [networkConfig],
  async build(environment, { backend }) {
    const { runtime, bus, log, metrics } = environment
    const settings = environment.config.section(networkConfig)
    const store = await openStore<NetworkTables>({ url: environment.databaseUrl('network'), migrations })
    const portChanged = (port_id: string, status: string, host: string) =>
      bus.publish(PORT_TOPIC, { port_id, status, host } satisfies PortEvent)
    const dataplane = createDataplane({
      store,
      backend,
      runtime,
      log,
      metrics,
      period: settings.sync_period * 1000,
      portChanged,
    })
    const changed: NetworkDeps['changed'] = (kind, ids) => {
      dataplane.changed(kind, ids)
      bus.publish(CHANGED_TOPIC, { kind, ids } satisfies ChangedEvent)
    }
    const deps: NetworkDeps = { store, runtime, settings, changed, portChanged }
    return {
      type: 'network',
      dialect: neutron,
      policy: compilePolicy(policies, environment.policyOverrides('network')),
      operations: [
        ...discoveryOperations(),
        ...networkOperations(deps),
        ...portOperations(deps),
        ...routerOperations(deps),
        ...floatingIpOperations(deps),
        ...securityGroupOperations(deps),
        ...rbacPolicyOperations(deps),
        ...availabilityOperations(deps),
        ...agentOperations(deps, backend),
        ...quotaOperations(deps),
      ],
      start: dataplane.start,
      async stop() {
        await dataplane.stop()
        await store.close()
      },
      async health() {
        const problem = dataplane.problem()
        return { problems: problem === undefined ? [] : [`network data plane (${backend.name}): ${problem}`] }
      },
    }
  },
})
