import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { descriptorProblem } from './formats/vmdk.ts'
import { createInspector, type Verdict } from './inspect.ts'

const MIB = 1024 * 1024
let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'strata-inspect-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

/** A file made by QEMU itself. */
function made(name: string, ...options: string[]): Buffer {
  execFileSync('qemu-img', ['create', '-q', ...options, name, ...(options.includes('-b') ? [] : ['10M'])], {
    cwd: folder,
  })
  return readFileSync(join(folder, name))
}

function inspect(
  data: Uint8Array,
  diskFormat: string,
  containerFormat = 'bare',
  mustMatch = true,
  step = 65536,
): Verdict {
  const inspector = createInspector()
  for (let at = 0; at < data.length; at += step) inspector.feed(data.subarray(at, at + step))
  return inspector.verdict({ diskFormat, containerFormat, mustMatch })
}

const at = (size: number, ...pieces: [offset: number, bytes: Uint8Array | string][]): Buffer => {
  const data = Buffer.alloc(size)
  for (const [offset, bytes] of pieces) data.set(Buffer.from(bytes as string, 'latin1'), offset)
  return data
}
const u64 = (value: number | bigint) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

describe('files as QEMU makes them', () => {
  const welcome: [format: string, name: string, options: string[]][] = [
    ['qcow2', 'a.qcow2', ['-f', 'qcow2']],
    ['qcow2', 'old.qcow2', ['-f', 'qcow2', '-o', 'compat=0.10']],
    ['qcow2', 'wide.qcow2', ['-f', 'qcow2', '-o', 'extended_l2=on']],
    ['vmdk', 'a.vmdk', ['-f', 'vmdk']],
    ['vdi', 'a.vdi', ['-f', 'vdi']],
    ['vhdx', 'a.vhdx', ['-f', 'vhdx']],
    ['vhd', 'a.vhd', ['-f', 'vpc', '-o', 'force_size=on']],
    ['vhd', 'fixed.vhd', ['-f', 'vpc', '-o', 'subformat=fixed,force_size=on']],
    ['raw', 'a.raw', ['-f', 'raw']],
  ]
  for (const [format, name, options] of welcome)
    test(`${name} is what it says, and as large`, () => {
      const data = made(name, ...options)
      assert.deepEqual(inspect(data, format), { virtualSize: 10 * MIB })
      if (format !== 'raw' && name !== 'fixed.vhd')
        assert.match(inspect(data, 'raw').refused!, new RegExp(`disk_format is raw, the content is ${format}`))
    })

  const unsafe: [name: string, why: RegExp, options: string[]][] = [
    ['back.qcow2', /has a backing file/, ['-f', 'qcow2', '-b', 'base.qcow2', '-F', 'qcow2']],
    ['ext.qcow2', /external data file/, ['-f', 'qcow2', '-o', 'data_file=data.raw,data_file_raw=on']],
    ['old.qcow', /version 1/, ['-f', 'qcow']],
    ['a.qed', /not supported/, ['-f', 'qed']],
    ['flat.vmdk', /in other files/, ['-f', 'vmdk', '-o', 'subformat=monolithicFlat']],
    ['two.vmdk', /in other files/, ['-f', 'vmdk', '-o', 'subformat=twoGbMaxExtentSparse']],
    ['child.vmdk', /parent file/, ['-f', 'vmdk', '-b', 'base.vmdk', '-F', 'vmdk']],
  ]
  for (const [name, why, options] of unsafe)
    test(`${name} is unsafe, whatever it is called`, () => {
      made('base.qcow2', '-f', 'qcow2')
      made('base.vmdk', '-f', 'vmdk')
      const data = made(name, ...options)
      for (const format of ['qcow2', 'raw', 'vmdk', 'unheard-of'])
        for (const container of ['bare', 'ova']) assert.match(inspect(data, format, container, false).refused!, why)
    })

  test('a stream-optimized VMDK with a footer is welcome, with a footer of another mind not', () => {
    made('base.raw', '-f', 'raw')
    execFileSync(
      'qemu-img',
      ['convert', '-O', 'vmdk', '-o', 'subformat=streamOptimized', '-f', 'raw', 'base.raw', 's.vmdk'],
      {
        cwd: folder,
      },
    )
    const data = readFileSync(join(folder, 's.vmdk'))
    assert.deepEqual(inspect(data, 'vmdk'), { virtualSize: 10 * MIB })
    const header = Buffer.from(data.subarray(0, 512))
    const footered = Buffer.concat([data, Buffer.alloc(512), header, Buffer.alloc(512)])
    footered.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 56)
    assert.deepEqual(inspect(footered, 'vmdk'), { virtualSize: 10 * MIB })
    footered.writeUInt32LE(7, footered.length - 1024 + 28)
    assert.match(inspect(footered, 'vmdk').refused!, /footer does not agree/)
  })
})

