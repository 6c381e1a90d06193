import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { type Log, silentLog } from '@strata/toolkit/log'
import { GuestBuildError, type GuestSpec } from '../../logic/ports/hosts.ts'
import { eventually, hypervisorContract } from '../hypervisor-contract.ts'
import { processOf } from './process.ts'
import { imageInfo } from './qemu-img.ts'
import { loadRecord, saveRecord } from './records.ts'
import { run } from './run.ts'
import { testGuestSays } from './test-guest.ts'
import { makeTestHost, noQemu, type TestHost } from './test-host.ts'

const isRoot = process.getuid!() === 0
const noGroups = !(isRoot && existsSync('/sys/fs/cgroup/memory')) && 'no version 1 control groups that are ours'

hypervisorContract(
  'QEMU',
  async () => {
    const host = await makeTestHost()
    return {
      hypervisor: host.hypervisor,
      spec: () => host.spec(),
      bootedText: testGuestSays,
      reopen: () => host.reopen(),
      powerOffFromWithin: serverId => host.type(serverId, 'p'),
      crash: async serverId => void process.kill(host.pidOf(serverId), 'SIGKILL'),
      unbuildable: () => ({
        spec: host.spec({ properties: { hw_machine_type: 'abacus' } }),
        says: /hw_machine_type "abacus"/,
      }),
      assertNoTrace: host.assertNoTrace,
      end: host.end,
    }
  },
  noQemu,
)

