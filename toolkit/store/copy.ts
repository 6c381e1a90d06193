/**
 * Copying a service's database from one engine to another, and the proof that the copy is equal: rows are counted and hashed on
 * both sides, in the order of their keys, after the copy was committed.
 */
import { createHash } from 'node:crypto'
import { Kysely, sql, type Transaction } from 'kysely'
import type { Engine } from './engine.ts'
import { BOOKKEEPING, type Migration, migrateStore, migrationState } from './migrate.ts'
import { engineOf } from './url.ts'

export interface CopiedTable {
  readonly table: string
  readonly rows: number
  /** SHA-256 of all rows, the same on both sides. */
  readonly hash: string
}

// biome-ignore lint/suspicious/noExplicitAny: tables of any service
type AnyDb = Kysely<any>
type Row = Record<string, unknown>

/** Rows read and written at once. */
const BATCH = 500

interface Table {
  readonly name: string
  readonly columns: readonly string[]
  readonly key: readonly string[]
  /** Columns that count up by themselves. */
  readonly counters: readonly string[]
}

/**
 * Makes the database at `to` and fills it with what is at `from`, in one transaction. Throws when `from` is not of this version,
 * when `to` has tables of ours already, and when a table differs in the end; what was copied is then removed.
 */
export async function copyDatabase(options: {
  readonly from: string
  readonly to: string
  readonly migrations: readonly Migration[]
}): Promise<CopiedTable[]> {
  const { from, to, migrations } = options
  const had = await migrationState(from, migrations)
  if (!had) throw new Error('there is nothing to copy: the source has no tables')
  if (had.pending.length + had.unknown.length > 0)
    throw new Error('the source is of another version; run "strata db migrate" on it, or the version that made it')
  if (await targetHasTables(to, migrations)) throw new Error('the target has tables already; it must be new')
  await makeTables(to, migrations)
  try {
    return await fill(from, to)
  } catch (thrown) {
    await engineOf(to).engine.drop()
    throw thrown
  }
}

async function targetHasTables(to: string, migrations: readonly Migration[]): Promise<boolean> {
  await engineOf(to).engine.prepare()
  return (await migrationState(to, migrations)) !== undefined
}

async function makeTables(to: string, migrations: readonly Migration[]): Promise<void> {
  const { engine } = engineOf(to)
  const db = new Kysely<unknown>({ dialect: engine.dialect })
  try {
    await migrateStore(engine, db, migrations)
  } finally {
    await db.destroy()
  }
}

async function fill(from: string, to: string): Promise<CopiedTable[]> {
  const [reading, writing] = [engineOf(from).engine, engineOf(to).engine]
  const source: AnyDb = new Kysely({ dialect: reading.dialect })
  const target: AnyDb = new Kysely({ dialect: writing.migrator()?.dialect ?? writing.dialect })
  try {
    const tables = await tablesOf(source, reading)
    await target.transaction().execute(async tx => {
      const restore = await withoutForeignKeys(tx, writing)
      for (const { name } of tables) await tx.deleteFrom(name).execute()
      for (const table of tables) {
        for await (const rows of batches(source, table)) await tx.insertInto(table.name).values(rows).execute()
        await setCounters(tx, writing, table)
      }
      await restore()
    })
    const copied: CopiedTable[] = []
    for (const table of tables) copied.push(await proven(table, source, target))
    return copied
  } finally {
    await source.destroy()
    await target.destroy()
  }
}

async function proven(table: Table, source: AnyDb, target: AnyDb): Promise<CopiedTable> {
  const [before, after] = [await digest(source, table), await digest(target, table)]
  if (before.rows !== after.rows || before.hash !== after.hash)
    throw new Error(`table ${table.name} differs: ${before.rows} rows, ${after.rows} of them in the copy`)
  return { table: table.name, ...after }
}

async function digest(db: AnyDb, table: Table): Promise<{ rows: number; hash: string }> {
  const hash = createHash('sha256')
  let count = 0
  for await (const rows of batches(db, table)) {
    count += rows.length
    for (const row of rows) hash.update(`${JSON.stringify(table.columns.map(column => row[column] ?? null))}\n`)
  }
  return { rows: count, hash: hash.digest('hex') }
}

