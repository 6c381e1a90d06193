/** The bytes of a stream that formats look at: its head, its tail, and one window further in that the head points to. */

/** VMDK's descriptor is the largest thing that formats keep near the front: up to 1 MiB after the first sector. */
export const HEAD = 1024 * 1024 + 512
/** Enough for a VHD's footer, or for a VMDK's footer between its two markers. */
export const TAIL = 1536
/** By here the head says whether there is a window; it is cut out of what comes later. */
export const WINDOW_KNOWN_AT = 256 * 1024

export interface Window {
  /** From the start of the stream; at least `WINDOW_KNOWN_AT`. */
  readonly offset: number
  readonly length: number
}

export interface Tape {
  feed(chunk: Uint8Array): void
  size(): number
  /** Up to `HEAD` bytes from the start. */
  head(): Buffer
  /** Up to `TAIL` bytes before the end. */
  tail(): Buffer
  /** What was found of the window; undefined when none was planned. */
  window(): Buffer | undefined
}

/** `plan` looks at the first `WINDOW_KNOWN_AT` bytes and says where the window is, if there is one. */
export function createTape(plan: (head: Buffer) => Window | undefined): Tape {
  let size = 0
  const head = createClip({ offset: 0, length: HEAD })
  let window: ReturnType<typeof createClip> | undefined
  let tail: Buffer = Buffer.alloc(0)
  const take = (chunk: Buffer) => {
    head.take(chunk, size)
    window?.take(chunk, size)
    tail = chunk.length >= TAIL ? Buffer.from(chunk.subarray(-TAIL)) : Buffer.concat([tail, chunk]).subarray(-TAIL)
    size += chunk.length
    if (size === WINDOW_KNOWN_AT) {
      const planned = plan(head.bytes())
      if (planned && planned.offset >= WINDOW_KNOWN_AT) window = createClip(planned)
    }
  }
  return {
    feed(data) {
      const chunk = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
      // The window may begin in the very chunk in which it becomes known.
      const split = size < WINDOW_KNOWN_AT ? Math.min(WINDOW_KNOWN_AT - size, chunk.length) : chunk.length
      take(chunk.subarray(0, split))
      if (split < chunk.length) take(chunk.subarray(split))
    },
    size: () => size,
    head: head.bytes,
    tail: () => tail,
    window: () => window?.bytes(),
  }
}

function createClip({ offset, length }: Window) {
  const parts: Buffer[] = []
  let have = 0
  const join = (): Buffer => {
    if (parts.length > 1) parts.splice(0, parts.length, Buffer.concat(parts))
    return parts[0] ?? Buffer.alloc(0)
  }
  return {
    take(chunk: Buffer, position: number) {
      if (have >= length || position + chunk.length <= offset + have) return
      const part = Buffer.from(chunk.subarray(offset + have - position, offset + length - position))
      parts.push(part)
      have += part.length
      // Many tiny chunks would cost far more than the bytes that they carry.
      if (parts.length >= 1024) join()
    },
    bytes: join,
  }
}

/** A 64-bit number; larger than can be counted exactly is as good as infinite here. */
export const u64be = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64BE(at))
export const u64le = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at))

/** A size that a header claims; undefined when no file could be that large. */
export const plausibleSize = (size: number): number | undefined => (Number.isSafeInteger(size) ? size : undefined)
