import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemRuntime } from '@strata/toolkit/runtime'
import fc from 'fast-check'
import type { GuestSpec } from '../../logic/ports/hosts.ts'
import { hypervisorContract } from '../hypervisor-contract.ts'
import { matches, type SimulatedFault } from './faults.ts'
import { createSimulatedHypervisor } from './hypervisor.ts'
import { openJournal } from './journal.ts'

const guestSpec = (change: Partial<GuestSpec> = {}): GuestSpec => ({
  serverId: randomUUID(),
  instanceName: 'instance-00000001',
  hostname: 'vm1',
  projectId: randomUUID(),
  userId: randomUUID(),
  vcpus: 1,
  memoryMiB: 64,
  disks: [
    {
      name: 'root',
      source: { kind: 'image', imageId: 'large', path: '/x', format: 'raw' },
      sizeGiB: 4,
      bus: 'virtio',
      bootIndex: 0,
    },
  ],
  nics: [],
  properties: {},
  ...change,
})

hypervisorContract('simulated', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'simulated-'))
  const options = {
    file: join(folder, 'guests.jsonl'),
    // A guest's boot takes about a second of its own time.
    runtime: { ...systemRuntime, now: () => systemRuntime.now() * 50 },
    faults: [{ on: 'spawn', hostname: 'doomed', effect: 'fail', message: 'No memory left.' }],
  } as const
  let current = createSimulatedHypervisor(options)
  await current.open()
  return {
    hypervisor: current,
    spec: () => guestSpec(),
    bootedText: 'vm1 login:',
    async reopen() {
      current = createSimulatedHypervisor(options)
      await current.open()
      return current
    },
    powerOffFromWithin: async serverId => current.powerOff(serverId),
    crash: async serverId => current.crash(serverId),
    unbuildable: () => ({ spec: guestSpec({ hostname: 'doomed' }), says: /No memory left\./ }),
    async assertNoTrace(serverId) {
      assert.ok(!(await current.list()).some(report => report.serverId === serverId))
      assert.ok(!openJournal(options.file).load().has(serverId))
    },
    end: async () => rmSync(folder, { recursive: true }),
  }
})

describe('faults of a simulated host', () => {
  const withFault = (fault: SimulatedFault) => createSimulatedHypervisor({ faults: [fault] })

  it('heal after the given number of times', async () => {
    const hypervisor = withFault({ on: 'spawn', effect: 'fail', times: 2 })
    const spec = guestSpec()
    await assert.rejects(hypervisor.spawn(spec))
    await assert.rejects(hypervisor.spawn(spec))
    await hypervisor.spawn(spec)
    assert.equal((await hypervisor.list())[0]?.state, 'running')
  })

  it('strike only servers that fit', async () => {
    const hypervisor = withFault({
      on: 'spawn',
      effect: 'fail',
      hostname: 'bad-*',
      properties: { os_distro: 'broken' },
    })
    await hypervisor.spawn(guestSpec({ hostname: 'bad-1' }))
    await hypervisor.spawn(guestSpec({ properties: { os_distro: 'broken' } }))
    await assert.rejects(hypervisor.spawn(guestSpec({ hostname: 'bad-1', properties: { os_distro: 'broken' } })))
  })

  it('let a guest crash after its start', async () => {
    const hypervisor = withFault({ on: 'spawn', effect: 'crash', delayMs: 5 })
    const told = new Promise(resolve => hypervisor.watch(resolve))
    const spec = guestSpec()
    await hypervisor.spawn(spec)
    const keepAlive = setInterval(() => {}, 1000)
    assert.deepEqual(await told, { serverId: spec.serverId, state: 'crashed' })
    clearInterval(keepAlive)
  })

  it('make a stop wait for its grace, unless the guest is destroyed', async () => {
    const hypervisor = withFault({ on: 'stop', effect: 'deaf' })
    const spec = guestSpec()
    await hypervisor.spawn(spec)
    const stopping = hypervisor.stop(spec.serverId, 3600)
    await hypervisor.destroy(spec.serverId)
    await stopping
    assert.deepEqual(await hypervisor.list(), [])
  })

  it('refuse a disk smaller than its image', async () => {
    const hypervisor = createSimulatedHypervisor({ imageSize: id => (id === 'large' ? 5 * 1024 ** 3 : undefined) })
    await assert.rejects(hypervisor.spawn(guestSpec()), /4 GiB.*5368709120/)
  })
})

describe('a pattern', () => {
  it('fits what was made from it', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '-') })
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), text, (pieces, filler) =>
        matches(pieces.join('*'), pieces.join(filler)),
      ),
    )
  })
  it('is the whole text', () => {
    assert.ok(
      matches('a*c', 'abc') &&
        !matches('a*c', 'abcd') &&
        !matches('b*', 'abc') &&
        !matches('a*a', 'a') &&
        matches('*', ''),
    )
  })
})

describe('the journal', () => {
  it('forgets a line that a kill cut short', () => {
    const folder = mkdtempSync(join(tmpdir(), 'journal-'))
    const path = join(folder, 'j')
    writeFileSync(path, '{"id":"a","value":1}\n{"id":"b","value":2}\n{"id":"a"}\n{"id":"c","val')
    assert.deepEqual([...openJournal(path).load()], [['b', 2]])
    const again = openJournal<number>(path)
    again.load()
    again.write('d', 4)
    assert.deepEqual(
      [...openJournal(path).load()],
      [
        ['b', 2],
        ['d', 4],
      ],
    )
    rmSync(folder, { recursive: true })
  })
})
