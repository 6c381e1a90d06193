/** Connections that are used by one at a time, at most so many, each for a while. */
import type { Runtime } from '@strata/toolkit/runtime'

export interface Connection {
  readonly alive: boolean
  close(): void
}

export interface Pool<C extends Connection> {
  /**
   * Hands a connection to `work`; closed afterwards when that throws. `again`: whether work that failed so on a kept connection,
   * which may have been dead, is to be tried once more on a new one. Throws `PoolBusy`.
   */
  use<T>(work: (connection: C) => Promise<T>, again?: (thrown: unknown) => boolean): Promise<T>
  /** Closes those that nobody uses now, and the others when they are given back. */
  close(): void
}

export class PoolBusy extends Error {
  override readonly name = 'PoolBusy'
}

export function createPool<C extends Connection>(options: {
  open(): Promise<C>
  readonly runtime: Runtime
  readonly size: number
  /** Milliseconds. */
  readonly lifetime: number
  readonly patience: number
  /** Keep them for the next; else each use has one of its own. */
  readonly keep: boolean
}): Pool<C> {
  const { open, runtime, size, lifetime, patience } = options
  let idle: { connection: C; until: number }[] = []
  const waiting: (() => void)[] = []
  let busy = 0
  let closed = false
  const turn = async () => {
    if (busy < size) {
      busy++
      return
    }
    await new Promise<void>((resolve, reject) => {
      const cancel = runtime.timer(patience, () => {
        waiting.splice(waiting.indexOf(go), 1)
        reject(new PoolBusy(`all ${size} connections have been in use for ${patience} ms`))
      })
      const go = () => {
        cancel()
        resolve()
      }
      waiting.push(go)
    })
  }
  const done = () => {
    const next = waiting.shift()
    if (next) next()
    else busy--
  }
  const fresh = async () => ({ connection: await open(), until: runtime.now() + lifetime })
  const keptOne = () => {
    for (let kept = idle.pop(); kept; kept = idle.pop()) {
      if (kept.connection.alive && kept.until > runtime.now()) return kept
      kept.connection.close()
    }
    return undefined
  }
  const useOne = async <T>(
    taken: { connection: C; until: number },
    work: (connection: C) => Promise<T>,
  ): Promise<T> => {
    try {
      const result = await work(taken.connection)
      if (options.keep && !closed && taken.connection.alive) idle.push(taken)
      else taken.connection.close()
      return result
    } catch (thrown) {
      taken.connection.close()
      throw thrown
    }
  }
  return {
    async use(work, again) {
      await turn()
      try {
        const kept = keptOne()
        if (!kept) return await useOne(await fresh(), work)
        try {
          return await useOne(kept, work)
        } catch (thrown) {
          if (!again?.(thrown)) throw thrown
        }
        return await useOne(await fresh(), work)
      } finally {
        done()
      }
    },
    close() {
      closed = true
      for (const { connection } of idle) connection.close()
      idle = []
    },
  }
}
