/**
 * Folders of key files that several processes may share: replicas of the service, and the operator's command. Files appear
 * and go by renaming and removing, so that nobody reads half of one; who changes a folder holds its lock.
 */
import {
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** A set of keys that takes turns: see `keys.ts` and `jws-keys.ts`. */
export interface KeyRing {
  /** Milliseconds since 1970 at which the key that makes new things became it. */
  primarySince(): number
  /** Makes the staged key primary. False when another process has just done so, or is doing it. */
  rotate(): boolean
  /** Reads the folder again. */
  reload(): void
  /** Reads it again unless it is as it was read: true when it was not. Costs little. */
  reloadIfChanged(): boolean
  /** All keys, those that will be used last first. */
  list(): readonly ListedKey[]
}

export interface ListedKey {
  /** Its file, below the ring's folder. */
  readonly file: string
  /** *Foreign* keys were put there by the operator: others' public keys. */
  readonly state: 'staged' | 'primary' | 'secondary' | 'foreign'
  /** Milliseconds since 1970 at which it came to be in that state, or was last touched. */
  readonly since: number
}

export function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
}

export function writeKey(file: string, text: string): void {
  const temporary = join(dirname(file), `.new-${process.pid}`)
  writeFileSync(temporary, text, { mode: 0o600 })
  // The operator's command may run as root where the service does not.
  const { uid, gid } = statSync(dirname(file))
  if (process.getuid?.() === 0 && uid !== 0) chownSync(temporary, uid, gid)
  renameSync(temporary, file)
}

export const changedAt = (file: string): number => statSync(file).ctimeMs

/** Differs when a file came, went, or was replaced. */
export function signatureOf(folder: string): string {
  return readdirSync(folder)
    .filter(name => !name.startsWith('.'))
    .sort()
    .map(name => {
      const { ino, mtimeMs } = statSync(join(folder, name), { throwIfNoEntry: false }) ?? { ino: 0, mtimeMs: 0 }
      return `${name}:${ino}:${mtimeMs}`
    })
    .join()
}

/** Reads what another process may be changing: a file that goes between being listed and being read is looked for again. */
export function readSteadily<T>(read: () => T): T {
  for (let attempt = 1; ; attempt++) {
    try {
      return read()
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === 10) throw thrown
    }
  }
}

/** Longer than any change takes: a lock that is older was left behind by a process that died. */
const staleAfter = 30_000

/** Runs `change` while holding the folder's lock; undefined when another process holds it. */
export function locked<T>(folder: string, now: number, change: () => T): T | undefined {
  const lock = join(folder, '.lock')
  const held = statSync(lock, { throwIfNoEntry: false })
  if (held && now - held.mtimeMs > staleAfter) rmSync(lock, { force: true })
  try {
    closeSync(openSync(lock, 'wx', 0o600))
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return undefined
    throw thrown
  }
  try {
    return change()
  } finally {
    rmSync(lock, { force: true })
  }
}

/** Has `make` run once, whichever of several processes that begin with the same folder is first. */
export function makeOnce(folder: string, now: () => number, isMade: () => boolean, make: () => void): void {
  while (!isMade()) {
    const done = locked(folder, now(), () => {
      if (!isMade()) make()
      return true
    })
    // At the first start alone, and for as long as another process takes to write a few files.
    if (!done) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
  }
}

/**
 * Of keys that were replaced, newest first, those that may go: what is beyond `count`, unless something that lives for
 * `keepFor` milliseconds may still rest on it.
 */
export function outlived<T>(
  keys: readonly T[],
  options: { readonly count: number; readonly keepFor: number; readonly now: number; replacedAt(key: T): number },
): T[] {
  const { count, keepFor, now, replacedAt } = options
  return keys.slice(count).filter(key => keepFor === 0 || now - replacedAt(key) >= keepFor)
}
