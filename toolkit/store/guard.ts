/**
 * What every query passes on its way to an engine: queries beside an open transaction are refused, conflicts of single
 * queries are settled by asking again, and a database that is away becomes a 503 for whoever caused the query.
 */
import type { AsyncLocalStorage } from 'node:async_hooks'
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely'
import { badRequest, type Fault, unavailable } from '../fault/index.ts'
import { systemRuntime } from '../runtime/index.ts'
import { type Engine, isUniqueViolation } from './engine.ts'

/** What is known of one attempt of a transaction. */
export interface Mark {
  /** Its queries may come; any other, from the same course of events, may not. */
  open: boolean
  /** The conflict, or loss of the connection, that it met: all that follows in it is void. */
  trouble?: unknown
  /** The row that it met when it added one of the same key, in the engine's words. */
  duplicate?: string
  /** Whether its commit may have been done although its answer was lost. */
  uncertain?: boolean
}

export type Marks = AsyncLocalStorage<Mark>

/** Attempts, and milliseconds since the first began, until a conflict is told to the caller: each may have waited for a lock. */
const CONFLICT_ATTEMPTS = 25
const CONFLICT_PATIENCE = 45_000

/** From now on: whether there may be another attempt after the `n`th. */
export function patience(): (n: number) => boolean {
  const start = systemRuntime.monotonic()
  return n => n < CONFLICT_ATTEMPTS && systemRuntime.monotonic() - start < CONFLICT_PATIENCE
}
/** Repetitions, in 1.5 s, until a database counts as away: a connection of the pool may be older than the server. */
export const AWAY_ATTEMPTS = 5

/** Resolves a random while later, the longer the more attempts there were. */
export const pause = (attempt: number, most: number): Promise<void> =>
  systemRuntime.sleep(systemRuntime.random() * Math.min(5 * 2 ** attempt, most))

export const awayPause = (attempt: number): Promise<void> => systemRuntime.sleep(50 * 2 ** (attempt - 1))

/** A 503; sagas and callers of services may try again. */
export function databaseAway(cause: unknown): Fault {
  return Object.assign(
    unavailable('The database does not answer. Try again later.', 'DatabaseUnavailable', { cause }),
    {
      transient: true,
    },
  )
}

/** A 503: others changed the same so often that no attempt got through. */
export function tooManyConflicts(cause: unknown): Fault {
  const words = 'Too many changes of the same were made at once. Try again later.'
  return Object.assign(unavailable(words, 'DatabaseBusy', { cause }), { transient: true })
}

/** A 400: what a caller gave passed the schema, and does not fit into its column. */
const unfit = (cause: unknown): Fault =>
  badRequest('A value is too long, too great, or has characters that cannot be kept.', 'BadRequest', { cause })

export function refuseBeside(marks: Marks): void {
  if (marks.getStore()?.open)
    throw new Error('a query was made beside the open transaction: pass its `tx` along instead of using `db`')
}

/** The engine's dialect, guarded. */
export function guard(engine: Engine, marks: Marks): Dialect {
  const { dialect } = engine
  return {
    createAdapter: () => dialect.createAdapter(),
    createDriver: () => guardedDriver(engine, dialect.createDriver(), marks),
    createIntrospector: db => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
  }
}

interface Guarded extends DatabaseConnection {
  /** The engine's own connection. */
  inner: DatabaseConnection
  inTransaction: boolean
  /** The engine's connection was given back, and no other has come in its place. */
  empty: boolean
}

const own = (connection: DatabaseConnection) => connection as Guarded

