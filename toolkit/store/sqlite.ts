/**
 * SQLite by Node's own `node:sqlite`, as a Kysely dialect. One connection writes, behind a lock that queues writers; another
 * reads, so that readers never wait (WAL). Commits are not synced to the platter one by one (`synchronous=NORMAL`): a killed
 * process loses nothing, a power cut may lose the last moments but never consistency.
 */
import { closeSync, openSync, rmSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Engine } from './engine.ts'
import { createLock } from './lock.ts'

const pragmas = [
  'journal_mode = WAL',
  'synchronous = NORMAL',
  'foreign_keys = ON',
  'busy_timeout = 10000',
  'temp_store = MEMORY',
  'cache_size = -4096',
]

/** The file at `path`, which is made if absent. */
export function sqliteEngine(path: string): Engine {
  const driver = createDriver(path)
  return {
    name: 'sqlite',
    asksForIsolation: false,
    tablesCommitAtOnce: false,
    prepare: async () => {},
    ping: async () => {},
    // One connection writes, whoever asks; another process waits for the file.
    migrator: () => undefined,
    async drop() {
      for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
    },
    isConflict: () => false,
    isAway: () => false,
    isUnfit: () => false,
    isDoneAlready: () => false,
    dialect: {
      // Kysely would hold back all other queries while a transaction is open; the driver below has finer locks.
      createAdapter: () => Object.defineProperty(new SqliteAdapter(), 'supportsMultipleConnections', { value: true }),
      createDriver: () => driver,
      createIntrospector: db => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
    readNow: query => driver.readNow(query),
  }
}

interface Handle {
  run(query: CompiledQuery): QueryResult<unknown>
  close(): void
}

function openHandle(path: string, readOnly: boolean): Handle {
  // SQLite would let everybody read a file that it makes; the files that it puts beside this one get its mode.
  closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path)
  for (const pragma of pragmas) database.exec(`PRAGMA ${pragma}`)
  if (readOnly) database.exec('PRAGMA query_only = ON')
  const statements = new Map<string, Prepared>()
  const prepare = (sql: string): Prepared => {
    const known = statements.get(sql)
    if (known) return known
    const entry = prepared(database.prepare(sql))
    // Queries with lists of varying length would fill memory; the oldest go.
    if (statements.size >= 500) statements.delete(statements.keys().next().value!)
    statements.set(sql, entry)
    return entry
  }
  return {
    run({ sql, parameters }) {
      const { statement, rowOf } = prepare(sql)
      const values = parameters as SQLInputValue[]
      if (rowOf) return { rows: (statement.all(...values) as unknown as unknown[][]).map(rowOf) }
      const { changes, lastInsertRowid } = statement.run(...values)
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
    },
    close: () => database.close(),
  }
}

interface Prepared {
  readonly statement: StatementSync
  /** Absent for statements that return no rows. */
  readonly rowOf: ((values: unknown[]) => object) | undefined
}

/**
 * Node makes rows as dictionaries, which are slow to make and slower to read ever after; so rows are taken as lists, and
 * made into objects that all have one shape, by a function that is written for the columns of the statement.
 */
function prepared(statement: StatementSync): Prepared {
  const names = statement.columns().map(column => column.name)
  if (names.length === 0) return { statement, rowOf: undefined }
  statement.setReturnArrays(true)
  const members = names.map((name, n) => `${JSON.stringify(name)}: values[${n}]`)
  return { statement, rowOf: new Function('values', `return { ${members.join(', ')} }`) as Prepared['rowOf'] }
}

interface SqliteConnection extends DatabaseConnection {
  begin(): Promise<void>
  end(sql: 'COMMIT' | 'ROLLBACK'): void
}

function createDriver(path: string): Driver & { readNow(query: CompiledQuery): unknown[] } {
  let writer: Handle
  let reader: Handle
  const lock = createLock()
  const connect = (): SqliteConnection => {
    let release: (() => void) | undefined
    return {
      async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
        if (release) return writer.run(query) as QueryResult<R>
        if (query.query.kind === 'SelectQueryNode') return reader.run(query) as QueryResult<R>
        const done = await lock()
        try {
          return writer.run(query) as QueryResult<R>
        } finally {
          done()
        }
      },
      // biome-ignore lint/correctness/useYield: SQLite answers at once; there is nothing to stream
      async *streamQuery() {
        throw new Error('streaming queries are not supported by SQLite')
      },
      async begin() {
        release = await lock()
        try {
          writer.run(CompiledQuery.raw('BEGIN IMMEDIATE'))
        } catch (err) {
          release()
          release = undefined
          throw err
        }
      },
      end(sql) {
        try {
          writer.run(CompiledQuery.raw(sql))
        } finally {
          release?.()
          release = undefined
        }
      },
    }
  }
  return {
    async init() {
      writer = openHandle(path, false)
      reader = openHandle(path, true)
    },
    acquireConnection: async () => connect(),
    beginTransaction: async connection => (connection as SqliteConnection).begin(),
    commitTransaction: async connection => (connection as SqliteConnection).end('COMMIT'),
    rollbackTransaction: async connection => (connection as SqliteConnection).end('ROLLBACK'),
    releaseConnection: async () => {},
    async destroy() {
      reader?.close()
      writer?.close()
    },
    readNow: query => reader.run(query).rows,
  }
}
