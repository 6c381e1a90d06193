/** The rows of a resource: reading and writing them by the declaration, with pages that stay right while rows come and go. */
import { type Expression, type ExpressionBuilder, type Kysely, type SqlBool, sql } from 'kysely'
import type { Create, Field, Fields, Row } from '../schema/index.ts'
import { preparedQuery } from '../store/index.ts'
import type { Resource, SortKey } from './resource.ts'

// A derived query knows its table and columns only at run time.
type AnyTables = Record<string, Record<string, unknown>>
export type Condition = (eb: ExpressionBuilder<AnyTables, string>) => Expression<SqlBool>
// biome-ignore lint/suspicious/noExplicitAny: takes the handle of a service with whatever tables
type AnyDb = Kysely<any>

export interface ListQuery {
  /** Equal to one of the values; a null matches rows without a value. */
  readonly where?: Readonly<Record<string, unknown>>
  readonly conditions?: readonly Condition[]
  readonly sort?: readonly SortKey[]
  readonly limit?: number
  /** The row after which (before which, when `reverse`) the page begins. */
  readonly after?: Readonly<Record<string, unknown>>
  readonly reverse?: boolean
}

export interface Repository<F extends Fields> {
  readonly resource: Resource<F>
  find(db: AnyDb, id: string): Promise<Row<F> | undefined>
  list(db: AnyDb, query?: ListQuery): Promise<Row<F>[]>
  count(db: AnyDb, query?: Pick<ListQuery, 'where' | 'conditions'>): Promise<number>
  /** Fields that are not given get their default, or null. */
  insert(db: AnyDb, row: Partial<Row<F>> & Create<F>): Promise<Row<F>>
  update(db: AnyDb, id: string, change: Partial<Row<F>>): Promise<void>
  /** False when there was none. */
  remove(db: AnyDb, id: string): Promise<boolean>
}

/** Queries of a resource, whose key is its field `id`. */
export function repository<F extends Fields>(resource: Resource<F>): Repository<F> {
  const { table, fields } = resource
  const stored = Object.entries(fields).filter(([, field]) => field.stored)
  const columns = stored.map(([name]) => name)
  const decode = rowDecoder<F>(stored)
  const select = (db: AnyDb) => db.selectFrom(table).select(columns)
  const byId = preparedQuery<AnyTables, Record<string, unknown>>(db => select(db).where('id', '=', '').compile())
  const narrow = (query: Pick<ListQuery, 'where' | 'conditions'>): Condition[] => [
    ...Object.entries(query.where ?? {}).map(([name, value]) => equals(name, fields[name], value)),
    ...(query.conditions ?? []),
  ]
  return {
    resource,
    async find(db, id) {
      const [row] = await byId(db, [id])
      return row && decode(row)
    },
    async list(db, query = {}) {
      const keys = sortKeys(query.sort ?? resource.defaultSort ?? [], query.reverse ?? false)
      let q = select(db)
      for (const condition of narrow(query)) q = q.where(condition as never)
      if (query.after) q = q.where(beyond(fields, keys, query.after) as never)
      for (const key of keys) q = q.orderBy(sortable(fields, key.field), key.direction)
      if (query.limit !== undefined) q = q.limit(query.limit)
      const rows = (await q.execute()).map(decode)
      return query.reverse ? rows.reverse() : rows
    },
    async count(db, query = {}) {
      let q = db.selectFrom(table).select(eb => eb.fn.countAll().as('n'))
      for (const condition of narrow(query)) q = q.where(condition as never)
      return Number((await q.executeTakeFirstOrThrow())['n'])
    },
    async insert(db, given) {
      const values = given as Record<string, unknown>
      const row = Object.fromEntries(stored.map(([name, field]) => [name, values[name] ?? field.default ?? null]))
      await db.insertInto(table).values(encode(fields, row)).execute()
      return row as Row<F>
    },
    async update(db, id, change) {
      const values = Object.fromEntries(Object.entries(change).filter(([name]) => fields[name]?.stored))
      if (Object.keys(values).length > 0)
        await db.updateTable(table).set(encode(fields, values)).where('id', '=', id).execute()
    },
    async remove(db, id) {
      const { numDeletedRows } = await db.deleteFrom(table).where('id', '=', id).executeTakeFirst()
      return numDeletedRows > 0n
    },
  }
}