describe('data made by hand', () => {
  const qcow2 = (change: (header: Buffer) => void) => {
    const header = at(65536, [0, 'QFI\xfb'], [24, u64(5 * MIB)])
    header.writeUInt32BE(3, 4)
    change(header)
    return header
  }
  const cases: [what: string, data: Buffer, diskFormat: string, refused: RegExp | undefined][] = [
    ['random text', at(100, [0, 'hello']), 'raw', undefined],
    ['nothing', Buffer.alloc(0), 'raw', undefined],
    ['nothing for a qcow2', Buffer.alloc(0), 'qcow2', /of no known format/],
    ['text for a qcow2', at(100, [0, 'hello']), 'qcow2', /disk_format is qcow2, the content is of no known format/],
    ['a qcow2 with unknown features', qcow2(h => h.set(u64(1n << 5n), 72)), 'qcow2', /unknown incompatible features/],
    ['a qcow2 with far features', qcow2(h => h.set(u64(1n << 63n), 72)), 'qcow2', /unknown incompatible features/],
    ['a corrupt qcow2', qcow2(h => h.set(u64(2), 72)), 'qcow2', /marked as corrupt/],
    ['a dirty qcow2', qcow2(h => h.set(u64(1), 72)), 'qcow2', undefined],
    ['a qcow2 too large to be', qcow2(h => h.set(u64(1n << 60n), 24)), 'qcow2', /impossible size/],
    ['a cut-off qcow2', qcow2(() => {}).subarray(0, 60), 'qcow2', /cut off/],
    ['a cut-off VMDK', at(300, [0, 'KDMV']), 'vmdk', /cut off/],
    ['an ISO', at(40_000, [0x8001, 'CD001']), 'iso', undefined],
    ['an ISO as raw', at(40_000, [0x8001, 'CD001']), 'raw', /the content is iso/],
    ['text as ISO', at(40_000), 'iso', /of no known format/],
    ['a polyglot', Buffer.concat([qcow2(() => {})]).fill('CD001', 0x8001, 0x8006), 'qcow2', /qcow2 and iso/],
    ['LUKS as raw', at(4096, [0, 'LUKS\xba\xbe']), 'raw', undefined],
    ['LUKS as an ISO', at(4096, [0, 'LUKS\xba\xbe']), 'iso', /content is luks/],
    ['a differencing VHD', at(512, [0, 'conectix'], [63, '\x04']), 'vhd', /depends on another file/],
    ['a VHDX without metadata', at(512 * 1024, [0, 'vhdxfile']), 'vhdx', /metadata cannot be read/],
  ]
  for (const [what, data, diskFormat, refused] of cases)
    test(what, () => {
      const verdict = inspect(data, diskFormat)
      if (refused) assert.match(verdict.refused ?? 'was not refused', refused)
      else assert.equal(verdict.refused, undefined)
    })

  test('a partition table is raw and gpt, and a hybrid ISO stays an ISO', () => {
    const disk = at(65536, [446 + 4, '\x83'], [446 + 12, '\x01'], [510, '\x55\xaa'])
    assert.deepEqual(inspect(disk, 'gpt'), { virtualSize: 65536 })
    assert.deepEqual(inspect(disk, 'raw'), { virtualSize: 65536 })
    assert.match(inspect(disk, 'qcow2').refused!, /content is gpt/)
    assert.match(inspect(at(65536), 'gpt').refused!, /of no known format/)
    disk.set(Buffer.from('CD001'), 0x8001)
    assert.equal(inspect(disk, 'iso').refused, undefined)
  })

  test('a VHDX that has a parent is refused', () => {
    const data = made('parent.vhdx', '-f', 'vhdx')
    const guid = Buffer.from('3767a1ca36fa434db3b633f0aa44e76b', 'hex')
    const entry = data.indexOf(guid)
    const metadata = data.indexOf('metadata')
    data.writeUInt32LE(2, metadata + data.readUInt32LE(entry + 16) + 4)
    assert.match(inspect(data, 'vhdx').refused!, /parent file/)
  })

  test('lies pass when they may, and in containers that wrap the disk', () => {
    const text = at(100, [0, 'hello'])
    assert.equal(inspect(text, 'qcow2', 'bare', false).refused, undefined)
    assert.deepEqual(inspect(text, 'vmdk', 'ova'), { virtualSize: null })
  })
})

