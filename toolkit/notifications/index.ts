/**
 * Notifications: what happened, told to whoever keeps books on a cloud or reacts to it. Written down in the transaction of the
 * change (`outbox.ts`), in the form that the operator chose (`cadf.ts`), and handed to sinks in order, at least once.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { hostname } from 'node:os'
import type { Kysely } from 'kysely'
import type { Log } from '../log/index.ts'
import { isoTime, type Runtime } from '../runtime/index.ts'
import type { ApiRequest, Operation, Reply } from '../service/index.ts'
import type { Store } from '../store/index.ts'
import { basicPayload, cadfPayload, type Initiator, type Notice } from './cadf.ts'
import { createOutbox, type Envelope, type Sink } from './outbox.ts'

export type { Initiator, Notice, Outcome } from './cadf.ts'
export { createOutboxTable, type Envelope, type Sink } from './outbox.ts'
export { busSink, fileSink, notificationsTopic } from './sinks.ts'

export type NotificationFormat = 'basic' | 'cadf'
// biome-ignore lint/suspicious/noExplicitAny: takes the transactions of a service with whatever tables
type AnyDb = Kysely<any>

/** What to tell of an operation: from the request alone where that says it all, else from what came of it. */
export interface Telling {
  readonly before?: (request: ApiRequest) => Notice | undefined
  readonly after?: (request: ApiRequest, answer: unknown) => Notice | undefined
}

/** What is known of the request that is being carried out. */
interface Asking {
  readonly initiator: Initiator
  /** What its first transaction is to write. */
  pending: Notice | undefined
  told: boolean
}

export interface Notifier<DB> {
  /** Whether anybody would hear of it. */
  wants(eventType: string, outcome?: Notice['outcome']): boolean
  /** Tells of a change in its transaction; who made the request is known by itself. */
  record(tx: AnyDb, notice: Notice): Promise<void>
  /** Tells of what changed no rows; lost when the process dies right then. */
  emit(notice: Notice, initiator?: Initiator): void
  /** The store, such that a notice of an operation is written in the operation's first transaction that commits. */
  readonly store: Store<DB>
  /**
   * The same operations; what changes in them is told of with who asked for it. What `telling` gives for one is told when it
   * succeeds, unless something was recorded in the course of it.
   */
  during(operations: readonly Operation[], telling?: (operation: Operation) => Telling | undefined): Operation[]
  /** Resolves when nothing waits to be delivered, or a sink has just failed. */
  settled(): Promise<void>
  stop(): Promise<void>
}

export function createNotifier<DB>(options: {
  /** With a table made by `createOutboxTable`. */
  readonly store: Store<DB>
  readonly sinks: readonly Sink[]
  readonly runtime: Runtime
  readonly log: Log
  /** Begins the publisher's id: `identity`. */
  readonly service: string
  /** What follows it; the name of this host unless given. */
  readonly host?: string
  readonly format: NotificationFormat
  /** Event types that nobody is told of; those of logins with their outcome: `identity.authenticate.success`. */
  readonly optOut: readonly string[]
  readonly observer: { readonly id?: string; readonly typeURI: string }
}): Notifier<DB> {
  const { store, runtime, log, service, format, observer } = options
  const outbox = createOutbox(options)
  const publisher = `${service}.${options.host || hostname()}`
  const optOut = new Set(options.optOut)
  const asking = new AsyncLocalStorage<Asking>()
  const newId = () => runtime.uuid()
  const wants: Notifier<DB>['wants'] = (eventType, outcome = 'success') =>
    !optOut.has(eventType.endsWith('.authenticate') ? `${eventType}.${outcome}` : eventType)
  const seal = (notice: Notice, initiator: Initiator): Envelope => {
    const at = runtime.now()
    const occurrence = { notice, initiator, id: newId(), at }
    return {
      message_id: newId(),
      event_type: notice.eventType,
      publisher_id: publisher,
      priority: 'INFO',
      timestamp: `${isoTime(at).slice(0, 23).replace('T', ' ')}000`,
      payload: format === 'basic' ? basicPayload(occurrence) : cadfPayload(occurrence, { observer, newId }),
    }
  }
  const add = (tx: AnyDb, notice: Notice) => outbox.add(tx, seal(notice, asking.getStore()?.initiator ?? {}))
  const record = async (tx: AnyDb, notice: Notice) => {
    const now = asking.getStore()
    if (now) now.told = true
    if (wants(notice.eventType, notice.outcome)) await add(tx, notice)
  }
  const carryOut = async (request: ApiRequest, operation: Operation, telling: Telling | undefined) => {
    const now: Asking = { initiator: initiatorOf(request), pending: telling?.before?.(request), told: false }
    try {
      return await asking.run(now, async () => {
        const answer = await operation.handler(request)
        const refused = ((answer as Reply | undefined)?.status ?? 0) >= 400
        const notice = now.told || refused ? undefined : (telling?.after?.(request, answer) ?? now.pending)
        // What was asked for has been done by now: that it could not be told of must not look as if it had failed.
        if (notice)
          await record(store.db, notice).catch(err =>
            log.error({ err, event: notice.eventType }, 'a notification was lost'),
          )
        return answer
      })
    } finally {
      outbox.wake()
    }
  }
  // What was left when the process last ended.
  outbox.wake()
  return {
    wants,
    record,
    emit(notice, initiator) {
      if (wants(notice.eventType, notice.outcome))
        outbox.pass(seal(notice, initiator ?? asking.getStore()?.initiator ?? {}))
    },
    store: {
      ...store,
      async transaction(fn) {
        const now = asking.getStore()
        const notice = now?.told ? undefined : now?.pending
        const result = await store.transaction(async (tx, afterCommit) => {
          const made = await fn(tx, afterCommit)
          if (notice && wants(notice.eventType, notice.outcome)) await add(tx, notice)
          return made
        })
        if (now && notice) now.told = true
        return result
      },
    },
    during: (operations, telling) =>
      operations.map(operation => {
        if (operation.method === 'GET' || operation.method === 'HEAD') return operation
        const told = telling?.(operation)
        return { ...operation, handler: request => carryOut(request, operation, told) }
      }),
    settled: outbox.settled,
    stop: outbox.stop,
  }
}

export function initiatorOf({ context, clientAddress, headers }: ApiRequest): Initiator {
  const { token } = context
  const agent = headers['user-agent']
  return {
    userId: token?.user.id,
    userName: token?.user.name,
    projectId: token?.project?.id,
    domainId: token?.domain?.id,
    requestId: context.requestId,
    globalRequestId: context.globalRequestId,
    address: clientAddress,
    agent: typeof agent === 'string' ? agent.slice(0, 255) : undefined,
  }
}
