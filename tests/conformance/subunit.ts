/**
 * Reads subunit v2, the stream of packets in which Tempest's runner tells what becomes of each test. See
 * https://github.com/testing-cabal/subunit: signature, flags, length, then the fields that the flags announce, and a CRC-32.
 * A test's *attachments* (traceback, log, reason) come in pieces before its last packet.
 */
import { crc32 } from 'node:zlib'

export type Status = 'exists' | 'inprogress' | 'success' | 'uxsuccess' | 'skip' | 'fail' | 'xfail'

export interface Packet {
  readonly test?: string
  readonly status?: Status
  /** Seconds since the epoch. */
  readonly at?: number
  readonly file?: { readonly name: string; readonly content: Buffer }
}

const SIGNATURE = 0xb3
const FLAG = { id: 0x0800, route: 0x0400, time: 0x0200, tags: 0x0080, file: 0x0040, mime: 0x0020 }
const STATUSES: readonly (Status | undefined)[] = [
  undefined,
  ...(['exists', 'inprogress', 'success', 'uxsuccess', 'skip', 'fail', 'xfail'] as const),
]
/** Flags and the shortest length. */
const HEAD = 4
const CRC = 4

/** A reader of fields, from `at` on. */
function cursor(bytes: Buffer, start: number) {
  let at = start
  /** One to four bytes: the first two bits say how many more follow. */
  const number = (): number => {
    const more = bytes[at]! >> 6
    const value = bytes.readUIntBE(at, more + 1) & (2 ** (6 + 8 * more) - 1)
    at += more + 1
    return value
  }
  const slice = (): Buffer => {
    const length = number()
    at += length
    return bytes.subarray(at - length, at)
  }
  const text = () => slice().toString('utf8')
  const seconds = () => {
    at += 4
    return bytes.readUInt32BE(at - 4) + number() / 1e9
  }
  return { number, slice, text, seconds, position: () => at }
}

function fieldsOf(packet: Buffer): Packet {
  const flags = packet.readUInt16BE(1)
  const read = cursor(packet, 3)
  read.number() // the packet's length
  const at = flags & FLAG.time ? read.seconds() : undefined
  const test = flags & FLAG.id ? read.text() : undefined
  if (flags & FLAG.tags) for (let left = read.number(); left > 0; left--) read.text()
  if (flags & FLAG.mime) read.text()
  const file = flags & FLAG.file ? { name: read.text(), content: Buffer.from(read.slice()) } : undefined
  const status = STATUSES[flags & 7]
  return {
    ...(at !== undefined && { at }),
    ...(test !== undefined && { test }),
    ...(status !== undefined && { status }),
    ...(file !== undefined && { file }),
  }
}

/** Length of the packet that begins with these bytes; undefined when they are too few to tell, 0 when they are no packet. */
function lengthOf(bytes: Buffer): number | undefined {
  if (bytes.length < HEAD) return undefined
  if (bytes[1]! >> 4 !== 2) return 0
  if (bytes.length < 3 + (bytes[3]! >> 6) + 1) return undefined
  return cursor(bytes, 3).number()
}

/** Packets of a stream; whatever else a test printed between them is passed over. */
export async function* packetsOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Packet> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const start = rest.indexOf(SIGNATURE)
      rest = start < 0 ? Buffer.alloc(0) : rest.subarray(start)
      const length = lengthOf(rest)
      if (length === undefined || (length > 0 && rest.length < length)) break
      const packet = rest.subarray(0, length)
      const whole = length > HEAD + CRC && crc32(packet.subarray(0, -CRC)) === packet.readUInt32BE(length - CRC)
      if (whole) yield fieldsOf(packet)
      rest = rest.subarray(whole ? length : 1)
    }
  }
}
