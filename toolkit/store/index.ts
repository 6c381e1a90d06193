/**
 * A service's own database. Kysely speaks to every engine; which one is told by a URL: `sqlite:/path/to/file`,
 * `postgres://…?schema=NAME`, `mariadb://…/NAME` (README.md).
 *
 * Rules that hold on each engine: a change and what must follow from it (a saga's row, say) are written in one
 * `transaction`; inside of it only its `tx` is used (anything else throws at once, instead of waiting for itself forever);
 * what others should hear of goes to `afterCommit`. Transactions are as if they ran one after another. Engines with a server see to
 * that by refusing some, which are run again: so what `fn` does beside its `tx` must bear being done twice.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { Kysely, type Transaction } from 'kysely'
import type { Engine } from './engine.ts'
import {
  AWAY_ATTEMPTS,
  awayPause,
  databaseAway,
  guard,
  type Mark,
  patience,
  pause,
  refuseBeside,
  tooManyConflicts,
} from './guard.ts'
import { createLock } from './lock.ts'
import { type Migration, migrateStore } from './migrate.ts'
import { answerAtOnce } from './prepared.ts'
import { engineOf } from './url.ts'

export { type Kysely, sql, type Transaction } from 'kysely'
export { type CopiedTable, copyDatabase } from './copy.ts'
export { isUniqueViolation } from './engine.ts'
export { type Migration, type MigrationState, migrationState } from './migrate.ts'
export { type PreparedQuery, preparedQuery } from './prepared.ts'
export { awaitDatabase, databaseProblem, dropDatabase, engineNameOf, serviceUrl, shownUrl } from './url.ts'

export type AfterCommit = (fn: () => void) => void
/** Either the store's own handle or an open transaction: what a query function takes. */
export type Db<DB> = Kysely<DB>

export interface Store<DB> {
  readonly db: Kysely<DB>
  /**
   * Runs `fn` in a transaction that is committed when it resolves and rolled back when it rejects; again, if others crossed
   * it. Rejects with a 503 when the database is away, or others went on crossing it.
   */
  transaction<T>(fn: (tx: Transaction<DB>, afterCommit: AfterCommit) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Opens the database, made if absent, and brings its tables up to the last migration. */
export async function openStore<DB>(options: {
  readonly url: string
  readonly migrations: readonly Migration[]
}): Promise<Store<DB>> {
  const { engine, rehearsed } = engineOf(options.url)
  const marks = new AsyncLocalStorage<Mark>()
  const db = new Kysely<DB>({ dialect: guard(engine, marks) })
  try {
    await engine.prepare()
    await migrateStore(engine, db as Kysely<unknown>, options.migrations)
  } catch (thrown) {
    await db.destroy()
    throw thrown
  }
  const { readNow } = engine
  if (readNow)
    answerAtOnce(db, query => {
      refuseBeside(marks)
      return readNow(query)
    })
  return { db, transaction: transactions({ db, engine, marks, rehearsed }), close: () => db.destroy() }
}

/** Thrown at the end of a transaction that is only rehearsed. */
const REHEARSED = Symbol('rehearsed')

function transactions<DB>(options: {
  readonly db: Kysely<DB>
  readonly engine: Engine
  readonly marks: AsyncLocalStorage<Mark>
  readonly rehearsed: boolean
}): Store<DB>['transaction'] {
  const { db, engine, marks } = options
  const begin = () => (engine.asksForIsolation ? db.transaction().setIsolationLevel('serializable') : db.transaction())
  const troublesome = (thrown: unknown) => engine.isConflict(thrown) || engine.isAway(thrown)
  // Those that were refused try again one at a time, lest they refuse each other for ever.
  const again = createLock()

  const attempt = async <T>(
    fn: (tx: Transaction<DB>, afterCommit: AfterCommit) => Promise<T>,
    mark: Mark,
    rehearsal: boolean,
  ): Promise<T> => {
    const later: (() => void)[] = []
    let finished = false
    let result: T
    try {
      result = await begin().execute(async tx => {
        mark.open = true
        try {
          const made = await marks.run(mark, () => fn(tx, hook => void later.push(hook)))
          if (mark.trouble) throw mark.trouble
          if (rehearsal) throw REHEARSED
          finished = true
          return made
        } finally {
          mark.open = false
        }
      })
    } catch (thrown) {
      // Whatever `fn` made of it, the trouble is what ended the transaction.
      if (troublesome(thrown)) mark.trouble ??= thrown
      mark.uncertain = finished && engine.isAway(thrown)
      throw thrown
    }
    for (const hook of later) hook()
    return result
  }

  return async fn => {
    refuseBeside(marks)
    if (options.rehearsed)
      await attempt(fn, { open: false }, true).catch(thrown => {
        if (thrown !== REHEARSED) throw thrown
      })
    let duplicate: string | undefined
    const patient = patience()
    for (let n = 1; ; n++) {
      const done = n > 1 ? await again() : () => {}
      const mark: Mark = { open: false }
      try {
        return await attempt(fn, mark, false)
      } catch (thrown) {
        const { trouble } = mark
        if (trouble === undefined) {
          // A row that came meanwhile, and that `fn` would have seen had it come before? Then it does not meet it twice.
          if (mark.duplicate === undefined || mark.duplicate === duplicate || !patient(n)) throw thrown
          duplicate = mark.duplicate
          continue
        }
        if (engine.isAway(trouble)) {
          if (mark.uncertain || n >= AWAY_ATTEMPTS) throw databaseAway(trouble)
          await awayPause(n)
        } else {
          if (!patient(n)) throw tooManyConflicts(trouble)
          await pause(n, 200)
        }
      } finally {
        done()
      }
    }
  }
}
