/**
 * Queries that are built once, since building one costs Kysely more than SQLite needs to answer it by a key; and answered at
 * once where the engine can, since waiting for what is there already costs as much again.
 */
import type { CompiledQuery, Kysely } from 'kysely'
import type { Eventual } from '../eventual/index.ts'

export type ReadNow = (query: CompiledQuery) => unknown[]

/** By the handle of a store whose engine answers reads at once. Transactions are handles of their own. */
const immediate = new WeakMap<object, ReadNow>()

/** Tells that reads through this handle, and no other, may be answered by `readNow`. */
export function answerAtOnce(db: object, readNow: ReadNow): void {
  immediate.set(db, readNow)
}

/** Reads rows by the parameters of a prepared query, through a store's handle or a transaction. */
export type PreparedQuery<DB, Row> = (db: Kysely<DB>, parameters: readonly unknown[]) => Eventual<Row[]>

/** `build` gives the query, which only reads, with any values; it is called once for each engine. */
export function preparedQuery<DB, Row>(build: (db: Kysely<DB>) => CompiledQuery): PreparedQuery<DB, Row> {
  const built = new WeakMap<object, CompiledQuery>()
  return (db, parameters) => {
    // The adapter is the same for a store's handle and for its transactions.
    const { adapter } = db.getExecutor()
    let query = built.get(adapter)
    if (!query) {
      query = build(db)
      built.set(adapter, query)
    }
    const { sql, query: node, queryId } = query
    const asked: CompiledQuery = { sql, query: node, queryId, parameters }
    const readNow = immediate.get(db)
    return readNow ? (readNow(asked) as Row[]) : db.executeQuery<Row>(asked).then(({ rows }) => rows)
  }
}
