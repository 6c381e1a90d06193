/**
 * The states of a server: what it is (`vm_state`), what is being done to it (`task_state`), what its hypervisor says
 * (`power_state`), and the one word that callers see (`status`).
 */
export const vmStates = [
  'building',
  'active',
  'paused',
  'suspended',
  'stopped',
  'rescued',
  'resized',
  'soft-delete',
  'deleted',
  'error',
  'shelved',
  'shelved_offloaded',
] as const
export type VmState = (typeof vmStates)[number]

/** The task that is under way, null when none is. Each belongs to a saga; a task without one is cleared at start. */
export type TaskState =
  | 'scheduling'
  | 'networking'
  | 'spawning'
  | 'powering-off'
  | 'powering-on'
  | 'rebooting'
  | 'rebooting_hard'
  | 'pausing'
  | 'unpausing'
  | 'suspending'
  | 'resuming'
  | 'rebuilding'
  | 'deleting'

/** Numbers as Nova shows them. */
export const powerStates = { pending: 0, running: 1, paused: 3, shutdown: 4, crashed: 6, suspended: 7 } as const
export type PowerState = (typeof powerStates)[keyof typeof powerStates]

const plainStatus: Readonly<Record<VmState, string>> = {
  building: 'BUILD',
  active: 'ACTIVE',
  paused: 'PAUSED',
  suspended: 'SUSPENDED',
  stopped: 'SHUTOFF',
  rescued: 'RESCUE',
  resized: 'VERIFY_RESIZE',
  'soft-delete': 'SOFT_DELETED',
  deleted: 'DELETED',
  error: 'ERROR',
  shelved: 'SHELVED',
  shelved_offloaded: 'SHELVED_OFFLOADED',
}

const taskStatus: Readonly<Partial<Record<TaskState, string>>> = {
  rebooting: 'REBOOT',
  rebooting_hard: 'HARD_REBOOT',
  rebuilding: 'REBUILD',
}

/** The word of `status`: that of the task where it has one of its own, else that of the state. */
export function statusOf(vmState: VmState, taskState: TaskState | null): string {
  if (vmState !== 'error' && taskState !== null) return taskStatus[taskState] ?? plainStatus[vmState]
  return plainStatus[vmState]
}

/** States that show as this status; what a `status` filter means. Undefined for a word that is no status. */
export function statesOf(
  status: string,
): { vmStates: readonly VmState[]; taskStates: readonly TaskState[] } | undefined {
  const wanted = status.toUpperCase()
  const tasks = (Object.keys(taskStatus) as TaskState[]).filter(task => taskStatus[task] === wanted)
  const states = vmStates.filter(state => plainStatus[state] === wanted)
  return tasks.length + states.length === 0 ? undefined : { vmStates: states, taskStates: tasks }
}
