/**
 * Reconcilers: functions without input that compare what should be with what is and close the difference. They are woken by
 * events (which may be lost) and by a period (which is not), so that the path after a crash is the usual path.
 */
import { reason } from '../fault/index.ts'
import type { Log } from '../log/index.ts'
import type { Metrics } from '../metrics/index.ts'
import type { Runtime } from '../runtime/index.ts'

export interface Reconciler {
  readonly name: string
  /** Asks for a run soon; any number of calls before it begins are one. */
  wake(): void
  /** Wakes it and resolves when a run that began after this call has ended; rejects if that run failed. */
  settle(): Promise<void>
  start(): void
  /** Resolves when the run under way, if any, has ended. */
  stop(): Promise<void>
  /** The last run's error message, or undefined when it went well. */
  problem(): string | undefined
}

export function createReconciler(options: {
  readonly name: string
  readonly run: (signal: AbortSignal) => Promise<void>
  /** Milliseconds between runs when nothing wakes it. */
  readonly period: number
  readonly runtime: Runtime
  readonly log: Log
  readonly metrics?: Metrics
}): Reconciler {
  const { name, runtime, log, period } = options
  const stopping = new AbortController()
  const duration = options.metrics?.histogram(
    'strata_reconciler_duration_seconds',
    'Time of one run of a reconciler.',
    ['reconciler', 'outcome'],
  )
  let woken = false
  let active: Promise<void> | undefined
  let failures = 0
  let problem: string | undefined
  let cancelTimer = () => {}
  let listeners: { resolve: () => void; reject: (err: unknown) => void }[] = []

  const runOnce = async (): Promise<void> => {
    woken = false
    const told = listeners
    listeners = []
    const started = runtime.monotonic()
    try {
      await options.run(stopping.signal)
      failures = 0
      problem = undefined
      for (const listener of told) listener.resolve()
    } catch (err) {
      failures++
      problem = reason(err)
      for (const listener of told) listener.reject(err)
      if (!stopping.signal.aborted) log.warn({ err, reconciler: name, failures }, `reconciler failed: ${problem}`)
    }
    duration?.observe(
      { reconciler: name, outcome: problem === undefined ? 'ok' : 'failed' },
      (runtime.monotonic() - started) / 1000,
    )
  }

  const loop = (): void => {
    if (active || stopping.signal.aborted) return
    cancelTimer()
    active = runOnce().finally(() => {
      active = undefined
      if (stopping.signal.aborted) return
      // After failures it comes back soon, but ever less so, until the period is reached.
      if (woken && failures === 0) setImmediate(loop)
      else cancelTimer = runtime.timer(failures === 0 ? period : Math.min(200 * 2 ** failures, period), loop)
    })
  }

  const wake = (): void => {
    woken = true
    if (!active) loop()
  }

  return {
    name,
    wake,
    settle: () =>
      new Promise((resolve, reject) => {
        listeners.push({ resolve, reject })
        wake()
      }),
    start: wake,
    async stop() {
      stopping.abort(new Error('stopping'))
      cancelTimer()
      for (const listener of listeners) listener.reject(new Error('stopping'))
      await active
    },
    problem: () => problem,
  }
}
