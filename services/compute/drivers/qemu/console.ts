/**
 * The log of a guest's serial console. QEMU appends to it for as long as the guest talks, so it is cut when it has grown:
 * its last part is kept in a second file and the first is emptied. QEMU holds the file open for appending, hence goes
 * on at its new end. What the guest says between the copy and the cut is lost, a few lines of a guest that floods.
 */
import { open, readFile, rename, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { guestFiles } from './command-line.ts'
import type { GuestUser } from './user.ts'

const earlier = `${guestFiles.consoleLog}.1`

/** Makes the empty log, so that QEMU's user can append to it in a folder where it cannot make files. */
export async function prepareConsole(folder: string, user: GuestUser): Promise<void> {
  const file = await open(join(folder, guestFiles.consoleLog), 'a', 0o600)
  await file.chown(user.uid, user.gid).finally(() => file.close())
}

/** Cuts the guest's log when it is longer than `limitBytes`; at most twice as much is kept. Also empties QEMU's own. */
export async function cutLogs(folder: string, limitBytes: number): Promise<void> {
  const path = join(folder, guestFiles.consoleLog)
  const complaints = join(folder, guestFiles.stderr)
  if ((await sizeOf(complaints)) > limitBytes) await truncate(complaints)
  const size = await sizeOf(path)
  if (size <= limitBytes) return
  const file = await open(path, 'r')
  try {
    const { buffer } = await file.read(Buffer.alloc(limitBytes), 0, limitBytes, size - limitBytes)
    await writeFile(join(folder, `${earlier}.new`), buffer, { mode: 0o600 })
    await rename(join(folder, `${earlier}.new`), join(folder, earlier))
  } finally {
    await file.close()
  }
  await truncate(path)
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    found => found.size,
    () => 0,
  )

/** The last `length` lines of what is kept (all when undefined). */
export async function readConsole(folder: string, length?: number): Promise<string> {
  const read = (name: string) => readFile(join(folder, name)).catch(() => Buffer.alloc(0))
  const text = Buffer.concat([await read(earlier), await read(guestFiles.consoleLog)]).toString('utf8')
  return lastLines(text, length)
}

/** The last `length` lines of a text; a line feed at its very end begins no further line. Pure. */
export function lastLines(text: string, length: number | undefined): string {
  if (length === undefined || length < 0) return text
  if (length === 0) return ''
  const lines = text.endsWith('\n') ? text.slice(0, -1).split('\n') : text.split('\n')
  if (lines.length <= length) return text
  return lines.slice(-length).join('\n') + (text.endsWith('\n') ? '\n' : '')
}
