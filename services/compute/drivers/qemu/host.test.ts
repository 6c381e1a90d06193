import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { silentLog } from '@strata/toolkit/log'
import { detectAcceleration, guestRuns } from './acceleration.ts'
import { parseCpuinfo, traitsOf, versionNumber } from './capacity.ts'
import { findHierarchies, limitFiles } from './cgroups.ts'
import { cutLogs, lastLines, readConsole } from './console.ts'
import { noQemu } from './test-host.ts'

const folder = mkdtempSync(join(tmpdir(), 'qemu-host-'))
chmodSync(folder, 0o711)
after(() => rmSync(folder, { recursive: true }))
const user = { uid: process.getuid!(), gid: process.getgid!(), dropTo: [] }

describe('acceleration', { skip: noQemu }, () => {
  const probe = { binary: 'qemu-system-x86_64', folder, user, accelerator: 'tcg' } as const

  it('is there when a guest says that it ran, and not otherwise', async () => {
    assert.equal(await guestRuns({ ...probe, timeoutMs: 20_000 }), true)
    assert.equal(await guestRuns({ ...probe, timeoutMs: 1 }), false, 'too late')
    assert.equal(
      await guestRuns({ ...probe, binary: '/bin/true', timeoutMs: 5000 }),
      false,
      'ended, but did not say so',
    )
    assert.equal(await guestRuns({ ...probe, binary: '/absent', timeoutMs: 5000 }), false)
    assert.deepEqual(readdirSync(folder), [])
  })

  it('is looked for once', async () => {
    const options = { binary: probe.binary, version: 'v1', folder, user, log: silentLog }
    const found = await detectAcceleration(options)
    assert.equal(await detectAcceleration({ ...options, binary: '/absent' }), found)
    writeFileSync(join(folder, 'acceleration.json'), 'half a wor')
    assert.equal(await detectAcceleration({ ...options, binary: '/absent' }), 'tcg')
    assert.equal(await detectAcceleration({ ...options, binary: '/absent', version: 'v2' }), 'tcg')
  })
})

describe('control groups', () => {
  const version1 = [
    '31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw',
    '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct',
    '35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
    '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
  ].join('\n')

  it('of version 1 are below our own, as far as it can be seen', () => {
    assert.deepEqual(findHierarchies(version1, '4:memory:/docker/abc/inner\n1:cpu,cpuacct:/a:b\n0::/\n'), [
      { version: 1, controller: 'memory', base: '/sys/fs/cgroup/memory/inner' },
      { version: 1, controller: 'cpu', base: '/sys/fs/cgroup/cpu,cpuacct/a:b' },
    ])
    assert.equal(findHierarchies(version1, '4:memory:/elsewhere\n')[0]?.base, '/sys/fs/cgroup/memory')
  })

  it('of version 2 are at the top', () => {
    const mounts = '41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw'
    assert.deepEqual(findHierarchies(mounts, '0::/system.slice/strata.service\n'), [
      { version: 2, base: '/sys/fs/cgroup' },
    ])
    assert.deepEqual(findHierarchies('', ''), [])
  })

  it('hold limits in the files of their version', () => {
    const limits = { memoryMiB: 512, processes: 100, vcpus: 2 }
    assert.deepEqual(limitFiles({ version: 2, base: '' }, limits), {
      'memory.max': '536870912',
      'pids.max': '100',
      'cpu.weight': '200',
    })
    assert.deepEqual(limitFiles({ version: 1, controller: 'cpu', base: '' }, limits), { 'cpu.shares': '2048' })
  })
})

describe('what a host can do', () => {
  const thread = (processor: number, socket: number) =>
    `processor\t: ${processor}\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon: the one\nphysical id\t: ${socket}\ncpu cores\t: 2\nflags\t\t: sse2 avx512f vmx\n`
  const text = [0, 0, 0, 0, 1, 1, 1, 1].map((socket, index) => thread(index, socket)).join('\n')

  it('is read from the processor', () => {
    const { model, vendor, features, topology } = parseCpuinfo(text)
    assert.deepEqual(
      { model, vendor, features },
      { model: 'Xeon: the one', vendor: 'GenuineIntel', features: ['avx512f', 'sse2', 'vmx'] },
    )
    assert.deepEqual(topology, { sockets: 2, cores: 2, threads: 2 })
    assert.deepEqual(parseCpuinfo('').topology, { sockets: 1, cores: 1, threads: 1 })
  })

  it('leaves out what is not emulated', () => {
    const features = parseCpuinfo(text).features
    assert.ok(
      traitsOf('kvm', features).includes('HW_CPU_X86_AVX512F') &&
        !traitsOf('tcg', features).includes('HW_CPU_X86_AVX512F'),
    )
    assert.ok(traitsOf('tcg', features).includes('HW_CPU_X86_AVX2'))
  })

  it('has a version as a number', () => {
    assert.equal(versionNumber('QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)'), 7_002_022)
    assert.equal(versionNumber('QEMU emulator version 10.0'), 10_000_000)
    assert.throws(() => versionNumber('nothing'))
  })
})

describe('the console log', () => {
  it('ends with the lines that are asked for', () => {
    assert.equal(lastLines('a\nb\nc\n', 2), 'b\nc\n')
    assert.equal(lastLines('a\nb\nc', 2), 'b\nc')
    assert.equal(lastLines('a\nb\n', 9), 'a\nb\n')
    assert.equal(lastLines('a\n', 0), '')
    assert.equal(lastLines('a\nb\n', undefined), 'a\nb\n')
  })

  it('keeps its end when it is cut, and grows on from there', async () => {
    const log = join(folder, 'console.log')
    writeFileSync(log, 'x'.repeat(5000) + 'y'.repeat(100))
    await cutLogs(folder, 100)
    assert.equal(await readConsole(folder), 'y'.repeat(100))
    writeFileSync(log, 'z', { flag: 'a' })
    await cutLogs(folder, 100)
    assert.equal(await readConsole(folder), `${'y'.repeat(100)}z`)
  })
})
