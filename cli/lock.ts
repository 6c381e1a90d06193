/**
 * Locks between processes. Node has no flock(2); SQLite has, and the kernel lets go of it when the holder dies, however
 * it dies. So a lock is an empty database with an open exclusive transaction.
 */
import { DatabaseSync } from 'node:sqlite'

export interface Lock {
  /** Releasing twice is releasing once. */
  release(): void
}

/** Takes the lock, waiting at most `waitMs` for another holder (the thread sleeps); undefined when it is still held. */
export function takeLock(file: string, waitMs: number): Lock | undefined {
  const database = new DatabaseSync(file)
  try {
    database.exec(`PRAGMA busy_timeout = ${Math.trunc(waitMs)}`)
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return
    throw error
  }
  return { release: () => database.isOpen && database.close() }
}

const SQLITE_BUSY = 5
