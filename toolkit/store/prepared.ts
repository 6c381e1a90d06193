/** Queries that are built once: building one costs Kysely more than SQLite needs to answer it by a key. */
import type { CompiledQuery, Kysely } from 'kysely'

/**
 * A query to be run with `db.executeQuery({ ...query(db), parameters })`. `build` gives it with any values; it is called
 * once for each engine.
 */
export function preparedQuery<DB>(build: (db: Kysely<DB>) => CompiledQuery): (db: Kysely<DB>) => CompiledQuery {
  const built = new WeakMap<object, CompiledQuery>()
  return db => {
    // The adapter is the same for a store's handle and for its transactions.
    const { adapter } = db.getExecutor()
    const query = built.get(adapter) ?? build(db)
    built.set(adapter, query)
    return query
  }
}
