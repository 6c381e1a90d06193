/** Runs sagas: takes leases, runs steps, writes each outcome before the next step, turns to the undo when one fails. */
import { reason } from '../fault/index.ts'
import type { Log } from '../log/index.ts'
import type { Metrics } from '../metrics/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { AfterCommit } from '../store/index.ts'
import { type SagaLog, type SagaRow, type SagaStore, sagaLog } from './log.ts'
import { type AnySaga, type AnyStep, type Failure, type InputOf, isTransient } from './saga.ts'

export interface SagaExecutor {
  /** Writes a saga's row in the open transaction; it is started at once after the commit. Returns the saga's id. */
  enqueue<S extends AnySaga>(
    saga: S,
    scene: { readonly tx: unknown; readonly afterCommit: AfterCommit },
    about: { readonly subject: string; readonly input: InputOf<S>; readonly cancelOthers?: boolean },
  ): Promise<string>
  /** Takes over what was left unfinished and begins to look for more. */
  start(): Promise<void>
  /** Stops after the steps under way, at most `graceMs`; what is unfinished is left for the next start. */
  stop(graceMs?: number): Promise<void>
  /** Resolves when nothing is under way in this process. */
  idle(): Promise<void>
  unfinished(): Promise<readonly SagaRow[]>
  /** How many are unfinished, and for how long (ms) this process has known of the oldest. */
  backlog(): Promise<{ readonly unfinished: number; readonly oldestMs: number }>
}

/** Sees each step begin and end; throwing here is how the rehearsal makes steps fail and processes die. */
export interface Probe {
  before?(saga: string, step: string, phase: 'run' | 'undo'): void | Promise<void>
  /** After the effect, before it is written down. */
  after?(saga: string, step: string, phase: 'run' | 'undo'): void | Promise<void>
  /** After it was written down. */
  recorded?(saga: string, step: string, phase: 'run' | 'undo'): void | Promise<void>
}

/** Thrown by a probe: the process is gone, nothing more is written. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

export interface ExecutorOptions<Deps> {
  readonly store: SagaStore
  readonly sagas: readonly AnySaga[]
  readonly deps: Deps
  readonly runtime: Runtime
  readonly log: Log
  readonly metrics?: Metrics
  /** Name of this replica, the same after a restart. */
  readonly owner: string
  /** Sagas under way at once; 200 unless set. */
  readonly concurrency?: number
  /** Milliseconds; 15 s unless set. */
  readonly lease?: number
  /** Milliseconds that a step may go on failing transiently; 60 s unless set. */
  readonly patience?: number
  readonly probe?: Probe
}