function guardedDriver(engine: Engine, driver: Driver, marks: Marks): Driver {
  const acquire = async (): Promise<DatabaseConnection> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await driver.acquireConnection()
      } catch (thrown) {
        if (!engine.isAway(thrown)) throw thrown
        if (attempt === AWAY_ATTEMPTS) throw databaseAway(thrown)
      }
      await awayPause(attempt)
    }
  }
  const single = singleQueries(engine, driver, acquire)
  return {
    init: () => driver.init(),
    async acquireConnection() {
      refuseBeside(marks)
      const guarded: Guarded = {
        inner: await acquire(),
        inTransaction: false,
        empty: false,
        executeQuery: <R>(query: CompiledQuery) =>
          guarded.inTransaction ? partOfTransaction<R>(engine, marks, guarded, query) : single<R>(guarded, query),
        streamQuery: (query, size) => guarded.inner.streamQuery(query, size),
      }
      return guarded
    },
    async beginTransaction(connection, settings) {
      await driver.beginTransaction(own(connection).inner, settings)
      own(connection).inTransaction = true
    },
    async commitTransaction(connection) {
      await driver.commitTransaction(own(connection).inner)
      own(connection).inTransaction = false
    },
    async rollbackTransaction(connection) {
      own(connection).inTransaction = false
      // A connection that cannot even roll back is lost, and the pool will see so; what led here is the error to tell.
      await driver.rollbackTransaction(own(connection).inner).catch(() => {})
    },
    async releaseConnection(connection) {
      if (!own(connection).empty) await driver.releaseConnection(own(connection).inner)
    },
    destroy: () => driver.destroy(),
  }
}

const wordsOf = (thrown: unknown): string => {
  const { message, detail } = thrown as Error & { detail?: unknown }
  return `${message} ${String(detail ?? '')}`
}

async function partOfTransaction<R>(
  engine: Engine,
  marks: Marks,
  { inner }: Guarded,
  query: CompiledQuery,
): Promise<QueryResult<R>> {
  const mark = marks.getStore()
  // After a deadlock MariaDB has rolled back already: what came now would be committed one by one.
  if (mark?.trouble) throw mark.trouble
  try {
    return await inner.executeQuery<R>(query)
  } catch (thrown) {
    if (mark && (engine.isConflict(thrown) || engine.isAway(thrown))) mark.trouble = thrown
    if (mark && engine.name !== 'sqlite' && isUniqueViolation(thrown)) mark.duplicate = wordsOf(thrown)
    throw engine.isUnfit(thrown) ? unfit(thrown) : thrown
  }
}

/** Queries outside of transactions: each is one by itself. */
function singleQueries(engine: Engine, driver: Driver, acquire: () => Promise<DatabaseConnection>) {
  const writes = (query: CompiledQuery) => /^(Insert|Update|Delete)QueryNode$/.test(query.query.kind)
  const once = async <R>(inner: DatabaseConnection, query: CompiledQuery): Promise<QueryResult<R>> => {
    if (!engine.asksForIsolation || !writes(query)) return inner.executeQuery<R>(query)
    await driver.beginTransaction(inner, { isolationLevel: 'serializable' })
    try {
      const result = await inner.executeQuery<R>(query)
      await driver.commitTransaction(inner)
      return result
    } catch (thrown) {
      await driver.rollbackTransaction(inner).catch(() => {})
      throw thrown
    }
  }
  return async <R>(guarded: Guarded, query: CompiledQuery): Promise<QueryResult<R>> => {
    const patient = patience()
    for (let attempt = 1; ; attempt++) {
      try {
        return await once<R>(guarded.inner, query)
      } catch (thrown) {
        const isAway = engine.isAway(thrown)
        if (engine.isUnfit(thrown)) throw unfit(thrown)
        if (!isAway && !engine.isConflict(thrown)) throw thrown
        // Whether a write was done that got no answer is not known, so it is not done again.
        if (isAway && (attempt >= AWAY_ATTEMPTS || query.query.kind !== 'SelectQueryNode')) throw databaseAway(thrown)
        if (!patient(attempt)) throw tooManyConflicts(thrown)
        await (isAway ? awayPause(attempt) : pause(attempt, 200))
        if (isAway) {
          guarded.empty = true
          await driver.releaseConnection(guarded.inner).catch(() => {})
          guarded.inner = await acquire()
          guarded.empty = false
        }
      }
    }
  }
}
