/** The compute service: everything it consists of, put together. */
import { hostname } from 'node:os'
import type { Session } from '@strata/sdk'
import { nova } from '@strata/toolkit/dialect'
import { compilePolicy } from '@strata/toolkit/policy'
import { createExecutor } from '@strata/toolkit/saga'
import { defineService, type ServiceEnvironment } from '@strata/toolkit/service'
import { openStore, type Store } from '@strata/toolkit/store'
import { listenOnSocket } from './agent/socket.ts'
import { computeOperations } from './api/index.ts'
import { createMetadataHandler } from './api/metadata.ts'
import { type ComputeConfig, computeConfig } from './contract/config.ts'
import { microversions } from './contract/microversions.ts'
import { policies } from './contract/policies.ts'
import { asCallerOf, imageFactsOf, networksOf, placementOf, proxiesOf } from './drivers/neighbours/index.ts'
import { createBackground } from './logic/background.ts'
import type { Compute } from './logic/compute.ts'
import { hostStates } from './logic/host-states.ts'
import type { AsCaller } from './logic/ports/caller.ts'
import type { CachedImage, HostAgent } from './logic/ports/hosts.ts'
import type { Networks, Placement } from './logic/ports/neighbours.ts'
import type { ProxiesFor } from './logic/ports/proxies.ts'
import type { MetadataSubject } from './logic/rules/metadata.ts'
import type { ServerDeps } from './logic/server/deps.ts'
import { serverSagas } from './logic/server/index.ts'
import { subjectOf } from './logic/server/plan.ts'
import { groupRule } from './logic/server-group.ts'
import type { ComputeTables } from './store/database.ts'
import { migrations } from './store/migrations/index.ts'
import { findServer } from './store/servers.ts'

export { migrations } from './store/migrations/index.ts'

/** The other services, as this one uses them. */
export interface Neighbours {
  readonly networks: Networks
  readonly placement: Placement
  readonly image: (imageId: string) => Promise<CachedImage>
  readonly asCaller: AsCaller
  readonly proxies: ProxiesFor
}

export interface ComputeExtra {
  /** Agents of the hosts that this process has or reaches. */
  readonly hosts: readonly HostAgent[]
  /** In compute's own name, with the role `service`; or the neighbours themselves. */
  readonly neighbours: Session | Neighbours
  /** Unix socket on which guests' proxies find the metadata service, and the group that may use it. */
  readonly metadata?: { readonly socket: string; readonly group: string }
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
    const background = createBackground({ deps: serverDeps, hosts: extra.hosts, metrics, ...backgroundOptions(config) })
    const findSubject = guestFinder(store, neighbours.networks)
    let metadata: { close(): Promise<void> } | undefined
    const parts: Compute = {
      ...serverDeps,
      config,
      bus,
      sagas,
      asCaller: neighbours.asCaller,
      proxies: neighbours.proxies,
    }
    return {
      type: 'compute',
      dialect: nova,
      policy: compilePolicy(policies, environment.policyOverrides('compute')),
      microversions,
      requestIdHeader: 'x-compute-request-id',
      operations: computeOperations(parts),
      async start() {
        await background.start()
        await sagas.start()
        if (extra.metadata)
          metadata = await listenOnSocket(
            extra.metadata.socket,
            extra.metadata.group,
            createMetadataHandler({ findSubject, runtime, log, dhcpDomain: config.dhcp_domain }),
          )
      },
      async stop() {
        await metadata?.close()
        await sagas.stop()
        await background.stop()
        await store.close()
      },
      health: async () => ({ problems: background.problems(), details: { sagas: await sagas.backlog() } }),
    }
  },
})

const overApis = (session: Session): Neighbours => ({
  networks: networksOf(session),
  placement: placementOf(session),
  image: imageFactsOf(session),
  asCaller: asCallerOf(session),
  proxies: proxiesOf(session),
})

/** The server that has an address on a network: what a guest that asks for its metadata is known by. */
function guestFinder(store: Store<ComputeTables>, networks: Networks) {
  return async (guest: {
    readonly networkId: string
    readonly address: string
  }): Promise<MetadataSubject | undefined> => {
    const serverId = await networks.serverAt(guest)
    const server = serverId === undefined ? undefined : await findServer(store.db, serverId)
    return server && subjectOf(server)
  }
}

const backgroundOptions = (config: ComputeConfig) => ({
  host: {
    cpuAllocationRatio: config.cpu_allocation_ratio,
    ramAllocationRatio: config.ram_allocation_ratio,
    diskAllocationRatio: config.disk_allocation_ratio,
    reservedMemoryMiB: config.reserved_host_memory_mb,
    reservedDiskGiB: config.reserved_host_disk_gb,
  },
  reportInterval: config.report_interval * 1000,
  syncInterval: config.sync_power_state_interval * 1000,
  straysInterval: config.strays_interval * 1000,
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
    group: id => groupRule(store.db, id),
    options: {
      shutdownTimeout: config.shutdown_timeout,
      vifPluggingTimeout: config.vif_plugging_timeout,
      maxAttempts: config.max_attempts,
      dhcpDomain: config.dhcp_domain,
    },
  }
}
