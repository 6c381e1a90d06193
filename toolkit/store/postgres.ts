/**
 * PostgreSQL by `pg`. A service's tables live in a schema of their own, which the URL names:
 * `postgres://user:password@host/database?schema=identity`. Text sorts and compares by its bytes, as it does in the other
 * engines, whatever the database was made with.
 */
import { createRequire } from 'node:module'
import {
  type DataTypeNode,
  type Dialect,
  type Kysely,
  PostgresDialect,
  type PostgresPool,
  PostgresQueryCompiler,
  sql,
  type TableMetadata,
} from 'kysely'
import type pg from 'pg'
import { codeOf, type Engine, isUnreachable, plainName, type ServerOptions, serverOptions } from './engine.ts'

/** Types by their numbers in `pg_type`. */
const BOOL = 16
const INT8 = 20
const NUMERIC = 1700

/** Whole numbers beyond 32 bits, sums and truths come as numbers, as from the other engines. */
const types = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8 || oid === NUMERIC) return Number
    if (oid === BOOL) return (text: string) => (text === 't' ? 1 : 0)
    return library().types.getTypeParser(oid, format as 'text')
  },
}

/** Loaded when a database of this kind is opened: it is 10 MiB, which clouds on SQLite need not hold. */
const library = (): typeof pg => createRequire(import.meta.url)('pg') as typeof pg

/** Away: the server is shutting down, starting, has lost the connection, or has no more of them to give. */
const awayCodes = new Set(['57P01', '57P02', '57P03', '08000', '08001', '08003', '08004', '08006', '53300', '25P03'])
const awayWords =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/

export function postgresEngine(given: string): Engine {
  const url = new URL(given)
  const options = serverOptions(url)
  const schema = plainName(url.searchParams.get('schema') ?? 'strata', 'schema')
  url.searchParams.delete('schema')
  const connection = (timeout: number): pg.ClientConfig => ({
    connectionString: url.href,
    application_name: `strata ${schema}`,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
    options: `-c search_path=${schema}`,
    types,
    ...(timeout > 0 ? { statement_timeout: timeout, lock_timeout: Math.min(timeout, 10_000) } : {}),
    idle_in_transaction_session_timeout: 60_000,
  })
  const withClient = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new (library().Client)({ ...connection(0), idle_in_transaction_session_timeout: 0 })
    client.on('error', () => {})
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }
  const locked = <T>(work: (client: pg.Client) => Promise<T>): Promise<T> =>
    withClient(async client => {
      await client.query('select pg_advisory_lock(hashtext($1))', [`strata ${schema}`])
      return work(client)
    })
  return {
    name: 'postgres',
    dialect: dialectOf(schema, connection(options.statementTimeout), options),
    asksForIsolation: true,
    tablesCommitAtOnce: false,
    prepare: () =>
      locked(async client => {
        const { rowCount } = await client.query('select 1 from pg_namespace where nspname = $1', [schema])
        if (!rowCount) await client.query(`create schema ${schema}`)
      }),
    ping: () => withClient(async client => void (await client.query('select 1'))),
    migrator: () => ({
      dialect: dialectOf(schema, connection(0), { ...options, pool: 1 }),
      exclusively: work => locked(work),
    }),
    drop: () => withClient(async client => void (await client.query(`drop schema if exists ${schema} cascade`))),
    isConflict: thrown => ['40001', '40P01', '55P03'].includes(String(codeOf(thrown).code)),
    isAway: thrown =>
      isUnreachable(thrown) ||
      awayCodes.has(String(codeOf(thrown).code)) ||
      (thrown instanceof Error && awayWords.test(thrown.message)),
    // Too long; out of range; a NUL in a text.
    isUnfit: thrown => ['22001', '22003', '22021'].includes(String(codeOf(thrown).code)),
    isDoneAlready: () => false,
  }
}

function dialectOf(schema: string, connection: pg.ClientConfig, { pool: max }: ServerOptions): Dialect {
  const dialect = new PostgresDialect({
    async pool(): Promise<PostgresPool> {
      const pool = new (library().Pool)({ ...connection, max, idleTimeoutMillis: 30_000, allowExitOnIdle: true })
      // A connection that breaks while nobody uses it is replaced; one in use tells whoever uses it.
      pool.on('error', () => {})
      pool.on('connect', client => client.on('error', () => {}))
      return pool
    },
  })
  return {
    createAdapter: () => dialect.createAdapter(),
    createDriver: () => dialect.createDriver(),
    createQueryCompiler: () => new Compiler(),
    // Kysely's own looks into all schemas, and fails when one of them vanishes meanwhile.
    createIntrospector: db => ({ getSchemas: async () => [{ name: schema }], getTables: () => tablesOf(db) }),
  }
}

async function tablesOf(db: Kysely<unknown>): Promise<TableMetadata[]> {
  const { rows } = await sql<
    Record<'table_name' | 'column_name' | 'udt_name' | 'is_nullable' | 'is_identity', string> & {
      column_default: string | null
    }
  >`
    select table_name, column_name, udt_name, is_nullable, is_identity, column_default
    from information_schema.columns where table_schema = current_schema() order by table_name, ordinal_position`.execute(
    db,
  )
  return [...Map.groupBy(rows, row => row.table_name)].map(([name, columns]) => ({
    name,
    isView: false,
    isForeign: false,
    columns: columns.map(column => ({
      name: column.column_name,
      dataType: column.udt_name,
      isNullable: column.is_nullable === 'YES',
      isAutoIncrementing: column.is_identity === 'YES',
      hasDefaultValue: column.column_default !== null,
    })),
  }))
}

// A compiler is made by extending Kysely's own: it has no other way in.
class Compiler extends PostgresQueryCompiler {
  protected override getAutoIncrement(): string {
    return 'generated by default as identity'
  }

  protected override visitDataType(node: DataTypeNode): void {
    super.visitDataType(node)
    const ofColumn = this.parentNode?.kind === 'ColumnDefinitionNode'
    if (ofColumn && /^(text|varchar|char)/.test(node.dataType)) this.append(' collate "C"')
  }
}
