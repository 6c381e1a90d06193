/** The compute service: everything it consists of, put together. */
import { hostname } from 'node:os'
import type { Session } from '@strata/sdk'
import { nova } from '@strata/toolkit/dialect'
import { compilePolicy } from '@strata/toolkit/policy'
import { createExecutor } from '@strata/toolkit/saga'
import { defineService, type ServiceEnvironment } from '@strata/toolkit/service'
import { openStore } from '@strata/toolkit/store'
import { computeOperations } from './api/index.ts'
import { type ComputeConfig, computeConfig } from './contract/config.ts'
import { microversions } from './contract/microversions.ts'
import { policies } from './contract/policies.ts'
import { asCallerOf, imageFacts, networksOf, placementOf } from './drivers/neighbours/index.ts'
import type { AsCaller } from './logic/caller.ts'
import type { Compute } from './logic/compute.ts'
import { hostStates } from './logic/host-states.ts'
import type { Networks, Placement } from './logic/neighbours.ts'
import type { CachedImage, HostAgent } from './logic/ports.ts'
import type { ServerDeps } from './logic/server/deps.ts'
import { serverSagas } from './logic/server/index.ts'
import type { ComputeTables } from './store/database.ts'
import { migrations } from './store/migrations/index.ts'

/** The other services, as this one uses them. */
export interface Neighbours {
  readonly networks: Networks
  readonly placement: Placement
  readonly image: (imageId: string) => Promise<CachedImage>
  readonly asCaller: AsCaller
}

export interface ComputeExtra {
  /** Agents of the hosts that this process has or reaches. */
  readonly hosts: readonly HostAgent[]
  /** In compute's own name, with the role `service`; or the neighbours themselves. */
  readonly neighbours: Session | Neighbours
}

export const compute = defineService<ComputeExtra>({
  type: 'compute',
  config: [computeConfig],
  async build(environment, extra) {
    const config = environment.config.section(computeConfig)
    const store = await openStore<ComputeTables>({ url: environment.databaseUrl('compute'), migrations })
    const neighbours = 'call' in extra.neighbours ? overApis(extra.neighbours) : extra.neighbours
    const serverDeps = sagaDeps({ environment, config, store, hosts: extra.hosts, neighbours })
    const { runtime, log, metrics, bus } = environment
    const sagas = createExecutor({
      store,
      sagas: serverSagas,
      deps: serverDeps,
      runtime,
      log,
      metrics,
      owner: hostname(),
    })
    const parts: Compute = { ...serverDeps, config, bus, sagas, asCaller: neighbours.asCaller }
    return {
      type: 'compute',
      dialect: nova,
      policy: compilePolicy(policies, environment.policyOverrides('compute')),
      microversions,
      requestIdHeader: 'x-compute-request-id',
      operations: computeOperations(parts),
      async start() {
        for (const host of extra.hosts) await host.open()
        await sagas.start()
      },
      async stop() {
        await sagas.stop()
        for (const host of extra.hosts) await host.close()
        await store.close()
      },
    }
  },
})

const overApis = (session: Session): Neighbours => ({
  networks: networksOf(session),
  placement: placementOf(session),
  image: id => imageFacts(session, id),
  asCaller: asCallerOf(session),
})

function sagaDeps(options: {
  readonly environment: ServiceEnvironment
  readonly config: ComputeConfig
  readonly store: ServerDeps['store']
  readonly hosts: readonly HostAgent[]
  readonly neighbours: Neighbours
}): ServerDeps {
  const { environment, config, store, neighbours } = options
  const { runtime, log, bus } = environment
  const agents = new Map(options.hosts.map(host => [host.hostname, host]))
  return {
    store,
    runtime,
    log,
    bus,
    networks: neighbours.networks,
    placement: neighbours.placement,
    image: neighbours.image,
    agent: name => agents.get(name),
    hostStates: () => hostStates({ store, runtime }, config),
    group: async () => undefined,
    options: {
      shutdownTimeout: config.shutdown_timeout,
      vifPluggingTimeout: config.vif_plugging_timeout,
      maxAttempts: config.max_attempts,
    },
  }
}
