/** Changes the key of new tokens when it has served its time; tokens of older keys stay readable while those are kept. */
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
}): () => void {
  const { keys, runtime, log, everyHours } = options
  if (everyHours === 0) return () => {}
  let cancel = () => {}
  const look = () => {
    keys.reload()
    if (runtime.now() - keys.primarySince() >= everyHours * hour) {
      keys.rotate()
      log.info('the key of new tokens was changed')
    }
    cancel = runtime.timer(hour, look)
  }
  look()
  return () => cancel()
}
