/**
 * Transfers: taking in the data of an image with little memory, whatever its size.
 *
 * While one lasts, the image's row names its blob, who works on it (the *holder*) and a *lease*, a time until which the holder is
 * believed to live. A transfer whose lease ran out, or whose holder was started anew, is undone by the reconciler.
 */
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { Fault } from '@strata/toolkit/fault'
import { isoTime } from '@strata/toolkit/runtime'
import { goneDuringUpload, tooManyBytes, uploadCutOff } from '../contract/errors.ts'
import { renewLease } from '../store/image.ts'
import type { ImageDeps } from './deps.ts'
import type { BlobWriter } from './ports.ts'
import { createInspector, type Inspector } from './rules/inspect.ts'

export const LEASE_MS = 60_000
const RENEWAL_MS = 15_000
export const HASH_ALGORITHM = 'sha512'

export const leaseEnd = (deps: ImageDeps): string => isoTime(deps.runtime.now() + LEASE_MS)

/** What the data were found to be, once all of it went by. */
export interface Received {
  readonly size: number
  readonly checksum: string
  readonly hash: string
  readonly inspector: Inspector
}

export interface Transfer {
  readonly imageId: string
  readonly uploadId: string
  readonly source: Readable
  /** Where the bytes go; unset when they are only looked at. */
  readonly sink?: BlobWriter
}

/**
 * Reads the source to its end. Throws a 413 past the largest size, a 400 when the source breaks off or stalls, and a 410 when the
 * image is deleted meanwhile. The source is never destroyed for a failure of ours: its sender must still get an answer.
 */
export async function receive(deps: ImageDeps, transfer: Transfer): Promise<Received> {
  const { source, sink } = transfer
  const checksum = createHash('md5')
  const hash = createHash(HASH_ALGORITHM)
  const inspector = createInspector()
  const limit = deps.config.max_image_size
  const watch = watchTransfer(deps, transfer)
  let size = 0
  try {
    for await (const chunk of chunksOf(source)) {
      size += chunk.length
      if (size > limit) throw tooManyBytes(limit)
      watch.alive()
      checksum.update(chunk)
      hash.update(chunk)
      inspector.feed(chunk)
      await sink?.write(chunk)
    }
  } catch (err) {
    throw watch.verdict() ?? err
  } finally {
    watch.stop()
  }
  return { size, checksum: checksum.digest('hex'), hash: hash.digest('hex'), inspector }
}

async function* chunksOf(source: Readable): AsyncGenerator<Uint8Array> {
  const iterator = source.iterator({ destroyOnReturn: false })
  for (;;) {
    let next: IteratorResult<Uint8Array>
    try {
      next = (await iterator.next()) as IteratorResult<Uint8Array>
    } catch (cause) {
      throw cause instanceof Fault ? cause : uploadCutOff(cause)
    }
    if (next.done) return
    yield next.value
  }
}

/** Prolongs the lease from time to time, and ends a transfer that stalls or whose image is gone. */
function watchTransfer(deps: ImageDeps, { imageId, uploadId, source }: Transfer) {
  const { runtime, config } = deps
  let lastByte = runtime.monotonic()
  let lost: Fault | undefined
  let stopped = false
  let cancel = () => {}
  const end = (fault: Fault) => {
    lost = fault
    source.destroy(fault)
  }
  const tick = async () => {
    try {
      if (runtime.monotonic() - lastByte > config.upload_idle_seconds * 1000) return end(uploadCutOff())
      if (!(await renewLease(deps.store.db, imageId, uploadId, leaseEnd(deps)))) return end(goneDuringUpload(imageId))
    } catch (err) {
      deps.log.warn({ err, image_id: imageId }, 'the lease of an upload could not be prolonged')
    }
    if (!stopped) cancel = runtime.timer(RENEWAL_MS, tick)
  }
  cancel = runtime.timer(RENEWAL_MS, tick)
  return {
    alive: () => {
      lastByte = runtime.monotonic()
    },
    verdict: () => lost,
    stop: () => {
      stopped = true
      cancel()
    },
  }
}

/** Reads away what a sender still sends after it was refused, so that it gets to read why. */
export function drain(source: Readable): void {
  source.on('error', () => {})
  if (!source.destroyed) source.resume()
}
