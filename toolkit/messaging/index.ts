/**
 * Messages between parts of a cloud: hints, never the truth. A lost message costs the period of a reconciler, nothing else.
 * This is the whole interface that a broker must offer; `createLocalBus` is the one for a single process.
 */
import type { Log } from '../log/index.ts'

export interface Message {
  readonly topic: string
  readonly payload: unknown
}

export interface Bus {
  /** Hands the message to every subscriber of its topic, some time later; never throws and never waits for them. */
  publish(topic: string, payload: unknown): void
  /** Calls `listener` for each message of `topic`. Returns the way to stop. */
  subscribe(topic: string, listener: (payload: unknown) => void | Promise<void>): () => void
  close(): Promise<void>
}

/** In-process bus: each listener runs in a microtask of its own, and its failures are logged. */
export function createLocalBus(log: Log): Bus {
  const listeners = new Map<string, Set<(payload: unknown) => void | Promise<void>>>()
  return {
    publish(topic, payload) {
      for (const listener of listeners.get(topic) ?? [])
        Promise.resolve(payload)
          .then(listener)
          .catch(err => log.error({ err, topic }, 'message listener failed'))
    },
    subscribe(topic, listener) {
      const set = listeners.get(topic) ?? new Set()
      listeners.set(topic, set.add(listener))
      return () => set.delete(listener)
    },
    async close() {
      listeners.clear()
    },
  }
}