export function createExecutor<Deps>(options: ExecutorOptions<Deps>): SagaExecutor {
  const { runtime, log, lease = 15_000, concurrency = 200 } = options
  const book = sagaLog(options.store)
  const byName = new Map(options.sagas.map(saga => [saga.name, saga]))
  const running = new Map<string, { promise: Promise<void>; cancel: AbortController }>()
  const waiting: string[] = []
  /** When each unfinished saga was first met here; by the monotonic clock. */
  const met = new Map<string, number>()
  const stopping = new AbortController()
  let cancelPoll = () => {}

  const launch = (id: string): void => {
    if (!met.has(id)) met.set(id, runtime.monotonic())
    if (stopping.signal.aborted || running.has(id)) return
    if (running.size >= concurrency) {
      if (!waiting.includes(id)) waiting.push(id)
      return
    }
    const cancel = new AbortController()
    const promise = claimAndRun(id, cancel)
      .catch(err => log.error({ err, saga: id }, 'saga executor failed'))
      .finally(() => {
        running.delete(id)
        const next = waiting.shift()
        if (next !== undefined) launch(next)
      })
    running.set(id, { promise, cancel })
  }

  const claimAndRun = async (id: string, cancel: AbortController): Promise<void> => {
    const row = await book.claim(id, options.owner, runtime.now(), runtime.now() + lease)
    if (!row) return
    const saga = byName.get(row.name)
    if (!saga) return log.error({ saga: row.name, id }, 'there is no such saga; its row is left alone')
    const stopRenewing = keepLease(row, cancel)
    const signal = AbortSignal.any([cancel.signal, stopping.signal])
    try {
      const done = await new Run({ ...options, book, saga, row, signal, stopping: stopping.signal, cancel }).toEnd()
      if (!done) return
      met.delete(id)
      const next = await book.nextOf(row.subject)
      if (next !== undefined) setImmediate(launch, next)
    } finally {
      stopRenewing()
    }
  }

  /** Renews at a third of the lease; once it is lost, the run is told to stop, and its writes would miss anyway. */
  const keepLease = (row: SagaRow, cancel: AbortController): (() => void) => {
    let stop = () => {}
    const tick = () => {
      stop = runtime.timer(lease / 3, () => {
        book.renew(row, runtime.now() + lease).then(
          mine => (mine ? tick() : cancel.abort(new Crash('the lease was lost'))),
          err => {
            log.warn({ err, saga: row.id }, 'could not renew a lease')
            tick()
          },
        )
      })
    }
    tick()
    return () => stop()
  }

  const poll = async (): Promise<void> => {
    if (stopping.signal.aborted) return
    try {
      for (const id of await book.due(runtime.now(), concurrency)) launch(id)
    } catch (err) {
      log.warn({ err }, 'could not look for unfinished sagas')
    }
    if (!stopping.signal.aborted) cancelPoll = runtime.timer(lease / 3, poll)
  }

  return {
    async enqueue(saga, { tx, afterCommit }, { subject, input, cancelOthers }) {
      if (!byName.has(saga.name)) throw new Error(`saga ${saga.name} is not among those of this executor`)
      const id = runtime.uuid()
      const transaction = tx as Parameters<SagaLog['insert']>[0]
      await book.insert(transaction, { id, name: saga.name, subject, input })
      const cancelled = cancelOthers ? await book.cancel(transaction, subject, id) : []
      afterCommit(() => {
        for (const other of cancelled) running.get(other)?.cancel.abort(new Error('cancelled'))
        for (const other of cancelled) launch(other)
        launch(id)
      })
      return id
    },
    async start() {
      await book.release(options.owner)
      await poll()
    },
    async stop(graceMs = 5000) {
      stopping.abort(new Crash('stopping'))
      cancelPoll()
      const all = Promise.allSettled([...running.values()].map(run => run.promise))
      await Promise.race([all, runtime.sleep(graceMs)])
      await book.release(options.owner)
    },
    async idle() {
      while (running.size > 0) await Promise.allSettled([...running.values()].map(run => run.promise))
    },
    unfinished: () => book.all(),
    async backlog() {
      const ids = new Set((await book.all()).map(row => row.id))
      const now = runtime.monotonic()
      for (const id of met.keys()) if (!ids.has(id) && !running.has(id)) met.delete(id)
      for (const id of ids) if (!met.has(id)) met.set(id, now)
      return { unfinished: ids.size, oldestMs: Math.max(0, ...[...ids].map(id => now - (met.get(id) ?? now))) }
    },
  }
}

interface RunOptions extends Omit<ExecutorOptions<unknown>, 'sagas'> {
  readonly book: SagaLog
  readonly saga: AnySaga
  readonly row: SagaRow
  readonly signal: AbortSignal
  readonly stopping: AbortSignal
  readonly cancel: AbortController
}

/** One saga under way in this process. */
class Run {
  readonly #o: RunOptions
  #outputs: Record<string, unknown>
  constructor(options: RunOptions) {
    this.#o = options
    this.#outputs = { ...options.row.outputs }
  }

