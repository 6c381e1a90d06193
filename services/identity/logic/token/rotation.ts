/** Changes keys when they have served their time; what older keys made stays readable while those are kept. */
import type { Log } from '@strata/toolkit/log'
import type { Runtime } from '@strata/toolkit/runtime'
import type { KeyRepository } from './keys.ts'

const hour = 3_600_000

/** Looks every hour. Returns the way to stop. */
export function keepRotating(options: {
  readonly keys: KeyRepository
  readonly runtime: Runtime
  readonly log: Log
  /** 0: never. */
  readonly everyHours: number
  /** What the keys are for, in the log: `new tokens`. */
  readonly purpose: string
  /** How they are changed, where there is more to it than `keys.rotate`. */
  readonly rotate?: () => Promise<void>
}): () => void {
  const { keys, runtime, log, everyHours, purpose } = options
  if (everyHours === 0) return () => {}
  let cancel = () => {}
  const change = async () => (options.rotate ? options.rotate() : keys.rotate())
  const look = () => {
    keys.reload()
    if (runtime.now() - keys.primarySince() >= everyHours * hour) {
      change().then(
        () => log.info(`the key of ${purpose} was changed`),
        thrown => log.error({ err: thrown }, `the key of ${purpose} could not be changed`),
      )
    }
    cancel = runtime.timer(hour, look)
  }
  look()
  return () => cancel()
}