describe('descriptors of VMDKs', () => {
  const good = 'version=1\nparentCID=ffffffff\ncreateType="monolithicSparse"\nRW 2048 SPARSE "a.vmdk"\nddb.x = "1"\n'
  const cases: [string, string, RegExp | undefined][] = [
    ['as usual', good, undefined],
    ['with another path', good.replace('a.vmdk', '/etc/shadow'), /in other files/],
    ['with a Windows path', good.replace('a.vmdk', 'c:\\x'), /in other files/],
    ['flat', good.replace('SPARSE', 'FLAT'), /in other files/],
    ['with two extents', `${good}RW 1 SPARSE "b"\n`, /in other files/],
    ['without extents', good.replace(/^RW.*$/m, ''), /in other files/],
    ['of another kind', good.replace('monolithicSparse', 'vmfsRaw'), /kind vmfsraw/],
    ['without a kind', good.replace(/^createType.*$/m, ''), /kind unknown/],
    ['with a parent', good.replace('ffffffff', '12345678'), /parent/],
    ['with a hint', `${good}parentFileNameHint="b"\n`, /parent/],
    ['with a strange line', `${good}strange line\n`, /not understood/],
    ['with other letters', `${good}# \xe9\n`, /not plain text/],
  ]
  for (const [what, text, problem] of cases)
    test(what, () => {
      if (problem) assert.match(descriptorProblem(text) ?? 'none', problem)
      else assert.equal(descriptorProblem(text), undefined)
    })
})

describe('whatever comes', () => {
  test('how it is cut into chunks makes no difference', () => {
    const files = ['qcow2', 'vmdk', 'vhdx', 'vdi'].map(format => [format, made(`cut.${format}`, '-f', format)] as const)
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.integer({ min: 1000, max: 400_000 }), ([format, data], step) => {
        assert.deepEqual(inspect(data, format, 'bare', true, step), { virtualSize: 10 * MIB })
      }),
      { numRuns: 30 },
    )
  })

  test('no bytes after a signature make it fail', () => {
    const magic = fc.constantFrom(
      'QFI\xfb',
      'KDMV',
      'conectix',
      'vhdxfile',
      'QED\0',
      'LUKS\xba\xbe',
      '# Disk DescriptorFile',
    )
    fc.assert(
      fc.property(
        magic,
        fc.uint8Array({ maxLength: 3000 }),
        fc.integer({ min: 0, max: 2000 }),
        (start, rest, padding) => {
          const data = Buffer.concat([Buffer.from(start, 'latin1'), rest, Buffer.alloc(padding)])
          const { refused, virtualSize } = inspect(data, 'raw', 'bare', true, 100)
          assert.ok(refused === undefined || refused.endsWith('.'))
          assert.ok(virtualSize === null || Number.isSafeInteger(virtualSize))
        },
      ),
      { numRuns: 300 },
    )
  })
})
