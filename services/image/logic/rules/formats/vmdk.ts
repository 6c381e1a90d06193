/**
 * VMware's VMDK (Virtual Disk Format 1.1 and 5.0). A disk is described by a text, the *descriptor*, which lists the files, the
 * *extents*, that hold the data. Only the two kinds that are one file are taken: `monolithicSparse` and `streamOptimized`;
 * the descriptor of any other makes QEMU open paths of the maker's choice.
 */

import { plausibleSize, type Tape, u64le } from './bytes.ts'
import type { Finding } from './finding.ts'

const SECTOR = 512
const SPARSE = 'KDMV'
const GD_AT_END = 0xffff_ffff_ffff_ffffn
/** Places in the header, which is packed; sizes and offsets count sectors. */
const CAPACITY = 12
const DESCRIPTOR_OFFSET = 28
const DESCRIPTOR_SIZE = 36
/** Header and footer agree on everything before this, and differ in where the grain directory is. */
const COMMON = 44
const GRAIN_DIRECTORY = 56
const KINDS = ['monolithicsparse', 'streamoptimized']

export function findVmdk(tape: Tape): Finding | undefined {
  const head = tape.head()
  const magic = head.toString('latin1', 0, 4)
  if (magic === 'COWD' || /^\s*#\s*Disk DescriptorFile/i.test(head.toString('latin1', 0, 128)))
    return { format: 'vmdk', unsafe: 'file keeps its data in other files' }
  if (magic !== SPARSE) return undefined
  if (head.length < 2 * SECTOR) return { format: 'vmdk', unsafe: 'header is cut off' }
  const virtualSize = plausibleSize(u64le(head, CAPACITY) * SECTOR)
  const unsafe = problemOf(head, tape.tail())
  return { format: 'vmdk', virtualSize, ...(unsafe === undefined ? {} : { unsafe }) }
}

function problemOf(head: Buffer, tail: Buffer): string | undefined {
  const version = head.readUInt32LE(4)
  if (version < 1 || version > 3) return `version ${version} is not supported`
  if (plausibleSize(u64le(head, CAPACITY) * SECTOR) === undefined) return 'header claims an impossible size'
  const start = u64le(head, DESCRIPTOR_OFFSET) * SECTOR
  const length = u64le(head, DESCRIPTOR_SIZE) * SECTOR
  if (start !== SECTOR || length === 0 || start + length > head.length) return 'descriptor is not where it should be'
  if (head.readBigUInt64LE(GRAIN_DIRECTORY) === GD_AT_END) {
    const problem = footerProblem(head, tail)
    if (problem !== undefined) return problem
  }
  const text = head.toString('latin1', start, start + length)
  const end = text.indexOf('\0')
  return descriptorProblem(end < 0 ? text : text.slice(0, end))
}

/** Where there is a footer it wins over the header, so it must say the same of everything that was checked. */
function footerProblem(head: Buffer, tail: Buffer): string | undefined {
  if (tail.length < 3 * SECTOR) return 'footer is missing'
  const footer = tail.subarray(-2 * SECTOR, -SECTOR)
  // Magic, version, flags, capacity, grain size, place and size of the descriptor.
  if (!footer.subarray(0, COMMON).equals(head.subarray(0, COMMON))) return 'footer does not agree with the header'
  return footer.readBigUInt64LE(GRAIN_DIRECTORY) === GD_AT_END ? 'footer has no grain directory' : undefined
}

/** What is wrong with a descriptor. Every line must be understood. Exported for tests. */
export function descriptorProblem(text: string): string | undefined {
  if (!/^[\t\n\r -~]*$/.test(text)) return 'descriptor is not plain text'
  const fields = new Map<string, string>()
  const extents: string[] = []
  for (const line of text.split('\n').map(raw => raw.trim())) {
    if (line === '' || line.startsWith('#') || /^ddb\b/i.test(line)) continue
    const field = /^(\w+)\s*=\s*"?([^"]*)"?$/.exec(line)
    if (field) fields.set(field[1]!.toLowerCase(), field[2]!.toLowerCase())
    else if (/^(rw|rdonly|noaccess)\s/i.test(line)) extents.push(line)
    else return 'descriptor has a line that is not understood'
  }
  const kind = fields.get('createtype')
  if (kind === undefined || !KINDS.includes(kind))
    return `file is of the kind ${kind?.slice(0, 40) ?? 'unknown'}, which is not supported`
  if (fields.has('parentfilenamehint') || (fields.get('parentcid') ?? 'ffffffff') !== 'ffffffff')
    return 'file depends on a parent file'
  if (extents.length !== 1 || !/^\w+\s+\d+\s+sparse\s+"[^"/\\]*"(\s+\d+)?$/i.test(extents[0]!))
    return 'file keeps its data in other files'
  return undefined
}
