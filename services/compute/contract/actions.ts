/** What may be asked of a server in which state, as Nova has it. */
import type { TaskState, VmState } from './states.ts'

export interface StateRule {
  /** As the refusal words it: `Cannot 'stop' instance …`. */
  readonly word: string
  readonly vmStates: readonly VmState[]
  /** Tasks during which it may be asked all the same; `any` when tasks do not matter. */
  readonly during: readonly TaskState[] | 'any'
}

const settled: readonly VmState[] = ['active', 'paused', 'suspended', 'stopped']

export const stateRules = {
  start: { word: 'start', vmStates: ['stopped'], during: [] },
  stop: { word: 'stop', vmStates: ['active', 'error'], during: [] },
  softReboot: { word: 'reboot', vmStates: ['active'], during: [] },
  hardReboot: {
    word: 'reboot',
    vmStates: ['active', 'stopped', 'paused', 'suspended', 'error'],
    during: ['rebooting', 'rebooting_hard', 'pausing', 'unpausing', 'suspending', 'resuming'],
  },
  pause: { word: 'pause', vmStates: ['active'], during: [] },
  unpause: { word: 'unpause', vmStates: ['paused'], during: [] },
  rebuild: { word: 'rebuild', vmStates: ['active', 'stopped', 'error'], during: [] },
  attachInterface: { word: 'attach_interface', vmStates: ['active', 'paused', 'stopped'], during: [] },
  detachInterface: { word: 'detach_interface', vmStates: ['active', 'paused', 'stopped'], during: [] },
  changePassword: { word: 'changePassword', vmStates: ['active'], during: [] },
  updateMetadata: { word: 'update metadata', vmStates: settled, during: 'any' },
  deleteMetadata: { word: 'delete metadata', vmStates: settled, during: 'any' },
  updateTags: { word: 'update tags', vmStates: settled, during: 'any' },
} as const satisfies Readonly<Record<string, StateRule>>

/** The state that forbids it; undefined when none does. */
export function forbiddingState(
  rule: StateRule,
  server: { readonly vm_state: VmState; readonly task_state: TaskState | null },
):
  | { readonly attribute: 'vm_state'; readonly value: VmState }
  | { readonly attribute: 'task_state'; readonly value: TaskState }
  | undefined {
  if (!rule.vmStates.includes(server.vm_state)) return { attribute: 'vm_state', value: server.vm_state }
  const { task_state: task } = server
  if (task === null || rule.during === 'any' || rule.during.includes(task)) return undefined
  return { attribute: 'task_state', value: task }
}
