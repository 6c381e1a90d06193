/**
 * The key repository: files named by numbers in one folder. The highest is the *primary* key, which makes new tokens; 0 is
 * the *staged* one, which will be the next primary and is known beforehand, so that other replicas can already read its
 * tokens; all others are *secondary*, kept until the last token that they made has ended.
 */
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Runtime } from '@strata/toolkit/runtime'
import { parseKey } from '../rules/fernet.ts'
import {
  changedAt,
  type KeyRing,
  type ListedKey,
  locked,
  makeFolder,
  makeOnce,
  outlived,
  readSteadily,
  signatureOf,
  writeKey,
} from './key-folder.ts'

export interface KeyRepository extends KeyRing {
  /** Makes new tokens. */
  primary(): Uint8Array
  /** All that can read a token, the primary first. */
  all(): readonly Uint8Array[]
}

/** Opens the folder, made with its first keys if absent; nobody else may read it. */
export function openKeys(options: {
  readonly folder: string
  readonly runtime: Runtime
  /** Keys kept at most, the staged one included; at least 3. */
  readonly maxActive: number
  /** Milliseconds for which a key that was replaced is kept in any case: as long as what it made may live. */
  readonly keepFor?: number
}): KeyRepository {
  const { folder, runtime, maxActive, keepFor = 0 } = options
  makeFolder(folder)
  const pathOf = (number: number) => join(folder, String(number))
  /** The primary first, the staged one last. */
  const numbers = () =>
    readdirSync(folder)
      .filter(name => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => b - a)
  const write = (number: number) => writeKey(pathOf(number), `${Buffer.from(runtime.bytes(32)).toString('base64url')}=`)
  const read = (number: number): Uint8Array => {
    const key = parseKey(readFileSync(pathOf(number), 'utf8'))
    if (!key) throw new Error(`${pathOf(number)} does not hold a Fernet key`)
    return key
  }
  let loaded: { readonly signature: string; readonly numbers: readonly number[]; readonly keys: Uint8Array[] }
  let since = 0
  const reload = () =>
    readSteadily(() => {
      // Taken first: what changes while the files are read is noticed the next time.
      const signature = signatureOf(folder)
      const known = numbers()
      loaded = { signature, numbers: known, keys: known.map(read) }
      since = changedAt(pathOf(known[0]!))
    })
  const lacks = () => {
    const known = numbers()
    return [0, 1].filter(number => (number === 0 ? !known.includes(0) : !known.some(one => one > 0)))
  }
  makeOnce(
    folder,
    runtime.now,
    () => lacks().length === 0,
    () => lacks().reverse().forEach(write),
  )
  reload()
  const change = (): boolean => {
    const before = loaded.numbers[0]
    reload()
    if (loaded.numbers[0] !== before) return false
    renameSync(pathOf(0), pathOf(before! + 1))
    write(0)
    const kept = numbers().filter(number => number > 0)
    const replacedAt = (number: number) => changedAt(pathOf(kept[kept.indexOf(number) - 1]!))
    const going = outlived(kept, { count: maxActive - 1, keepFor, now: runtime.now(), replacedAt })
    for (const number of going) rmSync(pathOf(number))
    reload()
    return true
  }
  return {
    primary: () => loaded.keys[0]!,
    all: () => loaded.keys,
    primarySince: () => since,
    reload,
    reloadIfChanged() {
      if (signatureOf(folder) === loaded.signature) return false
      reload()
      return true
    },
    rotate: () => locked(folder, runtime.now(), change) ?? false,
    list: () =>
      readSteadily(() =>
        numbers().map((number, at): ListedKey => {
          const state = number === 0 ? 'staged' : at === 0 ? 'primary' : 'secondary'
          return { file: String(number), state, since: changedAt(pathOf(number)) }
        }),
      ),
  }
}
