/**
 * Makes Debian's kernel start in 64 MiB of memory, without changing a byte of its code.
 *
 * A *bzImage* is a small boot stub and, as its payload, the compressed ELF file of the kernel. The stub unpacks that file
 * in place at 16 MiB, and needs there as much memory as the whole file takes (`init_size`): with Debian's file, which
 * holds its symbol-less section headers, alignment gaps and a 4 MiB scratch area for memory encryption, up to 67.5 MiB. The kernel
 * itself ends at 56 MiB. So the ELF file is written anew with only what is loaded, compressed again, and put back.
 *
 * Sources: Documentation/arch/x86/boot.rst of Linux (header offsets), arch/x86/boot/compressed (the stub).
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.ts'

const header = { setupSectors: 0x1f1, payloadOffset: 0x248, payloadLength: 0x24c, prefAddress: 0x258, initSize: 0x260 }
const lz4Legacy = 0x184c2102
const elf = { phoff: 32, shoff: 40, phnum: 56, shnum: 60, shstrndx: 62, programHeader: 56, sectionHeader: 64 }
const loadable = 1
const noBits = 8
const allocated = 2
const page = 0x1000
const unpackingMargin = 0x80000

/** A kernel of another make than this module knows; it then boots as it is, with more memory. */
export class UnknownKernelLayout extends Error {}

/** Writes to `target` the bzImage `source`, repacked. `workDir` takes temporary files. Throws UnknownKernelLayout. */
export async function repackKernel(source: string, target: string, workDir: string): Promise<void> {
  const image = await readFile(source)
  const start = (image.readUInt8(header.setupSectors) + 1) * 512 + image.readUInt32LE(header.payloadOffset)
  const length = image.readUInt32LE(header.payloadLength)
  const payload = image.subarray(start, start + length)
  if (payload.readUInt32LE(0) !== lz4Legacy) throw new UnknownKernelLayout('the payload is not compressed by LZ4')
  // The payload ends with the length of what it unpacks to.
  const unpackedLength = payload.readUInt32LE(length - 4)

  const packed = join(workDir, 'kernel.lz4')
  const unpacked = join(workDir, 'kernel.elf')
  await writeFile(packed, payload.subarray(0, length - 4))
  await run('lz4', ['-q', '-d', '-f', packed, unpacked])
  const base = Number(image.readBigUInt64LE(header.prefAddress))
  const slim = slimElf(await readFile(unpacked), base)
  await writeFile(unpacked, slim)
  await run('lz4', ['-q', '-l', '-12', '-f', unpacked, packed])
  const smaller = Buffer.concat([await readFile(packed), uint32(slim.length)])
  if (smaller.length > length) throw new UnknownKernelLayout('the repacked kernel is larger than the original')

  // The stub knows both lengths as constants, which stand behind the payload.
  image.writeUInt32LE(smaller.length, onlyPlace(image, length, start + length))
  image.writeUInt32LE(slim.length, onlyPlace(image, unpackedLength, start + length))
  image.fill(0, start, start + length)
  smaller.copy(image, start)
  image.writeUInt32LE(smaller.length, header.payloadLength)
  // Unpacking in place: what is written must never overtake what is still to be read (LZ4: a 256th, and a block).
  const unpackingSize = slim.length + Math.ceil(slim.length / 256) + unpackingMargin
  image.writeUInt32LE(Math.ceil(unpackingSize / page) * page, header.initSize)
  await writeFile(target, image)
}

/**
 * The same loadable segments, each placed in the file where it is loaded to (the stub moves them within the file's own
 * memory, so a segment must not lie before its destination), followed by the relocations that stand behind the original.
 */
function slimElf(file: Buffer, base: number): Buffer {
  const number = (offset: number) => Number(file.readBigUInt64LE(offset))
  const sections = Array.from({ length: file.readUInt16LE(elf.shnum) }, (_, index) => {
    const at = number(elf.shoff) + index * elf.sectionHeader
    const flags = number(at + 8)
    return {
      type: file.readUInt32LE(at + 4),
      flags,
      address: number(at + 16),
      offset: number(at + 24),
      size: number(at + 32),
    }
  }).filter(section => (section.flags & allocated) !== 0)
  const relocations = file.subarray(number(elf.shoff) + file.readUInt16LE(elf.shnum) * elf.sectionHeader)
  const zeroed = sections.filter(section => section.type === noBits)
  const lastZeroed = zeroed.at(-1)
  if (lastZeroed === undefined) throw new UnknownKernelLayout('the kernel has no zeroed memory at its end')

  const headers = Buffer.from(file.subarray(0, page))
  const pieces: { at: number; size: number; bytes: Buffer }[] = []
  for (let index = 0; index < file.readUInt16LE(elf.phnum); index++) {
    const at = number(elf.phoff) + index * elf.programHeader
    if (file.readUInt32LE(at) !== loadable) {
      headers.writeUInt32LE(0, at)
      continue
    }
    const segment = {
      offset: number(at + 8),
      virtual: number(at + 16),
      physical: number(at + 24),
      size: number(at + 32),
    }
    const inside = sections.filter(one => one.offset >= segment.offset && one.offset < segment.offset + segment.size)
    // Behind the zeroed memory lies only the scratch area for memory encryption, which an ordinary guest does not use.
    const holdsZeroed = lastZeroed.address >= segment.virtual && lastZeroed.address - segment.virtual < segment.size
    const kept = inside.filter(one => one.type !== noBits && (!holdsZeroed || one.address < lastZeroed.address))
    const loaded = Math.max(...kept.map(one => one.offset + one.size)) - segment.offset
    // The zeroes count as loaded: after a warm reset memory is not empty, and the kernel reads some before it clears them.
    const size = holdsZeroed ? lastZeroed.address + lastZeroed.size - segment.virtual : loaded
    const place = page + segment.physical - base
    pieces.push({ at: place, size, bytes: file.subarray(segment.offset, segment.offset + loaded) })
    headers.writeBigUInt64LE(BigInt(place), at + 8)
    headers.writeBigUInt64LE(BigInt(size), at + 32)
  }
  headers.writeBigUInt64LE(0n, elf.shoff)
  headers.fill(0, elf.shnum, elf.shstrndx + 2)

  const length = Math.max(...pieces.map(piece => piece.at + piece.size))
  const slim = Buffer.alloc(Math.ceil(length / 16) * 16 + relocations.length)
  headers.copy(slim)
  for (const piece of pieces) piece.bytes.copy(slim, piece.at)
  relocations.copy(slim, slim.length - relocations.length)
  return slim
}

function onlyPlace(image: Buffer, value: number, from: number): number {
  const first = image.indexOf(uint32(value), from)
  if (first === -1 || image.indexOf(uint32(value), first + 1) !== -1) {
    throw new UnknownKernelLayout(`the boot stub does not hold the length ${value} exactly once`)
  }
  return first
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