/** The sort keys in the direction of reading, with the id last so that the order is total. */
function sortKeys(sort: readonly SortKey[], reverse: boolean): SortKey[] {
  const flip = (direction: SortKey['direction']) => (reverse === (direction === 'asc') ? 'desc' : 'asc')
  const last = sort.at(-1)?.direction ?? 'asc'
  const keys = sort.some(key => key.field === 'id') ? [...sort] : [...sort, { field: 'id', direction: last }]
  return keys.map(key => ({ field: key.field, direction: flip(key.direction) }))
}

/** Engines disagree on where nulls go, so a column that can be null sorts as if it held the smallest value. */
function sortable(fields: Fields, column: string) {
  const field = fields[column]
  const type = field?.json['type']
  if (!field || column === 'id' || !Array.isArray(type) || !type.includes('null')) return sql.ref(column)
  return sql`coalesce(${sql.ref(column)}, ${smallest(field)})`
}

const smallest = (field: Field): string | number => (field.columnType === 'text' ? '' : -1)

/**
 * Rows that come after `row` in the order of `keys`: a >= x and ((a > x) or (a = x and b > y) or …). The first part says nothing
 * new, but by it alone engines find where to begin in an index.
 */
function beyond(fields: Fields, keys: readonly SortKey[], row: Readonly<Record<string, unknown>>): Condition {
  const keyOf = (name: string) => encodeValue(fields[name]!, row[name]) ?? smallest(fields[name]!)
  const [first] = keys
  return eb =>
    eb.and([
      eb(sortable(fields, first!.field), first!.direction === 'asc' ? '>=' : '<=', keyOf(first!.field)),
      eb.or(
        keys.map((key, at) =>
          eb.and([
            ...keys.slice(0, at).map(before => eb(sortable(fields, before.field), '=', keyOf(before.field))),
            eb(sortable(fields, key.field), key.direction === 'asc' ? '>' : '<', keyOf(key.field)),
          ]),
        ),
      ),
    ])
}

function equals(name: string, field: Field | undefined, value: unknown): Condition {
  if (!field) throw new Error(`there is no field ${name}`)
  const values = (Array.isArray(value) ? value : [value]).map(one => encodeValue(field, one))
  const present = values.filter(one => one !== null)
  return eb => {
    const parts: Expression<SqlBool>[] = []
    if (present.length === 1) parts.push(eb(name, '=', present[0]))
    else if (present.length > 1) parts.push(eb(name, 'in', present))
    if (present.length < values.length) parts.push(eb(name, 'is', null))
    return parts.length === 0 ? sql<SqlBool>`1 = 0` : eb.or(parts)
  }
}

/** Values as their columns take them. */
export function encode(fields: Fields, row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, encodeValue(fields[name]!, value)]))
}

function encodeValue(field: Field, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (field.columnType === 'boolean') return value ? 1 : 0
  return field.columnType === 'json' ? JSON.stringify(value) : value
}

/** Columns back to values; only booleans and JSON need a hand, so only they are visited. */
function rowDecoder<F extends Fields>(stored: readonly (readonly [string, Field])[]) {
  const booleans = stored.filter(([, field]) => field.columnType === 'boolean').map(([name]) => name)
  const jsons = stored.filter(([, field]) => field.columnType === 'json').map(([name]) => name)
  return (row: Record<string, unknown>): Row<F> => {
    for (const name of booleans) if (row[name] !== null) row[name] = Boolean(row[name])
    for (const name of jsons) if (typeof row[name] === 'string') row[name] = JSON.parse(row[name])
    return row as Row<F>
  }
}
