/** What a service is made of: the shapes between a service's `service.ts`, the composition that builds it, and `mount`. */
import type { Config, ConfigSection } from '../config/index.ts'
import type { Dialect } from '../dialect/index.ts'
import type { Log } from '../log/index.ts'
import type { Bus } from '../messaging/index.ts'
import type { Metrics } from '../metrics/index.ts'
import type { Policy } from '../policy/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { TokenVerifier } from '../tokens/index.ts'
import type { ThumbprintOf } from './holder.ts'
import type { MicroversionRange } from './microversion.ts'
import type { Operation } from './operation.ts'

/** What every service is given. `S` is what else its composition hands it (drivers, clients of other services). */
export interface ServiceEnvironment {
  readonly config: Config
  readonly runtime: Runtime
  readonly log: Log
  readonly metrics: Metrics
  readonly bus: Bus
  readonly verifyToken: TokenVerifier
  /** Database URL of a service by its name: one file, or one schema, each. */
  databaseUrl(service: string): string
  /** Folder for this service's files; made on first use by the service. */
  stateDir(service: string): string
  /** Check strings of `policy.yaml` by rule, for one service. */
  policyOverrides(service: string): Readonly<Record<string, string>>
}

/** A service that is built and ready to be mounted. */
export interface ServiceInstance {
  /** Official service type, and the first part of its path: `identity`. */
  readonly type: string
  readonly dialect: Dialect
  readonly policy: Policy
  readonly operations: readonly Operation[]
  readonly microversions?: MicroversionRange
  /** A second header that carries the request id, as older clients know it: `x-compute-request-id`. */
  readonly requestIdHeader?: string
  /** How it checks the tokens of its own callers, where it does so itself instead of asking identity. */
  readonly verifyToken?: TokenVerifier
  /** How it finds the client certificate of its callers, where it knows that. */
  readonly thumbprintOf?: ThumbprintOf
  /** Starts what runs by itself: sagas that were cut off, reconcilers, watches. Called once all services are mounted. */
  start?(): Promise<void>
  /** Ends what `start` began and closes the store. Guests and networks go on. */
  stop(): Promise<void>
  /** What `status` and `/healthz` show of it; `problems` is empty when all is well. */
  health?(): Promise<ServiceHealth>
}

export interface ServiceHealth {
  readonly problems: readonly string[]
  readonly details?: Readonly<Record<string, unknown>>
}

export interface ServiceDefinition<Extra, Instance extends ServiceInstance = ServiceInstance> {
  readonly type: string
  readonly config: readonly ConfigSection<unknown>[]
  build(environment: ServiceEnvironment, extra: Extra): Promise<Instance>
}

/** Only helps inference. */
export function defineService<Extra = void, Instance extends ServiceInstance = ServiceInstance>(
  definition: ServiceDefinition<Extra, Instance>,
): ServiceDefinition<Extra, Instance> {
  return definition
}
