import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { GuestBuildError, type GuestDisk, type GuestNic, type GuestSpec } from '../../logic/ports/hosts.ts'
import { assignSlots, diskKey, nicKey, type Slots } from './addresses.ts'
import { commandLine } from './command-line.ts'
import { machineOf } from './machine.ts'

const folder = '/var/lib/strata/compute/instances/5f0a1f6e-7d0b-4a4e-9f0e-6b1c1a2b3c4d'
const facts = { binary: 'qemu-system-x86_64', acceleration: 'tcg', folder, hasConfigDrive: true } as const

const nic = (index: number, change: Partial<GuestNic> = {}): GuestNic => ({
  portId: `00000000-0000-4000-8000-00000000000${index}`,
  macAddress: `fa:16:3e:00:00:0${index}`,
  mtu: 1442,
  vifName: `tap0000000${index}`,
  model: 'virtio',
  ...change,
})
const volume = {
  kind: 'volume',
  connection: { protocol: 'nbd', socket: '/var/lib/strata/block-storage/v.sock', exportName: 'v' },
} as const
const spec: GuestSpec = {
  serverId: '5f0a1f6e-7d0b-4a4e-9f0e-6b1c1a2b3c4d',
  instanceName: 'instance-0000002a',
  hostname: 'vm1',
  projectId: 'p',
  userId: 'u',
  vcpus: 2,
  memoryMiB: 512,
  disks: [
    {
      name: 'root',
      source: { kind: 'image', imageId: 'i', path: '/var/lib/strata/compute/images/i.qcow2', format: 'qcow2' },
      sizeGiB: 1,
      bus: 'virtio',
      bootIndex: 0,
    },
    { name: 'swap', source: { kind: 'blank' }, sizeGiB: 1, bus: 'scsi' },
    {
      name: '11111111-2222-4333-8444-555555555555',
      source: volume,
      sizeGiB: 0,
      bus: 'virtio',
      serial: '11111111-2222-4333-8444-555555555555',
    },
    {
      name: 'old',
      source: {
        kind: 'volume',
        connection: { protocol: 'file', path: '/var/lib/strata/block-storage/o.raw', format: 'raw' },
      },
      sizeGiB: 0,
      bus: 'ide',
    },
  ],
  nics: [nic(1), nic(2, { model: 'e1000' })],
  properties: {},
}
const lineOf = (change: Partial<GuestSpec> = {}, host: Partial<Parameters<typeof commandLine>[2]> = {}) => {
  const changed = { ...spec, ...change }
  return commandLine(changed, assignSlots(changed, {}, machineOf(changed).ideUnits), { ...facts, ...host })
}

describe('the command line of a guest', () => {
  it('is the golden one', () => {
    const golden = join(import.meta.dirname, 'command-line.golden.json')
    const lines = {
      pc: lineOf(),
      q35: lineOf(
        { properties: { hw_machine_type: 'q35', hw_video_model: 'none' } },
        { acceleration: 'kvm', hasConfigDrive: false },
      ),
    }
    if (process.env['UPDATE_GOLDEN']) writeFileSync(golden, `${JSON.stringify(lines, null, 2)}\n`)
    assert.deepEqual(lines, JSON.parse(readFileSync(golden, 'utf8')))
  })

  it('cannot be added to by what a user writes', () => {
    const evil = 'x,driver=y" -device z'
    const line = lineOf({ instanceName: evil, hostname: evil, disks: [{ ...spec.disks[0]!, serial: evil }] })
    assert.equal(line.length, lineOf({ disks: [spec.disks[0]!] }).length)
    assert.ok(line.includes('guest=x,,driver=y" -device z,debug-threads=on'))
    for (const hw_machine_type of ['pc,accel=kvm', 'microvm', 'none', 'q35 ', 'pc-i440fx-7.2,x=y']) {
      assert.throws(() => lineOf({ properties: { hw_machine_type } }), GuestBuildError)
    }
    assert.throws(() => lineOf({ nics: [nic(1, { vifName: 'tap,0' })] }), GuestBuildError)
  })

  it('names no path above the state folder', () => {
    for (const word of lineOf()) assert.ok(!word.includes('/var/lib'), word)
  })
})

describe('slots', () => {
  const disks = fc.uniqueArray(
    fc.record({
      name: fc.constantFrom(...'abcdefgh'),
      bus: fc.constantFrom<GuestDisk['bus'][]>('virtio', 'scsi', 'ide'),
    }),
    { selector: disk => disk.name, maxLength: 8 },
  )
  const nics = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 8 })
  const guests = fc.record({ disks, nics }).map(({ disks, nics }) => ({
    disks: disks.map(disk => ({ ...spec.disks[0]!, ...disk })),
    nics: nics.map(index => nic(index)),
  }))
  const ideUnits = 8

  it('are never shared, and a device keeps its own through every change', () => {
    const onPciBus = /^(nic|virtio):/
    fc.assert(
      fc.property(fc.array(guests, { minLength: 1, maxLength: 6 }), stages => {
        let before: Slots = {}
        for (const stage of stages) {
          const slots = assignSlots(stage, before, ideUnits)
          const wanted = [...stage.disks.map(diskKey), ...stage.nics.map(each => nicKey(each.portId))]
          assert.deepEqual(Object.keys(slots).sort(), wanted.sort())
          const places = Object.entries(slots).map(
            ([key, slot]) => `${onPciBus.test(key) ? 'pci' : key.split(':')[0]} ${slot}`,
          )
          assert.equal(new Set(places).size, places.length)
          for (const [key, slot] of Object.entries(slots)) assert.equal(slot, before[key] ?? slot)
          before = slots
        }
      }),
    )
  })

  it('run out with an error that says how many there are', () => {
    const many = Array.from({ length: 9 }, (_, index) => nic(index))
    assert.throws(() => assignSlots({ disks: [], nics: many }, {}, 3), /room for 8 network cards; 9/)
  })
})
