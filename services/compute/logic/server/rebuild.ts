/**
 * Rebuilding a server: its disks are made anew from the image that its row names; its host, ports and addresses stay. There is
 * no way back to disks that are gone, so a failure leaves the server in ERROR, from where it can be rebuilt again or deleted.
 */
import { saga } from '@strata/toolkit/saga'
import { powerStates } from '../../contract/states.ts'
import { findServer } from '../../store/servers.ts'
import { portsUp } from './create.ts'
import { change, need, needAgent, now, type ServerDeps, type ServerInput, settle } from './deps.ts'
import { guestPlan } from './plan.ts'

export interface RebuildInput extends ServerInput {
  /** A server that was off is off again afterwards. */
  readonly stopAfterwards: boolean
}

const event = 'compute_rebuild_instance'

export const rebuildServer = saga<RebuildInput, ServerDeps>('server-rebuild')
  .step('begin', {
    run: ({ input, deps }) => change(deps, input.serverId, { task_state: 'rebuilding', fault: null }),
    undo: ({ input, deps, failure }) =>
      settle(deps, input, {
        event,
        error: failure.message,
        change: {
          vm_state: 'error',
          task_state: null,
          power_state: powerStates.shutdown,
          fault: { code: 500, message: failure.message, created: now(deps) },
        },
      }),
  })
  .step('clear', {
    run: async ({ input, deps }) => needAgent(deps, await need(deps, input.serverId)).destroy(input.serverId),
  })
  .step('build', {
    run: async ({ input, deps, signal }) => {
      const server = await need(deps, input.serverId)
      await needAgent(deps, server).build(await guestPlan(deps, server), signal)
    },
    undo: async ({ input, deps }) => {
      const server = await findServer(deps.store.db, input.serverId)
      if (server?.host) await deps.agent(server.host)?.destroy(input.serverId)
    },
  })
  .step('network-up', {
    run: async ({ input, deps, signal }) => {
      const { nics } = await need(deps, input.serverId)
      await portsUp(
        deps,
        nics.map(nic => nic.port_id),
        signal,
      )
    },
  })
  .step('finish', {
    run: async ({ input, deps }) => {
      if (input.stopAfterwards) await needAgent(deps, await need(deps, input.serverId)).stop(input.serverId, 0)
      const state = input.stopAfterwards
        ? ({ vm_state: 'stopped', power_state: powerStates.shutdown } as const)
        : ({ vm_state: 'active', power_state: powerStates.running } as const)
      await settle(deps, input, { event, change: { ...state, task_state: null, launched_at: now(deps) } })
    },
  })