  /** True when the saga is over (done or undone), false when it was left for somebody else. */
  async toEnd(): Promise<boolean> {
    const { row, saga, book, log } = this.#o
    const started = this.#o.runtime.monotonic()
    try {
      const failure = row.failure ?? (await this.#forward())
      if (failure) await this.#back(failure)
      const finished = await book.finish(row)
      const outcome = failure ? (failure.cancelled ? 'cancelled' : 'undone') : 'done'
      this.#o.metrics
        ?.histogram('strata_saga_duration_seconds', 'Time of a saga in one process.', ['saga', 'outcome'])
        .observe({ saga: saga.name, outcome }, (this.#o.runtime.monotonic() - started) / 1000)
      log.info(
        { saga: saga.name, id: row.id, subject: row.subject, outcome, failure: failure?.message, step: failure?.step },
        'saga finished',
      )
      return finished
    } catch (thrown) {
      if (thrown instanceof Crash || this.#o.stopping.aborted) return false
      throw thrown
    }
  }

  async #forward(): Promise<Failure | undefined> {
    const { saga, row, book, probe } = this.#o
    for (const step of saga.steps) {
      if (step.name in this.#outputs) continue
      if (saga.direction === 'undo' && (this.#o.cancel.signal.aborted || (await book.isCancelled(row.id))))
        return this.#turn(step, cancelledFailure(step))
      try {
        const out = await this.#patiently(step, async () => {
          await probe?.before?.(saga.name, step.name, 'run')
          const result: unknown = await step.run(this.#scene(step))
          await probe?.after?.(saga.name, step.name, 'run')
          return result
        })
        this.#outputs = { ...this.#outputs, [step.name]: out ?? null }
      } catch (thrown) {
        if (thrown instanceof Crash || this.#o.stopping.aborted) throw thrown
        const cancelled = this.#o.cancel.signal.aborted
        return this.#turn(step, cancelled ? cancelledFailure(step) : failureOf(step, thrown))
      }
      await this.#write({ outputs: this.#outputs })
      await probe?.recorded?.(saga.name, step.name, 'run')
    }
    return undefined
  }

  async #turn(step: AnyStep<unknown>, failure: Failure): Promise<Failure> {
    this.#o.log.info(
      {
        saga: this.#o.saga.name,
        id: this.#o.row.id,
        subject: this.#o.row.subject,
        step: step.name,
        failure: failure.message,
      },
      'saga turns back',
    )
    await this.#write({ state: 'undoing', failure })
    return failure
  }

  /** Undoes the failed step and those before it, newest first, forgetting each once it is undone. */
  async #back(failure: Failure): Promise<void> {
    const { saga, probe } = this.#o
    const failedAt = saga.steps.findIndex(step => step.name === failure.step)
    for (const step of saga.steps.slice(0, failedAt + 1).reverse()) {
      if (step.name !== failure.step && !(step.name in this.#outputs)) continue
      await this.#untilDone(step, 'undo', async () => {
        await probe?.before?.(saga.name, step.name, 'undo')
        await step.undo?.({ ...this.#scene(step), signal: this.#o.stopping, failure })
        await probe?.after?.(saga.name, step.name, 'undo')
      })
      const { [step.name]: _, ...rest } = this.#outputs
      this.#outputs = rest
      await this.#write({ outputs: rest })
      await probe?.recorded?.(saga.name, step.name, 'undo')
    }
  }

  /** Runs a step; transient failures are repeated while patience lasts, all failures of a `forward` saga for ever. */
  async #patiently(step: AnyStep<unknown>, work: () => Promise<unknown>): Promise<unknown> {
    const { saga, runtime, patience = 60_000 } = this.#o
    if (saga.direction === 'forward') return this.#untilDone(step, 'run', work)
    const end = runtime.monotonic() + patience
    for (let attempt = 0; ; attempt++) {
      try {
        return await work()
      } catch (thrown) {
        if (!isTransient(thrown) || this.#o.signal.aborted || runtime.monotonic() > end) throw thrown
        await runtime.sleep(pause(attempt), this.#o.signal)
      }
    }
  }

  async #untilDone<T>(step: AnyStep<unknown>, phase: 'run' | 'undo', work: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await work()
      } catch (thrown) {
        if (thrown instanceof Crash || this.#o.stopping.aborted) throw thrown
        this.#o.log.warn(
          {
            saga: this.#o.saga.name,
            id: this.#o.row.id,
            subject: this.#o.row.subject,
            step: step.name,
            phase,
            attempt,
            err: thrown,
          },
          `saga step failed and will be repeated: ${reason(thrown)}`,
        )
        await this.#o.runtime.sleep(pause(attempt), this.#o.stopping)
      }
    }
  }

  #scene(step: AnyStep<unknown>) {
    const { row, deps, signal } = this.#o
    return { input: row.input, prior: this.#outputs, deps, key: `${row.id}:${step.name}`, signal }
  }

  async #write(change: Parameters<SagaLog['write']>[1]): Promise<void> {
    if (!(await this.#o.book.write(this.#o.row, change))) throw new Crash('the lease was lost')
  }
}

/** 0.1 s, doubling up to 30 s. */
const pause = (attempt: number): number => Math.min(100 * 2 ** attempt, 30_000)

const cancelledFailure = (step: AnyStep<unknown>): Failure => ({
  step: step.name,
  message: 'The operation was cancelled.',
  cancelled: true,
})

function failureOf(step: AnyStep<unknown>, thrown: unknown): Failure {
  const details = (thrown as { details?: unknown } | undefined)?.details
  return { step: step.name, message: reason(thrown), cancelled: false, ...(details === undefined ? {} : { details }) }
}
