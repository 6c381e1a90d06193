/**
 * What the store asks of a database engine, beside Kysely's dialect. Words: a *conflict* is the engine's refusal of a
 * transaction that others crossed (a serialization failure, a deadlock), over which it may simply be run again; the database
 * is *away* when it cannot be reached, or ended the connection.
 */
import type { Dialect } from 'kysely'
import type { ReadNow } from './prepared.ts'

export interface Engine {
  readonly name: 'sqlite' | 'postgres' | 'mariadb'
  readonly dialect: Dialect
  /** Rows of a query that only reads, at once, where the engine is in this process. */
  readonly readNow?: ReadNow
  /** Whether a transaction must be opened with an isolation level to be serializable; so must single writes, then. */
  readonly asksForIsolation: boolean
  /** Whether a change of tables commits by itself, so that a migration that fails half way leaves its beginning. */
  readonly tablesCommitAtOnce: boolean
  /** Makes the service's schema (PostgreSQL) or database (MariaDB) if it is absent. */
  prepare(): Promise<void>
  /** Resolves when the server answers, rejects with why it does not. */
  ping(): Promise<void>
  /** A dialect whose queries may take as long as they like, and the lock that one process at a time may migrate under. */
  migrator(): { readonly dialect: Dialect; exclusively<T>(work: () => Promise<T>): Promise<T> } | undefined
  /** Removes the schema or database and all that is in it. */
  drop(): Promise<void>
  isConflict(thrown: unknown): boolean
  isAway(thrown: unknown): boolean
  /** The engine's refusal of a value: too long, too great, or text that it cannot hold. */
  isUnfit(thrown: unknown): boolean
  /** An error of a migration that is run again: what it was to make is there, what it was to remove is gone. */
  isDoneAlready(thrown: unknown): boolean
}

/** What an engine's clients put beside the message of an error. */
export const codeOf = (thrown: unknown): { readonly code?: unknown; readonly errno?: unknown } =>
  thrown instanceof Error ? (thrown as { code?: unknown; errno?: unknown }) : {}

/** True when the error is an engine's word for a broken unique (or primary key) constraint. */
export function isUniqueViolation(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false
  const { code, errno } = codeOf(thrown)
  return (
    /UNIQUE constraint failed|PRIMARY KEY constraint failed/.test(thrown.message) || code === '23505' || errno === 1062
  )
}

/** Codes of the operating system for a server that is not there, or not there any more. */
const systemCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND'],
  ...['EAI_AGAIN', 'ECONNABORTED'],
])

export const isUnreachable = (thrown: unknown): boolean => systemCodes.has(String(codeOf(thrown).code))

/** Options that every engine with a server takes, as parameters of its URL. */
export interface ServerOptions {
  /** Connections at most. */
  readonly pool: number
  /** Milliseconds that one statement may take; 0 is without end. */
  readonly statementTimeout: number
}

/** Takes `pool` and `statement_timeout` (ms) out of the URL. Throws for what is no such number. */
export function serverOptions(url: URL): ServerOptions {
  const number = (name: string, fallback: number, least: number) => {
    const given = url.searchParams.get(name)
    url.searchParams.delete(name)
    if (given === null) return fallback
    if (!/^\d{1,9}$/.test(given) || Number(given) < least)
      throw new Error(`the database URL says ${name}=${given}; a whole number from ${least} is needed`)
    return Number(given)
  }
  return { pool: number('pool', 8, 1), statementTimeout: number('statement_timeout', 30_000, 0) }
}

/** A schema's or database's name that needs no quoting on any engine. Throws for any other. */
export function plainName(name: string, what: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name))
    throw new Error(`${JSON.stringify(name)} is no name for a ${what}: lower case letters, digits and _ are allowed`)
  return name
}
