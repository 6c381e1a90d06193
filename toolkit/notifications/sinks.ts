/** Where notifications go today: a file of JSON lines that stays within bounds, and the bus of the process. */
import { mkdirSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Bus } from '../messaging/index.ts'
import type { Sink } from './outbox.ts'

/**
 * Appends to `path`, readable by its owner alone. A file that has grown to `maxBytes` becomes `path.1`, that one `path.2` and so
 * on; `keep` of them are kept.
 */
export function fileSink({ path, maxBytes, keep }: { path: string; maxBytes: number; keep: number }): Sink {
  let handle: FileHandle | undefined
  let size = 0
  const reopen = async () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    handle = await open(path, 'a', 0o600)
    size = (await handle.stat()).size
  }
  const rotate = async () => {
    await handle?.close()
    handle = undefined
    await rm(`${path}.${keep}`, { force: true })
    for (let n = keep - 1; n >= 1; n--) await rename(`${path}.${n}`, `${path}.${n + 1}`).catch(unlessMissing)
    if (keep > 0) await rename(path, `${path}.1`)
    else await rm(path)
  }
  return {
    name: path,
    async deliver(envelopes) {
      if (!handle) await reopen()
      if (size >= maxBytes) {
        await rotate()
        await reopen()
      }
      const text = envelopes.map(one => `${JSON.stringify(one)}\n`).join('')
      await handle!.appendFile(text)
      size += Buffer.byteLength(text)
    },
    async close() {
      await handle?.close()
      handle = undefined
    },
  }
}

function unlessMissing(thrown: NodeJS.ErrnoException): void {
  if (thrown.code !== 'ENOENT') throw thrown
}

/** Topic on which all envelopes are published. */
export const notificationsTopic = 'notifications'

export function busSink(bus: Bus): Sink {
  return {
    name: 'bus',
    async deliver(envelopes) {
      for (const envelope of envelopes) bus.publish(notificationsTopic, envelope)
    },
  }
}
