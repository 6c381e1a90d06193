/** The end of a log, without reading the whole of it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const MOST_BYTES = 2 ** 20

/** The last `count` lines of a file (of its last MiB); none when there is no such file. */
export function lastLines(file: string, count: number): string[] {
  let handle: number
  try {
    handle = openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  try {
    const { size } = fstatSync(handle)
    const buffer = Buffer.alloc(Math.min(size, MOST_BYTES))
    readSync(handle, buffer, 0, buffer.length, size - buffer.length)
    const lines = buffer.toString().replace(/\n$/, '').split('\n')
    return size === 0 || count === 0 ? [] : lines.slice(-count)
  } finally {
    closeSync(handle)
  }
}
