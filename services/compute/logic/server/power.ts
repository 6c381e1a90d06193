/** Powering servers on and off, rebooting and pausing them. A failure leaves the server as it was and says why in its action. */
import { saga } from '@strata/toolkit/saga'
import { type PowerState, powerStates, type TaskState, type VmState } from '../../contract/states.ts'
import type { GuestPlan, HostAgent } from '../ports/hosts.ts'
import { change, need, needAgent, type ServerDeps, type ServerInput, settle } from './deps.ts'
import { existingGuestPlan } from './plan.ts'

interface PowerVerb<Input extends ServerInput> {
  readonly name: string
  readonly task: TaskState
  /** As `os-instance-actions` calls it. */
  readonly event: string
  readonly act: (host: HostAgent, scene: { plan: GuestPlan; input: Input; deps: ServerDeps }) => Promise<void>
  readonly becomes: { readonly vm_state: VmState; readonly power_state: PowerState }
}

const powerSaga = <Input extends ServerInput>(verb: PowerVerb<Input>) =>
  saga<Input, ServerDeps>(verb.name)
    .step('begin', {
      run: ({ input, deps }) => change(deps, input.serverId, { task_state: verb.task }),
      undo: ({ input, deps, failure }) =>
        settle(deps, input, { event: verb.event, error: failure.message, change: { task_state: null } }),
    })
    .step('act', {
      run: async ({ input, deps }) => {
        const server = await need(deps, input.serverId)
        await verb.act(needAgent(deps, server), { plan: existingGuestPlan(deps, server), input, deps })
      },
    })
    .step('finish', {
      run: ({ input, deps }) =>
        settle(deps, input, { event: verb.event, change: { ...verb.becomes, task_state: null, fault: null } }),
    })

const running = { vm_state: 'active', power_state: powerStates.running } as const
const stopped = { vm_state: 'stopped', power_state: powerStates.shutdown } as const

export const stopServer = powerSaga({
  name: 'server-stop',
  task: 'powering-off',
  event: 'compute_stop_instance',
  act: (host, { input, deps }) => host.stop(input.serverId, deps.options.shutdownTimeout),
  becomes: stopped,
})

export const startServer = powerSaga({
  name: 'server-start',
  task: 'powering-on',
  event: 'compute_start_instance',
  act: async (host, { plan }) => host.start(plan),
  becomes: running,
})

export const softRebootServer = powerSaga({
  name: 'server-reboot-soft',
  task: 'rebooting',
  event: 'compute_reboot_instance',
  act: async (host, { plan, deps }) => host.reboot(plan, 'SOFT', deps.options.shutdownTimeout),
  becomes: running,
})

export const hardRebootServer = powerSaga({
  name: 'server-reboot-hard',
  task: 'rebooting_hard',
  event: 'compute_reboot_instance',
  act: async (host, { plan }) => host.reboot(plan, 'HARD', 0),
  becomes: running,
})

export const pauseServer = powerSaga({
  name: 'server-pause',
  task: 'pausing',
  event: 'compute_pause_instance',
  act: (host, { input }) => host.pause(input.serverId),
  becomes: { vm_state: 'paused', power_state: powerStates.paused },
})

export const unpauseServer = powerSaga({
  name: 'server-unpause',
  task: 'unpausing',
  event: 'compute_unpause_instance',
  act: (host, { input }) => host.unpause(input.serverId),
  becomes: running,
})
