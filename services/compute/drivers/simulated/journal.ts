/**
 * Guests of a simulated host on disk, so that they outlive the process as real ones do: a file of JSON lines, each the
 * whole of one guest as it became, or its end. It is read at open and rewritten short.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export interface Journal<T> {
  load(): Map<string, T>
  /** On disk when this returns; `undefined` is the end of that guest. */
  write(id: string, value: T | undefined): void
}

interface Line<T> {
  readonly id: string
  readonly value?: T
}

/** After so many lines the file is rewritten with what is still true. */
const longest = 10_000

export function openJournal<T>(path: string): Journal<T> {
  const values = new Map<string, T>()
  let lines = 0

  const rewrite = () => {
    const text = [...values].map(([id, value]) => `${JSON.stringify({ id, value })}\n`).join('')
    writeFileSync(`${path}.new`, text, { mode: 0o600 })
    renameSync(`${path}.new`, path)
    lines = values.size
  }
  const apply = ({ id, value }: Line<T>) => {
    if (value === undefined) values.delete(id)
    else values.set(id, value)
  }

  return {
    load() {
      mkdirSync(dirname(path), { recursive: true })
      values.clear()
      const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
      // What follows the last line feed was being written when the process was killed.
      for (const line of text.split('\n').slice(0, -1)) apply(JSON.parse(line) as Line<T>)
      rewrite()
      return new Map(values)
    },
    write(id, value) {
      apply({ id, value } as Line<T>)
      appendFileSync(path, `${JSON.stringify({ id, value })}\n`)
      if (++lines > longest + 2 * values.size) rewrite()
    },
  }
}
