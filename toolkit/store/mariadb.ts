/**
 * MariaDB (and MySQL, as far as it is the same) by `mysql2`. A service has a database of its own, which the URL names:
 * `mariadb://user:password@host/identity`, or `…/identity?socket=/run/mysqld/mysqld.sock`. Text is utf8mb4 and compares by its
 * bytes; statements are strict and quote as the standard does.
 */
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type DataTypeNode,
  type Dialect,
  type Driver,
  type InsertQueryNode,
  MysqlDialect,
  MysqlQueryCompiler,
  type OnConflictNode,
  type OperationNode,
  type QueryResult,
} from 'kysely'
import type mysql from 'mysql2'
import { codeOf, type Engine, isUnreachable, plainName, type ServerOptions, serverOptions } from './engine.ts'

const DUPLICATE_KEY = 1062
/** Deadlock; lock wait timeout; the row has changed since it was read. */
const conflicts = new Set([1213, 1205, 1020])
/** Too many connections; shutting down; connection killed. */
const away = new Set([1040, 1053, 1927, 1152, 1158, 1159, 1160, 1161])
const awayCodes = new Set(['PROTOCOL_CONNECTION_LOST', 'PROTOCOL_SEQUENCE_TIMEOUT'])
/** Loaded when a database of this kind is opened: it is 15 MiB, which clouds on SQLite need not hold. */
const library = (): typeof mysql => createRequire(import.meta.url)('mysql2') as typeof mysql

/** Table, column, index exist; table, column or index to be dropped does not. */
const doneAlready = new Set([1050, 1060, 1061, 1051, 1091])

export function mariadbEngine(given: string): Engine {
  const url = new URL(given)
  const options = serverOptions(url)
  const database = plainName(decodeURIComponent(url.pathname.slice(1)), 'database')
  const socketPath = url.searchParams.get('socket') ?? undefined
  const access: mysql.ConnectionOptions = {
    ...(socketPath ? { socketPath } : { host: url.hostname, port: Number(url.port || 3306) }),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    charset: 'UTF8MB4_BIN',
    connectTimeout: 5000,
    enableKeepAlive: true,
    typeCast: exactly,
    stringifyObjects: true,
    ...tlsOf(url.searchParams.get('ssl')),
  }
  const withConnection = async <T>(work: (ask: Ask) => Promise<T>): Promise<T> => {
    const connection = library().createConnection(access)
    connection.on('error', () => {})
    const ask: Ask = (sql, values: string[] = []) =>
      new Promise((resolve, reject) =>
        connection.query(sql, values, (err, rows) => (err ? reject(err) : resolve(rows as Record<string, unknown>[]))),
      )
    try {
      return await work(ask)
    } finally {
      connection.destroy()
    }
  }
  const locked = <T>(work: () => Promise<T>): Promise<T> =>
    withConnection(async ask => {
      const name = `strata ${database}`
      while (Number((await ask('select get_lock(?, 10) as got', [name]))[0]?.['got']) !== 1);
      return work()
    })
  return {
    name: 'mariadb',
    dialect: dialectOf({ ...access, database }, options),
    asksForIsolation: false,
    tablesCommitAtOnce: true,
    prepare: () =>
      withConnection(async ask => {
        const known = await ask('select 1 from information_schema.schemata where schema_name = ?', [database])
        if (known.length === 0)
          await ask(`create database if not exists ${database} character set utf8mb4 collate utf8mb4_nopad_bin`)
      }),
    ping: () => withConnection(async ask => void (await ask('select 1'))),
    migrator: () => ({
      dialect: dialectOf({ ...access, database }, { pool: 2, statementTimeout: 0 }),
      exclusively: locked,
    }),
    drop: () => withConnection(async ask => void (await ask(`drop database if exists ${database}`))),
    isConflict: thrown => conflicts.has(Number(codeOf(thrown).errno)),
    isAway: thrown =>
      isUnreachable(thrown) ||
      away.has(Number(codeOf(thrown).errno)) ||
      awayCodes.has(String(codeOf(thrown).code)) ||
      (thrown instanceof Error && /connection is in closed state/.test(thrown.message)),
    // Too long; out of range; not of the character set.
    isUnfit: thrown => [1406, 1264, 1366].includes(Number(codeOf(thrown).errno)),
    isDoneAlready: thrown => doneAlready.has(Number(codeOf(thrown).errno)),
  }
}

/** The client's own way of reading fractions may lose their last digit. */
const exactly: mysql.TypeCast = (field, next) => {
  if (field.type !== 'DOUBLE' && field.type !== 'FLOAT' && field.type !== 'NEWDECIMAL') return next()
  const text = field.string()
  return text === null ? null : Number(text)
}

