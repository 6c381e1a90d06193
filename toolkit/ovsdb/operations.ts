/**
 * Operations of a transaction (RFC 7047 section 5.2) over plain JS values, and their translation to the wire by the
 * schema. They are data, so that planners can make, compare and count them without a connection.
 */

import { columnType, type DatabaseSchema, decode, encode, type Row, type Value } from './values.ts'

export type Condition = readonly [
  column: string,
  is: '==' | '!=' | '<' | '<=' | '>' | '>=' | 'includes' | 'excludes',
  value: Value,
]
export type Mutation = readonly [
  column: string,
  mutator: 'insert' | 'delete' | '+=' | '-=' | '*=' | '/=' | '%=',
  value: Value,
]

export type Operation =
  | { readonly op: 'insert'; readonly table: string; readonly row: Row; readonly name?: string }
  | { readonly op: 'update'; readonly table: string; readonly where: readonly Condition[]; readonly row: Row }
  | {
      readonly op: 'mutate'
      readonly table: string
      readonly where: readonly Condition[]
      readonly mutations: readonly Mutation[]
    }
  | { readonly op: 'delete'; readonly table: string; readonly where: readonly Condition[] }
  | {
      readonly op: 'select'
      readonly table: string
      readonly where: readonly Condition[]
      readonly columns?: readonly string[]
    }
  | {
      readonly op: 'wait'
      readonly table: string
      readonly where: readonly Condition[]
      readonly columns: readonly string[]
      readonly until: '==' | '!='
      readonly rows: readonly Row[]
      readonly timeoutMs: number
    }
  | { readonly op: 'comment'; readonly comment: string }

/** Result of one operation: `uuid` of an insert, `count` of update, mutate and delete, `rows` of select. */
export interface OperationResult {
  readonly uuid?: string
  readonly count?: number
  readonly rows?: readonly Row[]
}

/** `name` lets other operations of the transaction refer to the new row by `named(name)`; letters, digits and `_`. */
export function insert(table: string, row: Row, name?: string): Operation {
  return name === undefined ? { op: 'insert', table, row } : { op: 'insert', table, row, name }
}
export function update(table: string, where: readonly Condition[], row: Row): Operation {
  return { op: 'update', table, where, row }
}
export function mutate(table: string, where: readonly Condition[], mutations: readonly Mutation[]): Operation {
  return { op: 'mutate', table, where, mutations }
}
/** Called `remove` because `delete` is a word of the language. */
export function remove(table: string, where: readonly Condition[]): Operation {
  return { op: 'delete', table, where }
}
export function select(table: string, where: readonly Condition[] = [], columns?: readonly string[]): Operation {
  return columns === undefined ? { op: 'select', table, where } : { op: 'select', table, where, columns }
}
/** Makes the transaction fail unless the rows found are `rows` (`==`) within `timeoutMs`; 0 checks once. */
export function wait(options: Omit<Extract<Operation, { op: 'wait' }>, 'op'>): Operation {
  return { op: 'wait', ...options }
}
/** The condition that picks one row. */
export function byUuid(uuid: string): readonly Condition[] {
  return [['_uuid', '==', uuid]]
}

function encodeRow(schema: DatabaseSchema, table: string, row: Row): Record<string, unknown> {
  const wire: Record<string, unknown> = {}
  for (const [column, value] of Object.entries(row)) wire[column] = encode(columnType(schema, table, column), value)
  return wire
}

function encodeWhere(schema: DatabaseSchema, table: string, where: readonly Condition[]): unknown[] {
  return where.map(([column, is, value]) => [column, is, encode(columnType(schema, table, column), value)])
}

/** Removing keys from a map is written as an array of the keys, which the wire calls a set. */
function encodeMutation(schema: DatabaseSchema, table: string, [column, mutator, value]: Mutation): unknown {
  const type = columnType(schema, table, column)
  const keysOnly = type.kind === 'map' && Array.isArray(value)
  return [column, mutator, encode(keysOnly ? { kind: 'set', key: type.key } : type, value)]
}

/** The wire form. Throws `TypeError` for a table or column that the schema has not. */
export function encodeOperation(schema: DatabaseSchema, operation: Operation): Record<string, unknown> {
  if (operation.op === 'comment') return { ...operation }
  const { op, table } = operation
  switch (op) {
    case 'insert': {
      const wire = { op, table, row: encodeRow(schema, table, operation.row) }
      return operation.name === undefined ? wire : { ...wire, 'uuid-name': operation.name }
    }
    case 'update':
      return {
        op,
        table,
        where: encodeWhere(schema, table, operation.where),
        row: encodeRow(schema, table, operation.row),
      }
    case 'mutate':
      return {
        op,
        table,
        where: encodeWhere(schema, table, operation.where),
        mutations: operation.mutations.map(mutation => encodeMutation(schema, table, mutation)),
      }
    case 'wait':
      return {
        op,
        table,
        where: encodeWhere(schema, table, operation.where),
        columns: operation.columns,
        until: operation.until,
        rows: operation.rows.map(row => encodeRow(schema, table, row)),
        timeout: operation.timeoutMs,
      }
    case 'select':
      return {
        op,
        table,
        where: encodeWhere(schema, table, operation.where),
        ...(operation.columns === undefined ? {} : { columns: operation.columns }),
      }
    case 'delete':
      return { op, table, where: encodeWhere(schema, table, operation.where) }
  }
}

/** A row from the wire; unknown columns are left out. */
export function decodeRow(schema: DatabaseSchema, table: string, wire: Record<string, unknown>): Row {
  const types = schema.tables[table]?.columns ?? {}
  const row: Record<string, Value> = {}
  for (const [column, value] of Object.entries(wire)) {
    const type = types[column]
    if (type !== undefined) row[column] = decode(type, value)
  }
  return row
}

/** The result of `operation` from the wire. */
export function decodeResult(schema: DatabaseSchema, operation: Operation, wire: unknown): OperationResult {
  const result = (wire ?? {}) as { uuid?: [string, string]; count?: number; rows?: Record<string, unknown>[] }
  if (result.uuid !== undefined) return { uuid: result.uuid[1] }
  if (result.count !== undefined) return { count: result.count }
  if (result.rows !== undefined && operation.op === 'select')
    return { rows: result.rows.map(row => decodeRow(schema, operation.table, row)) }
  return {}
}