describe('a guest on QEMU', { skip: noQemu }, () => {
  let host: TestHost
  before(async () => {
    host = await makeTestHost()
  })
  after(() => host?.end())

  const booted = (serverId: string, times = 1) =>
    eventually(
      'the guest boots',
      async () => (await host.hypervisor.consoleOutput(serverId)).split(testGuestSays).length > times,
    )
  const stateOf = async (serverId: string) =>
    (await host.hypervisor.list()).find(report => report.serverId === serverId)?.state
  const spawned = async (change: Partial<GuestSpec> = {}) => {
    const spec = host.spec(change)
    await host.hypervisor.spawn(spec)
    await booted(spec.serverId)
    return spec
  }

  it('is locked in: no privileges, a system call filter, limits', async () => {
    const { serverId } = await spawned()
    const pid = host.pidOf(serverId)
    const status = new Map(
      readFileSync(`/proc/${pid}/status`, 'utf8')
        .split('\n')
        .map(line => line.split(':\t') as [string, string]),
    )
    assert.equal(status.get('Seccomp'), '2')
    if (isRoot) {
      const { uid, gid } = host.hypervisor.user
      assert.notEqual(uid, 0)
      assert.deepEqual(status.get('Uid')?.split('\t'), Array(4).fill(String(uid)))
      assert.deepEqual(status.get('Gid')?.split('\t'), Array(4).fill(String(gid)))
      assert.equal(status.get('NoNewPrivs'), '1')
      assert.equal(Number(`0x${status.get('CapBnd')}`), 0)
    }
    assert.equal(statSync(host.guestFolder(serverId)).uid, process.getuid!(), 'it cannot make files beside its record')
    await host.hypervisor.destroy(serverId)
  })

  it('has a control group with its limits', {
    skip: noGroups,
  }, async () => {
    const { serverId } = await spawned()
    const path = readFileSync(`/proc/${host.pidOf(serverId)}/cgroup`, 'utf8')
      .split('\n')
      .find(line => line.includes(':memory:'))!
      .split(':')[2]!
    assert.ok(path.endsWith(`/strata/${serverId}`), path)
    const limit = Number(readFileSync(join('/sys/fs/cgroup/memory', path, 'memory.limit_in_bytes'), 'utf8'))
    assert.ok(limit > 32 * 2 ** 20 && limit < 1024 * 2 ** 20, `${limit}`)
    await host.hypervisor.destroy(serverId)
    assert.ok(!existsSync(join('/sys/fs/cgroup/memory', path)))
  })

  it('boots from each bus and as each kind of machine', async () => {
    for (const bus of ['virtio', 'scsi', 'ide'] as const) {
      for (const hw_machine_type of ['pc', 'q35']) {
        const blank = { name: 'ephemeral0', source: { kind: 'blank' }, sizeGiB: 1, bus } as const
        const { serverId } = await spawned({ disks: [host.rootDisk({ bus }), blank], properties: { hw_machine_type } })
        assert.equal(await stateOf(serverId), 'running', `${bus} on ${hw_machine_type}`)
        await host.hypervisor.destroy(serverId)
      }
    }
  })

  it('has a config drive, which later starts keep', async () => {
    const configDrive = {
      'openstack/latest/meta_data.json': Buffer.from('{"uuid":"x"}'),
      'openstack/latest/user_data': Buffer.from('#!/bin/sh\n'),
    }
    const spec = await spawned({ configDrive })
    const drive = readFileSync(join(host.guestFolder(spec.serverId), 'config-drive.iso'))
    assert.equal(drive.toString('latin1', 32768 + 40, 32768 + 48), 'config-2')
    assert.ok(drive.includes('{"uuid":"x"}') && drive.includes('#!/bin/sh\n'))
    const { configDrive: _, ...later } = spec
    await host.hypervisor.reboot(later, 'HARD', 0)
    assert.match(readFileSync(`/proc/${host.pidOf(spec.serverId)}/cmdline`, 'utf8'), /config-drive\.iso/)
    assert.ok(!readFileSync(join(host.guestFolder(spec.serverId), 'guest.json'), 'utf8').includes('user_data'))
    await host.hypervisor.destroy(spec.serverId)
    const escaping = host.spec({ configDrive: { '../../escaped': Buffer.from('x') } })
    await assert.rejects(host.hypervisor.spawn(escaping), GuestBuildError)
    await host.hypervisor.destroy(escaping.serverId)
  })

  it('grows its disk at a start, and is refused one smaller than its image', async () => {
    const spec = await spawned()
    await host.hypervisor.stop(spec.serverId, 0)
    await host.hypervisor.start({ ...spec, disks: [host.rootDisk({ sizeGiB: 2 })] })
    const image = {
      folder: host.guestFolder(spec.serverId),
      file: 'disks/root.qcow2',
      format: 'qcow2',
      user: host.hypervisor.user,
    } as const
    assert.equal((await imageInfo(image)).virtualSizeBytes, 2 * 1024 ** 3)
    const large = join(host.folder, 'images', 'large.qcow2')
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', large, '3G'])
    const tooSmall = host.spec({
      disks: [host.rootDisk({ sizeGiB: 2, source: { kind: 'image', imageId: 'large', path: large, format: 'qcow2' } })],
    })
    await assert.rejects(host.hypervisor.spawn(tooSmall), /2 GiB \(2147483648 bytes\).*3221225472 bytes/)
    for (const { serverId } of [spec, tooSmall]) await host.hypervisor.destroy(serverId)
  })

  it("passes QEMU's own words on when it does not start", async () => {
    const nic = {
      portId: randomUUID(),
      macAddress: 'fa:16:3e:00:00:01',
      mtu: 1500,
      vifName: 'tapnotthere',
      model: 'virtio',
    } as const
    const spec = host.spec({ nics: [nic] })
    await assert.rejects(
      host.hypervisor.spawn(spec),
      error => error instanceof GuestBuildError && /tapnotthere|tun/.test(error.message),
    )
    await host.hypervisor.destroy(spec.serverId)
    await host.assertNoTrace(spec.serverId)
  })

  it('that was off and cannot be started is off still', async () => {
    const spec = await spawned()
    await host.hypervisor.stop(spec.serverId, 0)
    const nic = {
      portId: randomUUID(),
      macAddress: 'fa:16:3e:00:00:01',
      mtu: 1500,
      vifName: 'tapnotthere',
      model: 'virtio',
    } as const
    await assert.rejects(host.hypervisor.start({ ...spec, nics: [nic] }), GuestBuildError)
    assert.equal(await stateOf(spec.serverId), 'shutdown')
    await host.hypervisor.start(spec)
    await booted(spec.serverId, 2)
    await host.hypervisor.destroy(spec.serverId)
  })

  it('is not given a disk that was lost', async () => {
    const spec = await spawned()
    await host.hypervisor.stop(spec.serverId, 0)
    await run('rm', [join(host.guestFolder(spec.serverId), 'disks/root.qcow2')])
    await assert.rejects(host.hypervisor.start(spec), /"root" is missing/)
    await host.hypervisor.destroy(spec.serverId)
  })

  it('gets and gives back disks while it runs', async () => {
    const { serverId } = await spawned()
    const disk = {
      name: randomUUID(),
      source: { kind: 'blank' },
      sizeGiB: 1,
      bus: 'virtio',
      serial: randomUUID(),
    } as const
    const file = join(host.guestFolder(serverId), `disks/${disk.name}.qcow2`)
    for (let time = 0; time < 2; time++) await host.hypervisor.disks!.attachDisk(serverId, disk)
    assert.ok(existsSync(file))
    const again = await host.reopen()
    for (let time = 0; time < 2; time++) await again.disks!.detachDisk(serverId, disk.name)
    assert.ok(!existsSync(file))
    await again.disks!.attachDisk(serverId, disk)
    assert.equal(await stateOf(serverId), 'running')
    await again.destroy(serverId)
  })

  it('gets and gives back network cards while it runs', { skip: !isRoot && 'taps need root' }, async () => {
    const vifName = `sq${process.pid}`
    await run('ip', ['tuntap', 'add', 'dev', vifName, 'mode', 'tap', 'user', String(host.hypervisor.user.uid)])
    try {
      const nic = {
        portId: randomUUID(),
        macAddress: 'fa:16:3e:00:00:02',
        mtu: 1442,
        vifName,
        model: 'virtio',
      } as const
      const spec = await spawned({ nics: [nic] })
      const nics = host.hypervisor.nics!
      for (let time = 0; time < 2; time++) await nics.detachNic(spec.serverId, nic.portId)
      for (let time = 0; time < 2; time++) await nics.attachNic(spec.serverId, nic)
      await assert.rejects(nics.attachNic(spec.serverId, { ...nic, portId: randomUUID(), vifName: 'tapnotthere' }))
      await host.hypervisor.reboot(spec, 'HARD', 0)
      await booted(spec.serverId, 2)
      await host.hypervisor.destroy(spec.serverId)
    } finally {
      await run('ip', ['link', 'del', vifName])
    }
  })

  it('outlives the process that started it, and is found by the next', async () => {
    const spec = host.spec()
    const starter = start(host, spec)
    await starter.says('spawned')
    await starter.kill()
    assert.ok(await processOf(host.pidOf(spec.serverId)))
    await host.reopen()
    assert.equal(await stateOf(spec.serverId), 'running')
    await booted(spec.serverId)
    const watched: string[] = []
    const stop = host.hypervisor.watch(report => watched.push(report.state))
    process.kill(host.pidOf(spec.serverId), 'SIGKILL')
    await eventually('the watcher is told', () => watched.includes('crashed'))
    stop()
    await host.hypervisor.destroy(spec.serverId)
    await host.assertNoTrace(spec.serverId)
  })

  it('that does not answer is listed, and reached again when it does', async () => {
    const spec = await spawned()
    const pid = host.pidOf(spec.serverId)
    process.kill(pid, 'SIGSTOP')
    await host.reopen()
    assert.equal(await stateOf(spec.serverId), 'running')
    process.kill(pid, 'SIGCONT')
    await host.hypervisor.pause(spec.serverId)
    assert.equal(await stateOf(spec.serverId), 'paused')
    process.kill(pid, 'SIGSTOP')
    await host.hypervisor.destroy(spec.serverId)
    await host.assertNoTrace(spec.serverId)
  })

  it('that was being stopped by a process that died is ended by the next, without a warning', async () => {
    const warnings: string[] = []
    const log = Object.create(silentLog, { warn: { value: (_: object, words: string) => warnings.push(words) } }) as Log
    const other = await makeTestHost({ log })
    try {
      const [stopped, frozen] = [other.spec(), other.spec()]
      for (const spec of [stopped, frozen]) {
        await other.hypervisor.spawn(spec)
        process.kill(other.pidOf(spec.serverId), 'SIGSTOP')
      }
      await other.hypervisor.close()
      await saveRecord(other.guestFolder(stopped.serverId), {
        ...(await loadRecord(other.guestFolder(stopped.serverId)))!,
        power: 'off',
      })
      const pid = other.pidOf(stopped.serverId)
      await other.reopen()
      const states = new Map((await other.hypervisor.list()).map(({ serverId, state }) => [serverId, state]))
      assert.equal(states.get(stopped.serverId), 'shutdown')
      assert.equal(await processOf(pid), undefined)
      assert.equal(states.get(frozen.serverId), 'running')
      assert.deepEqual(warnings, ['a guest runs but does not answer'])
    } finally {
      await other.end()
    }
  })

  it('that powers off while nobody looks is found shut down, not crashed', async () => {
    const spec = host.spec()
    const starter = start(host, spec)
    await starter.says('spawned')
    await booted(spec.serverId)
    await starter.kill()
    await host.type(spec.serverId, 'p')
    await host.reopen()
    await eventually('the guest is off', async () => (await stateOf(spec.serverId)) === 'shutdown')
    await host.hypervisor.destroy(spec.serverId)
  })

  it('is built to its end by the next process, wherever the first was killed', async () => {
    for (const delayMs of [0, 20, 40, 60, 80, 100, 130]) {
      const spec = host.spec({ configDrive: { 'openstack/latest/meta_data.json': Buffer.from('{}') } })
      const starter = start(host, spec)
      await starter.says('opened')
      await new Promise(resolve => setTimeout(resolve, delayMs))
      await starter.kill()
      await host.reopen()
      await host.hypervisor.spawn(spec)
      await booted(spec.serverId)
      assert.equal(await stateOf(spec.serverId), 'running')
      await host.hypervisor.destroy(spec.serverId)
      await host.assertNoTrace(spec.serverId)
    }
  })

  it('stopped by force does not hold up a destroy', async () => {
    // Paused, it cannot see its power button; unpaused it would. Here the button is taken away by never booting.
    const spec = host.spec({ disks: [] })
    await host.hypervisor.spawn(spec)
    const stopping = host.hypervisor.stop(spec.serverId, 3600)
    await host.hypervisor.destroy(spec.serverId)
    await stopping
    await host.assertNoTrace(spec.serverId)
  })

  it('that keeps a device does not hold up a destroy either', async () => {
    const spec = await spawned()
    await host.hypervisor.pause(spec.serverId)
    const detaching = host.hypervisor.disks!.detachDisk(spec.serverId, 'root')
    const outcome = assert.rejects(detaching, /before the guest was destroyed/)
    await host.hypervisor.destroy(spec.serverId)
    await outcome
    await host.assertNoTrace(spec.serverId)
  })

  it('refuses ids that are not ids', async () => {
    for (const serverId of ['../escape', '', 'x', '11111111-2222-3333-4444-55555555555X']) {
      await assert.rejects(host.hypervisor.spawn(host.spec({ serverId })), /not the id of a server/)
      await assert.rejects(host.hypervisor.destroy(serverId), /not the id of a server/)
      await assert.rejects(host.hypervisor.consoleOutput(serverId), /not the id of a server/)
    }
  })
})

/** A process of its own that spawns the guest, to be killed at will. */
function start(host: TestHost, spec: GuestSpec) {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'test-starter.ts'), host.folder, JSON.stringify(spec)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', line => lines.push(line))
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  return {
    says: (word: string) => eventually(`the starter says "${word}"`, () => lines.includes(word)),
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}
