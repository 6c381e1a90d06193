/**
 * The key repository: files named by numbers in one folder. The highest is the *primary* key, which makes new tokens; 0 is
 * the *staged* one, which will be the next primary and is known beforehand, so that other replicas can already read its
 * tokens; all others are *secondary*, kept until the last token that they made has ended.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Runtime } from '@strata/toolkit/runtime'
import { parseKey } from '../rules/fernet.ts'

export interface KeyRepository {
  /** Makes new tokens. */
  primary(): Uint8Array
  /** All that can read a token, the primary first. */
  all(): readonly Uint8Array[]
  /** The staged key becomes primary, a new one is staged, and the oldest beyond the limit go. */
  rotate(): void
  /** Milliseconds since 1970 at which the primary key became it. */
  primarySince(): number
  /** Reads the folder again: another replica may have rotated. */
  reload(): void
}

/** Opens the folder, made with its first keys if absent; nobody else may read it. */
export function openKeys(options: {
  readonly folder: string
  readonly runtime: Runtime
  /** Keys kept at most, the staged one included; at least 3. */
  readonly maxActive: number
}): KeyRepository {
  const { folder, runtime, maxActive } = options
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const pathOf = (number: number) => join(folder, String(number))
  const numbers = () =>
    readdirSync(folder)
      .filter(name => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => b - a)
  const write = (number: number) => {
    const temporary = join(folder, `.new-${number}`)
    writeFileSync(temporary, `${Buffer.from(runtime.bytes(32)).toString('base64url')}=`, { mode: 0o600 })
    renameSync(temporary, pathOf(number))
  }
  const read = (number: number): Uint8Array => {
    const key = parseKey(readFileSync(pathOf(number), 'utf8'))
    if (!key) throw new Error(`${pathOf(number)} does not hold a Fernet key`)
    return key
  }
  let keys: readonly Uint8Array[] = []
  let since = 0
  const reload = () => {
    const known = numbers()
    keys = known.map(read)
    since = statSync(pathOf(known[0]!)).ctimeMs
  }
  if (!numbers().some(number => number > 0)) write(1)
  if (!numbers().includes(0)) write(0)
  reload()
  return {
    primary: () => keys[0]!,
    all: () => keys,
    primarySince: () => since,
    reload,
    rotate() {
      renameSync(pathOf(0), pathOf(numbers()[0]! + 1))
      write(0)
      const kept = numbers().filter(number => number > 0)
      for (const old of kept.slice(maxActive - 1)) rmSync(pathOf(old))
      reload()
    },
  }
}
