/**
 * An in-memory copy of chosen tables and columns, kept by a monitor (`monitor_cond` and its `update2` notifications,
 * ovsdb-server(7) section 4.1.12 to 4.1.14). After a reconnection the copy is replaced at once, and listeners hear the
 * differences only, as if they had been one transaction.
 */

import {
  applyDifference,
  type DatabaseSchema,
  decode,
  defaultValue,
  type Row,
  sameValue,
  type Value,
} from './values.ts'

/** `old` is absent for a new row, `row` for a deleted one. */
export interface RowChange {
  readonly table: string
  readonly uuid: string
  readonly old: Row | undefined
  readonly row: Row | undefined
}

export type TableColumns = Readonly<Record<string, readonly string[]>>

export interface Replica {
  /** Rows of a monitored table by UUID, each with `_uuid` and the columns asked for. Live: do not keep iterators. */
  rows(table: string): ReadonlyMap<string, Row>
  /** Hears all changes of one transaction at once. Returns the way to stop. */
  subscribe(listener: (changes: readonly RowChange[]) => void): () => void
  /** Resolves when `condition` holds, which is checked now and after each change; rejects after `timeoutMs`. */
  until(condition: () => boolean, timeoutMs: number): Promise<void>
  close(): Promise<void>
}

/** What a replica is to its keeper, the client. */
export interface ReplicaState extends Omit<Replica, 'close'> {
  replace(wire: unknown): void
  update(wire: unknown): void
}

type Update2 = Record<string, Record<string, { initial?: Wire; insert?: Wire; modify?: Wire; delete?: unknown }>>
type Wire = Record<string, unknown>

export function createReplicaState(schema: DatabaseSchema, columns: TableColumns): ReplicaState {
  const tables = new Map<string, Map<string, Row>>(Object.keys(columns).map(table => [table, new Map()]))
  const listeners = new Set<(changes: readonly RowChange[]) => void>()

  const typeOf = (table: string, column: string) => schema.tables[table]!.columns[column]!

  const fresh = (table: string, uuid: string, wire: Wire): Row => {
    const row: Record<string, Value> = { _uuid: uuid }
    for (const column of columns[table]!) {
      const type = typeOf(table, column)
      row[column] = column in wire ? decode(type, wire[column]) : defaultValue(type)
    }
    return row
  }

  const modified = (table: string, old: Row, wire: Wire): Row => {
    const row: Record<string, Value> = { ...old }
    for (const [column, change] of Object.entries(wire))
      row[column] = applyDifference(typeOf(table, column), old[column]!, change)
    return row
  }

  const emit = (changes: readonly RowChange[]): void => {
    if (changes.length > 0) for (const listener of [...listeners]) listener(changes)
  }

  const update = (wire: unknown): void => {
    const changes: RowChange[] = []
    for (const [table, rows] of Object.entries(wire as Update2)) {
      const held = tables.get(table)!
      for (const [uuid, change] of Object.entries(rows)) {
        const old = held.get(uuid)
        const inserted = change.insert ?? change.initial
        const row =
          inserted !== undefined
            ? fresh(table, uuid, inserted)
            : change.modify !== undefined && old !== undefined
              ? modified(table, old, change.modify)
              : undefined
        if (row === undefined) held.delete(uuid)
        else held.set(uuid, row)
        changes.push({ table, uuid, old, row })
      }
    }
    emit(changes)
  }

  const replace = (wire: unknown): void => {
    const changes: RowChange[] = []
    const before = new Map([...tables].map(([table, rows]) => [table, new Map(rows)]))
    for (const [table, held] of tables) {
      held.clear()
      for (const [uuid, change] of Object.entries((wire as Update2)[table] ?? {})) {
        const old = before.get(table)!.get(uuid)
        const row = fresh(table, uuid, change.initial ?? change.insert ?? {})
        held.set(uuid, row)
        if (old === undefined || !sameRow(old, row)) changes.push({ table, uuid, old, row })
      }
      for (const [uuid, old] of before.get(table)!)
        if (!held.has(uuid)) changes.push({ table, uuid, old, row: undefined })
    }
    emit(changes)
  }

  const subscribe: Replica['subscribe'] = listener => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  return {
    rows: table => {
      const rows = tables.get(table)
      if (rows === undefined) throw new TypeError(`table ${table} is not monitored`)
      return rows
    },
    subscribe,
    until: (condition, timeoutMs) => untilChange(subscribe, condition, timeoutMs),
    replace,
    update,
  }
}

function sameRow(a: Row, b: Row): boolean {
  return Object.keys(b).every(column => sameValue(a[column] ?? null, b[column]!))
}

function untilChange(subscribe: Replica['subscribe'], condition: () => boolean, timeoutMs: number): Promise<void> {
  if (condition()) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const stop = subscribe(() => {
      if (!condition()) return
      clearTimeout(timer)
      stop()
      resolve()
    })
    const timer = setTimeout(() => {
      stop()
      reject(new Error(`the awaited change did not come within ${timeoutMs} ms`))
    }, timeoutMs)
  })
}