/** All rows in the order of their keys. */
async function* batches(db: AnyDb, { name, columns, key }: Table): AsyncGenerator<Row[]> {
  const refs = sql.join(key.map(column => sql.ref(column)))
  let last: Row | undefined
  for (;;) {
    let query = db
      .selectFrom(name)
      .select(columns as string[])
      .limit(BATCH)
    for (const column of key) query = query.orderBy(column)
    const before = last
    if (before) query = query.where(sql<boolean>`(${refs}) > (${sql.join(key.map(column => before[column]))})`)
    const rows = (await query.execute()) as Row[]
    if (rows.length > 0) yield rows
    if (rows.length < BATCH) return
    last = rows.at(-1)
  }
}

async function tablesOf(db: AnyDb, engine: Engine): Promise<Table[]> {
  const known = await db.introspection.getTables()
  const tables: Table[] = []
  for (const { name, columns } of known) {
    if (BOOKKEEPING.some(one => one === name)) continue
    const key = await keyOf(db, engine, name)
    if (key.length === 0)
      throw new Error(`table ${name} has no primary key, so its rows have no order to be compared in`)
    tables.push({
      name,
      key,
      columns: columns.map(column => column.name).sort(),
      counters: columns.filter(column => column.isAutoIncrementing).map(column => column.name),
    })
  }
  return tables.sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function keyOf(db: AnyDb, { name: engine }: Engine, table: string): Promise<string[]> {
  const query =
    engine === 'sqlite'
      ? sql<{ name: string }>`select name from pragma_table_info(${table}) where pk > 0 order by pk`
      : sql<{ name: string }>`
          select k.column_name as name from information_schema.key_column_usage k
          join information_schema.table_constraints c
            on c.constraint_name = k.constraint_name and c.table_schema = k.table_schema and c.table_name = k.table_name
          where c.constraint_type = 'PRIMARY KEY' and k.table_name = ${table}
            and k.table_schema = ${engine === 'postgres' ? sql`current_schema()` : sql`database()`}
          order by k.ordinal_position`
  return (await query.execute(db)).rows.map(row => row.name)
}

/** Rows may now come in any order; what is returned has the engine check them all again, where it can. */
async function withoutForeignKeys(tx: Transaction<unknown>, { name }: Engine): Promise<() => Promise<void>> {
  if (name === 'sqlite') {
    await sql`pragma defer_foreign_keys = on`.execute(tx)
    return async () => {}
  }
  if (name === 'mariadb') {
    await sql`set foreign_key_checks = 0`.execute(tx)
    return async () => void (await sql`set foreign_key_checks = 1`.execute(tx))
  }
  const { rows } = await sql<{ table: string; name: string; definition: string }>`
    select r.relname as table, c.conname as name, pg_get_constraintdef(c.oid) as definition
    from pg_constraint c join pg_class r on r.oid = c.conrelid join pg_namespace n on n.oid = r.relnamespace
    where c.contype = 'f' and n.nspname = current_schema()`.execute(tx)
  for (const { table, name: constraint } of rows)
    await sql`alter table ${sql.table(table)} drop constraint ${sql.ref(constraint)}`.execute(tx)
  return async () => {
    // The definition is the engine's own words.
    for (const { table, name: constraint, definition } of rows)
      await sql`alter table ${sql.table(table)} add constraint ${sql.ref(constraint)} ${sql.raw(definition)}`.execute(
        tx,
      )
  }
}

/** PostgreSQL's counters do not notice values that were given. */
async function setCounters(tx: Transaction<unknown>, { name }: Engine, table: Table): Promise<void> {
  if (name !== 'postgres') return
  for (const column of table.counters)
    await sql`
      select setval(pg_get_serial_sequence(${table.name}, ${column}), coalesce(max(${sql.ref(column)}), 1),
        max(${sql.ref(column)}) is not null) from ${sql.table(table.name)}`.execute(tx)
}
