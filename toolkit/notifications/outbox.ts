/**
 * The outbox: notifications wait in a table of the service's own database, written in the transaction of the change that they
 * tell of, until every sink has taken them. Each reaches each sink at least once, and in the order in which they were written.
 *
 * Words: an *envelope* is what a sink gets, in the form of oslo.messaging's notifications; a *sink* is where they go.
 */
import type { Kysely } from 'kysely'
import type { Log } from '../log/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { Store } from '../store/index.ts'

export interface Envelope {
  readonly message_id: string
  readonly event_type: string
  /** `identity.HOST`. */
  readonly publisher_id: string
  readonly priority: 'INFO'
  /** `2026-11-20 12:34:56.789000`, UTC. */
  readonly timestamp: string
  readonly payload: Readonly<Record<string, unknown>>
}

export interface Sink {
  readonly name: string
  /** Resolves once all of them are safe; they come again when it rejects. */
  deliver(envelopes: readonly Envelope[]): Promise<void>
  close?(): Promise<void>
}

interface OutboxTables {
  /** Ids sort in the order in which a process wrote them. */
  notification_outbox: { id: string; envelope: string }
}
// biome-ignore lint/suspicious/noExplicitAny: the outbox lies among whatever tables the service has
type AnyDb = Kysely<any>

const atOnce = 200

/** For a migration of the service. */
export async function createOutboxTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('notification_outbox')
    .addColumn('id', 'varchar(64)', c => c.primaryKey())
    .addColumn('envelope', 'text', c => c.notNull())
    .execute()
}

export interface Outbox {
  /** Writes them down; `tx` is the transaction of the change. */
  add(tx: AnyDb, envelope: Envelope): Promise<void>
  /** Hands on without writing down, after those that are waiting: for what no change of rows goes with. */
  pass(envelope: Envelope): void
  /** Hands on what waits, some time soon. */
  wake(): void
  /** Resolves when nothing waits, or a sink has just failed. */
  settled(): Promise<void>
  stop(): Promise<void>
}

export function createOutbox(options: {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly store: Store<any>
  readonly sinks: readonly Sink[]
  readonly runtime: Runtime
  readonly log: Log
  /** Of those that are not written down; the oldest go when there are more. */
  readonly capacity?: number
  /** Milliseconds until a sink that failed is tried again. */
  readonly retryAfter?: number
}): Outbox {
  const { sinks, runtime, log, capacity = 10_000, retryAfter = 5000 } = options
  const db: Kysely<OutboxTables> = options.store.db
  const passed: Envelope[] = []
  const stopping = new AbortController()
  const newId = idsInOrder(runtime)
  let again = false
  let running: Promise<void> | undefined
  let cancelRetry: (() => void) | undefined

  const deliver = async (envelopes: readonly Envelope[]) => {
    for (const sink of sinks) {
      try {
        await sink.deliver(envelopes)
      } catch (err) {
        log.error(
          { err, sink: sink.name, count: envelopes.length },
          'notifications were not delivered and will be again',
        )
        throw err
      }
    }
  }
  const drainTable = async () => {
    for (;;) {
      const rows = await db.selectFrom('notification_outbox').selectAll().orderBy('id').limit(atOnce).execute()
      if (rows.length === 0) return
      await deliver(rows.map(row => JSON.parse(row.envelope) as Envelope))
      // Only these: one with a lower id may have been committed meanwhile.
      const ids = rows.map(row => row.id)
      await db.deleteFrom('notification_outbox').where('id', 'in', ids).execute()
    }
  }
  const drain = async () => {
    do {
      again = false
      await drainTable()
      const now = passed.slice(0, atOnce)
      if (now.length > 0) {
        await deliver(now)
        passed.splice(0, now.length)
        again = true
      }
    } while (again)
  }
  const wake = () => {
    again = true
    if (running || stopping.signal.aborted) return
    cancelRetry?.()
    running = drain()
      .catch(() => {
        cancelRetry = runtime.timer(retryAfter, wake)
      })
      .finally(() => {
        running = undefined
      })
  }
  return {
    async add(tx, envelope) {
      await tx
        .insertInto('notification_outbox')
        .values({ id: newId(), envelope: JSON.stringify(envelope) })
        .execute()
    },
    pass(envelope) {
      if (passed.length >= capacity) passed.shift()
      passed.push(envelope)
      wake()
    },
    wake,
    async settled() {
      while (running) await running
    },
    async stop() {
      await running
      stopping.abort()
      cancelRetry?.()
      for (const sink of sinks) await sink.close?.()
    },
  }
}

/** Ids that sort in the order of their making, also within a millisecond, and differ between processes. */
function idsInOrder(runtime: Runtime): () => string {
  const process = Buffer.from(runtime.bytes(6)).toString('hex')
  let last = 0
  let count = 0
  return () => {
    const now = Math.max(last, runtime.now())
    count = now === last ? count + 1 : 0
    last = now
    return `${`${now}`.padStart(15, '0')}-${`${count}`.padStart(9, '0')}-${process}`
  }
}
