/** Formats of which nothing but the signature matters. */

import type { Tape } from './bytes.ts'
import type { Finding } from './finding.ts'

/** QEMU's QED: nobody supports it any more, and it may have a backing file. */
export function findQed(tape: Tape): Finding | undefined {
  if (!tape.head().subarray(0, 4).equals(Buffer.from('QED\0'))) return undefined
  return { format: 'qed', unsafe: 'format is not supported' }
}

/** LUKS versions 1 and 2 (cryptsetup's on-disk format): a raw disk that is encrypted. */
export function findLuks(tape: Tape): Finding | undefined {
  return tape.head().subarray(0, 6).equals(Buffer.from('LUKS\xba\xbe', 'latin1')) ? { format: 'luks' } : undefined
}

/** Parallels' expanding images. */
export function findPloop(tape: Tape): Finding | undefined {
  const magic = tape.head().toString('latin1', 0, 16)
  return magic === 'WithoutFreeSpace' || magic === 'WithouFreSpacExt' ? { format: 'ploop' } : undefined
}

/** ISO 9660: the first volume descriptor stands in sector 16. */
export function findIso(tape: Tape): Finding | undefined {
  return tape.head().toString('latin1', 0x8001, 0x8006) === 'CD001' ? { format: 'iso' } : undefined
}

const TABLE = 446
const ENTRY = 16

/**
 * A partition table: the MBR's signature, and four entries that could be ones (boot flag 0x00 or 0x80), one of them used.
 * Boot sectors of file systems and kernels bear the same signature, but code where the entries would be.
 */
export function findPartitions(tape: Tape): Finding | undefined {
  const sector = tape.head().subarray(0, 512)
  if (sector.length < 512 || sector.readUInt16LE(510) !== 0xaa55) return undefined
  const entries = [0, 1, 2, 3].map(n => sector.subarray(TABLE + n * ENTRY, TABLE + (n + 1) * ENTRY))
  const plausible = entries.every(entry => entry[0] === 0x00 || entry[0] === 0x80)
  const used = entries.some(entry => entry[4] !== 0 && entry.readUInt32LE(12) > 0)
  return plausible && used ? { format: 'gpt' } : undefined
}
