/** What this service announces on the bus. Hints: whoever misses one asks the API. */

/** A port came up, went down, or was bound to another host. */
export const PORT_TOPIC = 'network.port'

export interface PortEvent {
  readonly port_id: string
  readonly status: string
  /** The port's `binding:host_id`; empty when it has none. */
  readonly host: string
}

/** Records were made, changed or removed. */
export const CHANGED_TOPIC = 'network.changed'

export interface ChangedEvent {
  /** Plural name of the resource: `ports`, `floatingips`. */
  readonly kind: string
  readonly ids: readonly string[]
}
