/** Accepting an action on a server: in one transaction the state is checked, the action noted and its saga begun. */
import type { RequestContext } from '@strata/toolkit/context'
import { isoTime } from '@strata/toolkit/runtime'
import type { AnySaga, InputOf } from '@strata/toolkit/saga'
import { forbiddingState, type StateRule } from '../../contract/actions.ts'
import { wrongState } from '../../contract/errors.ts'
import type { TaskState } from '../../contract/states.ts'
import { beginAction } from '../../store/actions.ts'
import { type Server, updateServer } from '../../store/servers.ts'
import type { Compute } from '../compute.ts'
import { refuseLocked, serverFor } from './access.ts'
import { type ServerInput, serverChanged } from './deps.ts'

/** Throws a 409 naming the state that forbids it. */
export function refuseInState(rule: StateRule, server: Server): void {
  const state = forbiddingState(rule, server)
  if (state) throw wrongState(rule.word, server.id, state)
}

export interface RequestedAction<S extends AnySaga> {
  readonly id: string
  /** Of the policy. */
  readonly rule: string
  readonly states: StateRule
  /** As `os-instance-actions` calls it. */
  readonly action: string
  readonly task: TaskState | null
  readonly saga: S
  readonly input: (server: Server) => Omit<InputOf<S>, keyof ServerInput>
  /** What the row says from now on. */
  readonly change?: (server: Server) => Partial<Server>
}

export interface AcceptedAction {
  readonly server: Server
  readonly actionId: string
}

export async function requestAction<S extends AnySaga>(
  { store, runtime, sagas, bus }: Compute,
  context: RequestContext,
  wanted: RequestedAction<S>,
): Promise<AcceptedAction> {
  return store.transaction(async (tx, afterCommit) => {
    const server = await serverFor({ store }, context, { id: wanted.id, rule: wanted.rule, db: tx })
    refuseLocked(context, server)
    refuseInState(wanted.states, server)
    const actionId = await beginAction(tx, runtime, {
      serverId: server.id,
      action: wanted.action,
      requestId: context.requestId,
      userId: context.userId,
      projectId: context.projectId,
    })
    const now = isoTime(runtime.now())
    const change = { ...wanted.change?.(server), task_state: wanted.task }
    await updateServer(tx, server.id, now, change)
    const input = { serverId: server.id, actionId, ...wanted.input(server) } as InputOf<S>
    await sagas.enqueue(wanted.saga, { tx, afterCommit }, { subject: server.id, input })
    afterCommit(() => bus.publish(serverChanged, { id: server.id }))
    return { server: { ...server, ...change, updated_at: now }, actionId }
  })
}

/** Changes a server's row at once, where no host has to do anything. */
export async function requestChange<T>(
  { store, runtime, bus }: Compute,
  context: RequestContext,
  about: {
    readonly id: string
    readonly rule: string
    readonly states?: StateRule
    /** Locked servers may be changed so. */
    readonly lockedToo?: boolean
    /** Noted in `os-instance-actions` under this name. */
    readonly action?: string
    readonly change: (server: Server) => { readonly values: Partial<Server>; readonly result: T }
  },
): Promise<T> {
  return store.transaction(async (tx, afterCommit) => {
    const server = await serverFor({ store }, context, { id: about.id, rule: about.rule, db: tx })
    if (!about.lockedToo) refuseLocked(context, server)
    if (about.states) refuseInState(about.states, server)
    const { values, result } = about.change(server)
    if (Object.keys(values).length === 0) return result
    await updateServer(tx, server.id, isoTime(runtime.now()), values)
    if (about.action !== undefined)
      await beginAction(tx, runtime, {
        serverId: server.id,
        action: about.action,
        requestId: context.requestId,
        userId: context.userId,
        projectId: context.projectId,
      })
    afterCommit(() => bus.publish(serverChanged, { id: server.id }))
    return result
  })
}
