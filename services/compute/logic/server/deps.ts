/** What the sagas of servers work with. */
import type { Log } from '@strata/toolkit/log'
import type { Bus } from '@strata/toolkit/messaging'
import { isoTime, type Runtime } from '@strata/toolkit/runtime'
import type { Store } from '@strata/toolkit/store'
import { finishAction } from '../../store/actions.ts'
import type { ComputeTables } from '../../store/database.ts'
import { findServer, type Server, updateServer } from '../../store/servers.ts'
import type { CachedImage, HostAgent } from '../ports/hosts.ts'
import type { Networks, Placement } from '../ports/neighbours.ts'
import type { HostState } from '../scheduler/types.ts'

export interface ServerDeps {
  readonly store: Store<ComputeTables>
  readonly runtime: Runtime
  readonly log: Log
  readonly bus: Bus
  readonly networks: Networks
  readonly placement: Placement
  /** The agent of a host; undefined when no such host is known (any more). */
  readonly agent: (hostname: string) => HostAgent | undefined
  /** All hosts as the scheduler sees them. */
  readonly hostStates: () => Promise<readonly HostState[]>
  readonly group: (
    groupId: string,
  ) => Promise<{ readonly policy: string; readonly maxServersPerHost?: number } | undefined>
  readonly image: (imageId: string) => Promise<CachedImage>
  readonly options: ServerOptions
}

export interface ServerOptions {
  /** Seconds that a guest has to power off when it is asked to. */
  readonly shutdownTimeout: number
  /** Seconds that a new server's ports have to come up. */
  readonly vifPluggingTimeout: number
  /** Hosts that are tried before a build is given up. */
  readonly maxAttempts: number
  /** Follows a server's hostname in its metadata; empty for none. */
  readonly dhcpDomain: string
}

/** Every saga's input has at least this. */
export interface ServerInput {
  readonly serverId: string
  /** Of `instance_actions`. */
  readonly actionId: string
}

/** The server, or an error that ends the saga: it was deleted meanwhile. */
export async function need(deps: ServerDeps, serverId: string): Promise<Server> {
  const server = await findServer(deps.store.db, serverId)
  if (!server) throw new Error(`Instance ${serverId} could not be found.`)
  return server
}

export const now = (deps: Pick<ServerDeps, 'runtime'>): string => isoTime(deps.runtime.now())

export function needAgent(deps: ServerDeps, server: Server): HostAgent {
  const agent = server.host === null ? undefined : deps.agent(server.host)
  if (!agent) throw new Error(`Instance ${server.id} has no host that could do this.`)
  return agent
}

/** Topic on which changes of servers are told. */
export const serverChanged = 'compute.server'

/** Writes the server's new state and that its action ended, in one transaction; a server that is gone is left so. */
export async function settle(
  deps: ServerDeps,
  input: ServerInput,
  outcome: {
    readonly event: string
    readonly error?: string
    readonly change: Partial<Server> | ((server: Server) => Partial<Server>)
  },
): Promise<void> {
  const { store, runtime, bus } = deps
  await store.transaction(async (tx, afterCommit) => {
    const server = await findServer(tx, input.serverId)
    await finishAction(tx, runtime, input.actionId, {
      event: outcome.event,
      host: server?.host ?? null,
      error: outcome.error,
    })
    if (!server) return
    const change = typeof outcome.change === 'function' ? outcome.change(server) : outcome.change
    // A deletion that was accepted meanwhile keeps its mark.
    const task =
      server.task_state === 'deleting' && change.task_state !== undefined ? { task_state: server.task_state } : {}
    await updateServer(tx, input.serverId, now(deps), { ...change, ...task })
    afterCommit(() => bus.publish(serverChanged, { id: input.serverId }))
  })
}

/** Changes a server outside of its last step; one that is gone is left so. */
export async function change(deps: ServerDeps, serverId: string, values: Partial<Server>): Promise<void> {
  await deps.store.transaction(async (tx, afterCommit) => {
    if ('task_state' in values && (await findServer(tx, serverId))?.task_state === 'deleting') {
      const { task_state: _, ...rest } = values
      await updateServer(tx, serverId, now(deps), rest)
    } else await updateServer(tx, serverId, now(deps), values)
    afterCommit(() => deps.bus.publish(serverChanged, { id: serverId }))
  })
}
