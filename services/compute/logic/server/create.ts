/**
 * Building a server: find a host and claim its resources, make its ports, let the host build it, wait for its network. When
 * a step fails, all before it is taken back and the server is left in ERROR with the cause.
 */
import { PORT_TOPIC, type PortEvent } from '@strata/network/contract'
import { type Failure, isTransient, saga } from '@strata/toolkit/saga'
import type { Nic } from '../../contract/nic.ts'
import { powerStates } from '../../contract/states.ts'
import type { ServerFault } from '../../store/database.ts'
import { findServer, type Server } from '../../store/servers.ts'
import type { RequestedNic } from '../ports/neighbours.ts'
import { change, need, needAgent, now, type ServerDeps, type ServerInput, settle } from './deps.ts'
import { place, placeElsewhere } from './placing.ts'
import { guestPlan } from './plan.ts'

export interface CreateInput extends ServerInput {
  readonly nics: readonly RequestedNic[]
  readonly forcedHost: string | null
}

const event = 'compute__do_build_and_run_instance'

export const createServer = saga<CreateInput, ServerDeps>('server-create')
  .step('begin', {
    run: ({ input, deps }) =>
      change(deps, input.serverId, { vm_state: 'building', task_state: 'scheduling', fault: null }),
    undo: ({ input, deps, failure }) =>
      settle(deps, input, {
        event,
        error: failure.message,
        change: {
          vm_state: 'error',
          task_state: null,
          host: null,
          nics: [],
          power_state: powerStates.pending,
          fault: faultOf(deps, failure),
        },
      }),
  })
  .step('place', {
    run: async ({ input, deps }) => {
      const server = await need(deps, input.serverId)
      const host = await place(deps, server, { forcedHost: input.forcedHost, excludedHosts: [] })
      await change(deps, input.serverId, { task_state: 'networking' })
      return { host: host.hostname, zone: host.availabilityZone }
    },
    undo: ({ input, deps }) => deps.placement.release(input.serverId),
  })
  .step('ports', {
    run: async ({ input, deps, prior, key }) => {
      const server = await need(deps, input.serverId)
      const owner = {
        serverId: server.id,
        projectId: server.project_id,
        host: prior.place.host,
        availabilityZone: prior.place.zone,
      }
      const nics: Nic[] = []
      for (const [at, nic] of input.nics.entries())
        nics.push(
          nic.portId === undefined
            ? await deps.networks.createPort({
                key: `${key}:${at}`,
                owner,
                nic,
                securityGroups: server.security_groups,
              })
            : await deps.networks.claimPort({ owner, nic }),
        )
      await change(deps, server.id, { nics, task_state: 'spawning' })
    },
    undo: ({ input, deps }) => deps.networks.releasePorts(input.serverId, givenPorts(input.nics)),
  })
  .step('build', {
    run: async ({ input, deps, signal }) => {
      for (const failed: string[] = []; ; ) {
        const server = await need(deps, input.serverId)
        try {
          return await needAgent(deps, server).build(await guestPlan(deps, server), signal)
        } catch (thrown) {
          failed.push(server.host!)
          if (signal.aborted || isTransient(thrown) || !(await moveOn(deps, server, input, failed))) throw thrown
        }
      }
    },
    undo: async ({ input, deps }) => {
      const server = await findServer(deps.store.db, input.serverId)
      if (server?.host) await deps.agent(server.host)?.destroy(input.serverId)
    },
  })
  .step('network-up', {
    run: async ({ input, deps, signal }) => {
      const server = await need(deps, input.serverId)
      await portsUp(
        deps,
        server.nics.map(nic => nic.port_id),
        signal,
      )
    },
  })
  .step('finish', {
    run: ({ input, deps }) =>
      settle(deps, input, {
        event,
        change: {
          vm_state: 'active',
          task_state: null,
          power_state: powerStates.running,
          progress: 100,
          launched_at: now(deps),
        },
      }),
  })

/** After a failed build: its remains go, and another host, if there is one and attempts are left, gets the claim and the ports. */
async function moveOn(
  deps: ServerDeps,
  server: Server,
  input: CreateInput,
  failed: readonly string[],
): Promise<boolean> {
  if (failed.length >= deps.options.maxAttempts || input.forcedHost !== null) return false
  // Before another host is written on the server: nobody would look for its remains here any more.
  await deps.agent(server.host!)?.destroy(server.id)
  const next = await placeElsewhere(deps, server, failed)
  if (!next) return false
  await deps.networks.bindPorts(
    server.nics.map(nic => nic.port_id),
    next.hostname,
  )
  deps.log.info({ server: server.id, failed, next: next.hostname }, 'a build failed and goes on at another host')
  return true
}

const givenPorts = (nics: readonly RequestedNic[]): readonly string[] => nics.flatMap(nic => nic.portId ?? [])

function faultOf(deps: ServerDeps, failure: Failure): ServerFault {
  const details =
    failure.details === undefined ? `The build failed at the step "${failure.step}".` : JSON.stringify(failure.details)
  return { code: 500, message: failure.message, details, created: now(deps) }
}

/** Resolves when all ports are up. Messages wake it at once; a look every second makes up for those that get lost. */
export async function portsUp(deps: ServerDeps, portIds: readonly string[], signal: AbortSignal): Promise<void> {
  if (portIds.length === 0) return
  const end = deps.runtime.monotonic() + deps.options.vifPluggingTimeout * 1000
  let wake = () => {}
  const unsubscribe = deps.bus.subscribe(PORT_TOPIC, payload => {
    if (portIds.includes((payload as PortEvent).port_id)) wake()
  })
  try {
    for (;;) {
      // Subscribed before looking, so that what changes between the look and the wait is not missed.
      const hint = new Promise<void>(resolve => {
        wake = resolve
      })
      const up = await deps.networks.portsUp(portIds)
      const down = portIds.filter(id => !up.has(id))
      if (down.length === 0) return
      signal.throwIfAborted()
      if (deps.runtime.monotonic() > end)
        throw new Error(
          `Virtual Interface creation failed: ${down.length === 1 ? 'port' : 'ports'} ${down.join(', ')} did not come up within ${deps.options.vifPluggingTimeout} s.`,
        )
      await Promise.race([hint, deps.runtime.sleep(1000, signal)])
    }
  } finally {
    unsubscribe()
  }
}