type Ask = (sql: string, values?: string[]) => Promise<Record<string, unknown>[]>

/** `ssl=verify` checks the server's certificate, `ssl=require` does not. Throws for anything else. */
function tlsOf(ssl: string | null): Pick<mysql.ConnectionOptions, 'ssl'> {
  if (ssl === null) return {}
  if (ssl !== 'verify' && ssl !== 'require')
    throw new Error(`the database URL says ssl=${ssl}; verify or require is known`)
  return { ssl: { rejectUnauthorized: ssl === 'verify' } }
}

const sqlMode = [
  ...['STRICT_ALL_TABLES', 'ERROR_FOR_DIVISION_BY_ZERO', 'NO_ENGINE_SUBSTITUTION', 'ONLY_FULL_GROUP_BY'],
  ...['PIPES_AS_CONCAT', 'ANSI_QUOTES'],
].join(',')

function dialectOf(
  access: mysql.ConnectionOptions,
  { pool: connectionLimit, statementTimeout }: ServerOptions,
): Dialect {
  const session = [
    `session sql_mode = '${sqlMode}'`,
    "session tx_isolation = 'SERIALIZABLE'",
    'session innodb_lock_wait_timeout = 10',
    `session max_statement_time = ${statementTimeout / 1000}`,
    "session time_zone = '+00:00'",
    'session idle_transaction_timeout = 60',
  ]
  const dialect = new MysqlDialect({
    async pool() {
      const pool = library().createPool({ ...access, connectionLimit, maxIdle: connectionLimit })
      // A connection that breaks while nobody asks anything of it must not end the process.
      pool.on('connection', connection => connection.on('error', () => {}))
      // Connections that nobody uses hold no process.
      pool.on('acquire', connection => socketOf(connection).ref())
      pool.on('release', connection => socketOf(connection).unref())
      return pool
    },
    onCreateConnection: async connection => void (await connection.executeQuery(rawQuery(`set ${session.join(', ')}`))),
  })
  return {
    createAdapter: () => dialect.createAdapter(),
    createDriver: () => lenientTowardsDuplicates(dialect.createDriver()),
    createQueryCompiler: () => new Compiler(),
    createIntrospector: db => dialect.createIntrospector(db),
  }
}

const socketOf = (connection: mysql.PoolConnection) => (connection as unknown as { stream: Socket }).stream

const rawQuery = (sql: string): CompiledQuery => ({
  sql,
  parameters: [],
  query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] } as CompiledQuery['query'],
  queryId: { queryId: 'session' } as CompiledQuery['queryId'],
})

/** `on conflict do nothing` of a single row: MariaDB has no word for it that would not hide other errors as well. */
const skipsDuplicate = (query: OperationNode): boolean => {
  if (query.kind !== 'InsertQueryNode') return false
  const { onConflict, values } = query as InsertQueryNode
  return onConflict?.doNothing === true && (values as { values?: readonly unknown[] } | undefined)?.values?.length === 1
}

function lenientTowardsDuplicates(driver: Driver): Driver {
  const acquire = driver.acquireConnection.bind(driver)
  const known = new WeakSet<DatabaseConnection>()
  driver.acquireConnection = async options => {
    const connection = await acquire(options)
    if (known.has(connection)) return connection
    known.add(connection)
    const execute = connection.executeQuery.bind(connection)
    connection.executeQuery = async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
      if (!skipsDuplicate(query.query)) return execute<R>(query)
      return await execute<R>(query).catch(thrown => {
        if (codeOf(thrown).errno !== DUPLICATE_KEY) throw thrown
        return { rows: [], numAffectedRows: 0n }
      })
    }
    return connection
  }
  return driver
}

// A compiler is made by extending Kysely's own: it has no other way in.
class Compiler extends MysqlQueryCompiler {
  /** MariaDB's `text` ends at 64 KiB. */
  protected override visitDataType(node: DataTypeNode): void {
    if (node.dataType === 'text') this.append('longtext')
    else super.visitDataType(node)
  }

  /** `on conflict` in MariaDB's words; it finds out by itself which unique key was met. */
  protected override visitOnConflict(node: OnConflictNode): void {
    if (node.updateWhere || node.indexWhere) throw new Error('MariaDB has no conditions in an upsert')
    const insert = this.parentNode as InsertQueryNode
    if (skipsDuplicate(insert)) return
    const column = insert.columns?.[0]
    if (node.doNothing && column) {
      this.append('on duplicate key update ')
      this.visitNode(column)
      this.append(' = ')
      this.visitNode(column)
    } else {
      this.append('on duplicate key update ')
      this.compileList(node.updates ?? [])
    }
  }
}
