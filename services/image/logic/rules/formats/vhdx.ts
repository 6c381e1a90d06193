/** Hyper-V's VHDX ([MS-VHDX]): a region table at 192 KiB points to the metadata, which point to the size of the disk. */

import { plausibleSize, type Tape, u64le, type Window } from './bytes.ts'
import type { Finding } from './finding.ts'

const REGIONS = 192 * 1024
const MIB = 1024 * 1024
/** GUIDs as they lie in the file: the first three groups with their bytes reversed. */
const METADATA_REGION = '06a27c8b90479a4bb8fe575f050f886e'
const VIRTUAL_DISK_SIZE = '2442a52f1bcd7648b2115dbed83bf4b8'
const FILE_PARAMETERS = '3767a1ca36fa434db3b633f0aa44e76b'
const HAS_PARENT = 0b10

const isVhdx = (head: Buffer): boolean => head.toString('latin1', 0, 8) === 'vhdxfile'

/** Where the metadata lie, once the head holds the region table. */
export function planVhdx(head: Buffer): Window | undefined {
  if (!isVhdx(head) || head.length < REGIONS + 65536 || head.toString('latin1', REGIONS, REGIONS + 4) !== 'regi')
    return undefined
  const count = Math.min(head.readUInt32LE(REGIONS + 8), 2047)
  for (let n = 0; n < count; n++) {
    const entry = head.subarray(REGIONS + 16 + n * 32, REGIONS + 48 + n * 32)
    if (entry.length === 32 && entry.toString('hex', 0, 16) === METADATA_REGION)
      return { offset: u64le(entry, 16), length: Math.min(entry.readUInt32LE(24), MIB) }
  }
  return undefined
}

export function findVhdx(tape: Tape): Finding | undefined {
  if (!isVhdx(tape.head())) return undefined
  const format = 'vhdx'
  const metadata = tape.window()
  if (metadata?.toString('latin1', 0, 8) !== 'metadata') return { format, unsafe: 'metadata cannot be read' }
  const size = item(metadata, VIRTUAL_DISK_SIZE, 8)
  const parameters = item(metadata, FILE_PARAMETERS, 8)
  const virtualSize = size && plausibleSize(u64le(size, 0))
  if (virtualSize === undefined || !parameters) return { format, unsafe: 'metadata are incomplete' }
  if (parameters.readUInt32LE(4) & HAS_PARENT) return { format, virtualSize, unsafe: 'file depends on a parent file' }
  return { format, virtualSize }
}

/** The value of one metadata item; undefined when it is missing, too short or out of bounds. */
function item(metadata: Buffer, guid: string, length: number): Buffer | undefined {
  const count = Math.min(metadata.readUInt16LE(10), 2047)
  for (let n = 0; n < count; n++) {
    const entry = metadata.subarray(32 + n * 32, 64 + n * 32)
    if (entry.length < 32 || entry.toString('hex', 0, 16) !== guid) continue
    const offset = entry.readUInt32LE(16)
    const value = metadata.subarray(offset, offset + length)
    return value.length === length ? value : undefined
  }
  return undefined
}
