/**
 * A service's own database. Kysely speaks to every engine; which one is told by a URL (`sqlite:/path/to/file`).
 *
 * Rules that hold on each engine: a change and what must follow from it (a saga's row, say) are written in one
 * `transaction`; inside of it only its `tx` is used (anything else throws at once, instead of waiting for itself forever);
 * what others should hear of goes to `afterCommit`.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type Dialect, type Driver, Kysely, type Transaction } from 'kysely'
import { type Migration, migrate } from './migrate.ts'
import { answerAtOnce, type ReadNow } from './prepared.ts'
import { sqliteEngine } from './sqlite.ts'

export { type Kysely, sql, type Transaction } from 'kysely'
export type { Migration } from './migrate.ts'
export { type PreparedQuery, preparedQuery } from './prepared.ts'

export type AfterCommit = (fn: () => void) => void
/** Either the store's own handle or an open transaction: what a query function takes. */
export type Db<DB> = Kysely<DB>

export interface Store<DB> {
  readonly db: Kysely<DB>
  /** Runs `fn` in a transaction that is committed when it resolves and rolled back when it rejects. */
  transaction<T>(fn: (tx: Transaction<DB>, afterCommit: AfterCommit) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Opens the database, made if absent, and brings its tables up to the last migration. */
export async function openStore<DB>(options: {
  /** `sqlite:/path/to/file`. */
  readonly url: string
  readonly migrations: readonly Migration[]
}): Promise<Store<DB>> {
  const inTransaction = new AsyncLocalStorage<{ open: boolean }>()
  const refuseOutside = () => {
    if (inTransaction.getStore()?.open)
      throw new Error('a query was made beside the open transaction: pass its `tx` along instead of using `db`')
  }
  const { dialect, readNow } = engineOf(options.url)
  const db = new Kysely<DB>({ dialect: guard(dialect, refuseOutside) })
  await migrate(db as Kysely<unknown>, options.migrations)
  if (readNow)
    answerAtOnce(db, query => {
      refuseOutside()
      return readNow(query)
    })
  return {
    db,
    async transaction(fn) {
      refuseOutside()
      const later: (() => void)[] = []
      const mark = { open: true }
      const result = await db
        .transaction()
        .execute(tx => inTransaction.run(mark, () => fn(tx, hook => void later.push(hook))))
        .finally(() => {
          mark.open = false
        })
      for (const hook of later) hook()
      return result
    },
    close: () => db.destroy(),
  }
}

function engineOf(url: string): { readonly dialect: Dialect; readonly readNow?: ReadNow } {
  const [, engine, rest] = /^([a-z]+):(.*)$/.exec(url) ?? []
  if (engine === 'sqlite' && rest) return sqliteEngine(rest)
  throw new Error(`there is no database engine for ${JSON.stringify(engine ?? url)}; known: sqlite:/path/to/file`)
}

/** The same engine, with `check` run whenever a connection is asked for: once a query, but not for those of a transaction. */
function guard(dialect: Dialect, check: () => void): Dialect {
  const guarded = (driver: Driver): Driver => ({
    init: () => driver.init(),
    async acquireConnection() {
      check()
      return driver.acquireConnection()
    },
    beginTransaction: (connection, settings) => driver.beginTransaction(connection, settings),
    commitTransaction: connection => driver.commitTransaction(connection),
    rollbackTransaction: connection => driver.rollbackTransaction(connection),
    releaseConnection: connection => driver.releaseConnection(connection),
    destroy: () => driver.destroy(),
  })
  return {
    createAdapter: () => dialect.createAdapter(),
    createDriver: () => guarded(dialect.createDriver()),
    createIntrospector: db => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
  }
}

/** True when the error is an engine's word for a broken unique (or primary key) constraint. */
export function isUniqueViolation(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false
  const { code, errno } = thrown as Error & { code?: unknown; errno?: unknown }
  return (
    /UNIQUE constraint failed|PRIMARY KEY constraint failed/.test(thrown.message) || code === '23505' || errno === 1062
  )
}
