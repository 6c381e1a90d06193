/** The two simple formats of desktop hypervisors: VirtualBox' VDI, and VHD (Virtual PC, "vpc" in QEMU). */

import { plausibleSize, type Tape, u64be, u64le } from './bytes.ts'
import type { Finding } from './finding.ts'

/** Little-endian header at the front; types 3 and 4 need another file to be of use. */
export function findVdi(tape: Tape): Finding | undefined {
  const header = tape.head()
  if (header.length < 0x180 || header.readUInt32LE(0x40) !== 0xbeda107f) return undefined
  const type = header.readUInt32LE(0x4c)
  const virtualSize = plausibleSize(u64le(header, 0x170))
  if (type !== 1 && type !== 2) return { format: 'vdi', virtualSize, unsafe: 'file depends on another file' }
  return { format: 'vdi', virtualSize }
}

const FOOTER = 512
const FIXED = 2
const DYNAMIC = 3

/** A big-endian footer at the end, of which all but fixed disks have a copy at the front. */
export function findVhd(tape: Tape): Finding | undefined {
  const front = tape.head().subarray(0, FOOTER)
  const end = tape.tail().subarray(-FOOTER)
  const footer = [front, end].find(bytes => bytes.length === FOOTER && bytes.toString('latin1', 0, 8) === 'conectix')
  if (!footer) return undefined
  const type = footer.readUInt32BE(60)
  const virtualSize = plausibleSize(u64be(footer, 48))
  // Without the copy at the front it is a raw disk with something behind it, unless the footer is really one.
  if (footer === end && (type !== FIXED || virtualSize !== tape.size() - FOOTER)) return undefined
  if (type !== FIXED && type !== DYNAMIC) return { format: 'vhd', virtualSize, unsafe: 'file depends on another file' }
  return { format: 'vhd', virtualSize }
}
