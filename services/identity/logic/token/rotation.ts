/** Changes keys when they have served their time; what older keys made stays readable while those are kept. */
import type { Log } from '@strata/toolkit/log'
import type { Runtime } from '@strata/toolkit/runtime'
import type { KeyRing } from './key-folder.ts'

const hour = 3_600_000
/** How soon a key that another process made primary is used here, in milliseconds; what it makes can be read at once. */
const noticeAfter = 5_000

/** Notices what others change, and looks every hour whether it is time. Returns the way to stop. */
export function keepRotating(options: {
  readonly keys: KeyRing
  readonly runtime: Runtime
  readonly log: Log
  /** 0: never. */
  readonly everyHours: number
  /** What the keys are for, in the log: `new tokens`. */
  readonly purpose: string
  /** How they are changed, where there is more to it than `keys.rotate`. */
  readonly rotate?: () => Promise<boolean>
}): () => void {
  const { keys, runtime, log, everyHours, purpose } = options
  const failed = (thrown: unknown) => log.error({ err: thrown }, `the key of ${purpose} could not be changed`)
  const change = async () => (options.rotate ? options.rotate() : keys.rotate())
  const changeInTime = () => {
    if (everyHours === 0 || runtime.now() - keys.primarySince() < everyHours * hour) return
    change().then(changed => changed && log.info(`the key of ${purpose} was changed`), failed)
  }
  const every = (ms: number, work: () => void): (() => void) => {
    let cancel = () => {}
    const turn = () => {
      try {
        work()
      } catch (thrown) {
        log.error({ err: thrown }, `the keys of ${purpose} could not be read`)
      }
      cancel = runtime.timer(ms, turn)
    }
    turn()
    return () => cancel()
  }
  const stopNoticing = every(noticeAfter, () => void keys.reloadIfChanged())
  const stopChanging = every(hour, changeInTime)
  return () => {
    stopNoticing()
    stopChanging()
  }
}
