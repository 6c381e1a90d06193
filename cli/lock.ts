/**
 * Locks between processes. Node has no flock(2); SQLite has, and the kernel lets go of it when the holder dies, however
 * it dies. So a lock is an empty database with an open exclusive transaction.
 */
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Refusal } from './print.ts'

export interface Lock {
  /** Releasing twice is releasing once. */
  release(): void
}

/**
 * Takes the lock, waiting at most `waitMs` for another holder (the thread sleeps); undefined when it is still held. Throws
 * a `Refusal` when the folder was removed meanwhile: a lock on a file that nobody finds any more locks nobody out.
 */
export function takeLock(file: string, waitMs: number): Lock | undefined {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file)
    const opened = inode(file)
    database.exec(`PRAGMA busy_timeout = ${Math.trunc(waitMs)}`)
    database.exec('BEGIN EXCLUSIVE')
    if (opened === undefined || inode(file) !== opened) throw removed(file)
  } catch (error) {
    database?.close()
    if (error instanceof Refusal) throw error
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY) return
    if (!existsSync(file)) throw removed(file)
    throw new Refusal(`${file} cannot be locked: ${(error as Error).message}`)
  }
  const held = database
  return { release: () => held.isOpen && held.close() }
}

const inode = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.ino

const removed = (file: string): Refusal =>
  new Refusal(`another strata command has just removed ${dirname(dirname(file))}`)

/** The low byte of a code; the others say more of it. */
const SQLITE_BUSY = 5
