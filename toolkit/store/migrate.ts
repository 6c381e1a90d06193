/**
 * Migrations: written by hand, named `0001-what-it-does`, run in the order of their names, once, each in a transaction, by
 * one process at a time.
 *
 * MariaDB commits each change of a table at once. There a migration is noted before it begins; one that was noted and not
 * finished runs again from its beginning, and what it finds done already counts as done.
 */
import { type CompiledQuery, type DatabaseConnection, type Dialect, Kysely, type QueryResult } from 'kysely'
import type { Engine } from './engine.ts'
import { engineOf } from './url.ts'

export interface Migration {
  readonly name: string
  up(db: Kysely<unknown>): Promise<void>
}

/** Tables of the store itself. */
export const BOOKKEEPING = ['strata_migrations', 'strata_migrations_begun'] as const

interface Bookkeeping {
  strata_migrations: { name: string }
  strata_migrations_begun: { name: string }
}

/** Runs those that have not run yet. Throws when the database knows one that the code does not: it is newer than the code. */
export async function migrateStore(
  engine: Engine,
  db: Kysely<unknown>,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  const migrator = engine.migrator()
  if (!migrator) return migrate({ db, migrations })
  return migrator.exclusively(async () => {
    const leniency = { on: false }
    const own = new Kysely<unknown>({ dialect: lenient(migrator.dialect, engine, leniency) })
    try {
      return await migrate({ db: own, migrations, leniency: engine.tablesCommitAtOnce ? leniency : undefined })
    } finally {
      await own.destroy()
    }
  })
}

interface Work {
  readonly db: Kysely<unknown>
  readonly migrations: readonly Migration[]
  /** Present where changes of tables commit at once; `on` while a migration runs that was begun before. */
  readonly leniency?: { on: boolean }
}

async function migrate({ db, migrations, leniency }: Work): Promise<readonly string[]> {
  const books = db as Kysely<Bookkeeping>
  for (const table of leniency ? BOOKKEEPING : BOOKKEEPING.slice(0, 1))
    await books.schema
      .createTable(table)
      .ifNotExists()
      .addColumn('name', 'varchar(255)', column => column.primaryKey())
      .execute()
  const done = await namesIn(books)
  refuseNewer(done, migrations)
  const ran: string[] = []
  for (const migration of inOrder(migrations)) {
    if (done.has(migration.name)) continue
    if (leniency) leniency.on = await begunBefore(books, migration.name)
    const mine = await db.transaction().execute(async tx => {
      const inside = tx as Kysely<Bookkeeping>
      // Another process may have waited for the same file.
      if ((await namesIn(inside, migration.name)).size > 0) return false
      await migration.up(tx)
      await inside.insertInto('strata_migrations').values({ name: migration.name }).execute()
      return true
    })
    if (mine) ran.push(migration.name)
  }
  return ran
}

const inOrder = (migrations: readonly Migration[]) => [...migrations].sort((a, b) => (a.name < b.name ? -1 : 1))

async function namesIn(books: Kysely<Bookkeeping>, name?: string): Promise<Set<string>> {
  let query = books.selectFrom('strata_migrations').select('name')
  if (name !== undefined) query = query.where('name', '=', name)
  return new Set((await query.execute()).map(row => row.name))
}

function refuseNewer(done: ReadonlySet<string>, migrations: readonly Migration[]): void {
  const known = new Set(migrations.map(migration => migration.name))
  const foreign = [...done].filter(name => !known.has(name))
  if (foreign.length > 0) throw new Error(`the database was made by a newer version: it has ${foreign.join(', ')}`)
}

/** Notes that the migration begins; true when it had been noted before. */
async function begunBefore(books: Kysely<Bookkeeping>, name: string): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await books
    .insertInto('strata_migrations_begun')
    .values({ name })
    .onConflict(conflict => conflict.doNothing())
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows === 0n
}

function lenient(dialect: Dialect, engine: Engine, leniency: { readonly on: boolean }): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: db => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver() {
      const driver = dialect.createDriver()
      const acquire = driver.acquireConnection.bind(driver)
      const known = new WeakSet<DatabaseConnection>()
      driver.acquireConnection = async options => {
        const connection = await acquire(options)
        if (known.has(connection)) return connection
        known.add(connection)
        const execute = connection.executeQuery.bind(connection)
        connection.executeQuery = <R>(query: CompiledQuery): Promise<QueryResult<R>> =>
          execute<R>(query).catch(thrown => {
            if (!leniency.on || !engine.isDoneAlready(thrown)) throw thrown
            return { rows: [] }
          })
        return connection
      }
      return driver
    },
  }
}

export interface MigrationState {
  readonly done: readonly string[]
  readonly pending: readonly string[]
  /** Migrations that this version does not know: the database was made by a newer one. */
  readonly unknown: readonly string[]
}

/** Which migrations a database has, without changing it. `undefined` when it has no tables of ours. */
export async function migrationState(
  url: string,
  migrations: readonly Migration[],
): Promise<MigrationState | undefined> {
  const db = new Kysely<Bookkeeping>({ dialect: engineOf(url).engine.dialect })
  try {
    const tables = await db.introspection.getTables()
    if (!tables.some(table => table.name === 'strata_migrations')) return undefined
    const done = await namesIn(db)
    const known = inOrder(migrations).map(migration => migration.name)
    return {
      done: known.filter(name => done.has(name)),
      pending: known.filter(name => !done.has(name)),
      unknown: [...done].filter(name => !known.includes(name)),
    }
  } finally {
    await db.destroy()
  }
}
