/** QEMU's qcow2 (docs/interop/qcow2 of QEMU): big-endian header at the front. */

import { plausibleSize, type Tape, u64be } from './bytes.ts'
import type { Finding } from './finding.ts'

const DATA_FILE = 1n << 2n
const CORRUPT = 1n << 1n
/** Dirty, corrupt, external data file, compression type, extended L2 entries. */
const KNOWN = 0b11111n

export function findQcow2(tape: Tape): Finding | undefined {
  const header = tape.head()
  if (header.length < 4 || header.readUInt32BE(0) !== 0x514649fb) return undefined
  const format = 'qcow2'
  if (header.length < 72) return { format, unsafe: 'header is cut off' }
  const version = header.readUInt32BE(4)
  if (version !== 2 && version !== 3) return { format, unsafe: `version ${version} is not supported` }
  const virtualSize = plausibleSize(u64be(header, 24))
  if (header.readBigUInt64BE(8) !== 0n || header.readUInt32BE(16) !== 0)
    return { format, virtualSize, unsafe: 'file has a backing file' }
  if (virtualSize === undefined) return { format, unsafe: 'header claims an impossible size' }
  if (version === 2) return { format, virtualSize }
  if (header.length < 104) return { format, virtualSize, unsafe: 'header is cut off' }
  const features = header.readBigUInt64BE(72)
  if (features & DATA_FILE) return { format, virtualSize, unsafe: 'file keeps its data in an external data file' }
  if (features & CORRUPT) return { format, virtualSize, unsafe: 'file is marked as corrupt' }
  if (features & ~KNOWN)
    return { format, virtualSize, unsafe: `file has unknown incompatible features (0x${features.toString(16)})` }
  return { format, virtualSize }
}
