/** What the handlers of requests work with. */
import type { Log } from '@strata/toolkit/log'
import type { Bus } from '@strata/toolkit/messaging'
import type { Runtime } from '@strata/toolkit/runtime'
import type { SagaExecutor } from '@strata/toolkit/saga'
import type { Store } from '@strata/toolkit/store'
import type { ComputeConfig } from '../contract/config.ts'
import type { ComputeTables } from '../store/database.ts'
import type { AsCaller } from './ports/caller.ts'
import type { HostAgent } from './ports/hosts.ts'
import type { Networks, Placement } from './ports/neighbours.ts'
import type { ProxiesFor } from './ports/proxies.ts'

export interface Compute {
  readonly store: Store<ComputeTables>
  readonly runtime: Runtime
  readonly log: Log
  readonly bus: Bus
  readonly config: ComputeConfig
  readonly sagas: SagaExecutor
  /** The other services as the caller sees them. */
  readonly asCaller: AsCaller
  /** What stands behind the proxy APIs, as the caller sees it. */
  readonly proxies: ProxiesFor
  /** The other services as compute itself sees them. */
  readonly networks: Networks
  readonly placement: Placement
  /** The agent of a host; undefined when no such host is known (any more). */
  readonly agent: (hostname: string) => HostAgent | undefined
}
