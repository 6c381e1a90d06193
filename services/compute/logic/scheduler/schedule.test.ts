import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lackOfRoom, noValidHost, schedule as scheduleWith } from './schedule.ts'
import type { HostState, ScheduleRequest } from './types.ts'

const host = (hostname: string, change: Partial<HostState> = {}): HostState => ({
  id: hostname,
  hostname,
  availabilityZone: 'nova',
  enabled: true,
  up: true,
  capacity: {
    hypervisorType: 'QEMU',
    hypervisorVersion: 7002000,
    vcpus: 8,
    memoryMiB: 8192,
    diskGiB: 100,
    diskFreeGiB: 100,
    cpu: { arch: 'x86_64', model: 'x', vendor: 'y', features: [], topology: { sockets: 1, cores: 8, threads: 1 } },
    acceleration: 'tcg',
    traits: [],
  },
  aggregates: [],
  used: { vcpus: 0, memoryMiB: 0, diskGiB: 0 },
  servers: [],
  ...change,
})

const request = (change: Partial<ScheduleRequest> = {}): ScheduleRequest => ({
  serverId: 's',
  projectId: 'p',
  flavor: { id: '1', name: 'f', vcpus: 1, ram: 512, disk: 1, ephemeral: 0, swap: 0, extra_specs: {} },
  imageProperties: {},
  excludedHosts: [],
  sameHostAs: [],
  differentHostFrom: [],
  ...change,
})

const schedule = (hosts: readonly HostState[], asked: ScheduleRequest) => scheduleWith(hosts, asked, () => 0)

const names = (hosts: readonly HostState[], asked: Partial<ScheduleRequest> = {}) =>
  schedule(hosts, request(asked)).hosts.map(h => h.hostname)
const member = { id: 'm', groupId: 'g', building: false }

test('the emptiest host comes first', () => {
  assert.deepEqual(names([host('full', { used: { vcpus: 4, memoryMiB: 4096, diskGiB: 50 } }), host('empty')]), [
    'empty',
    'full',
  ])
})

test('equal hosts come in the order that chance gives', () => {
  let draw = 3
  const { hosts } = scheduleWith([host('a'), host('b'), host('c')], request(), () => draw--)
  assert.deepEqual(
    hosts.map(h => h.hostname),
    ['c', 'b', 'a'],
  )
})

test('each filter turns away the hosts that it is for', () => {
  const a = host('a')
  const cases: [string, HostState, Partial<ScheduleRequest>][] = [
    ['ForcedHostFilter', host('b'), { forcedHost: 'a' }],
    ['RetryFilter', host('b'), { excludedHosts: ['b'] }],
    ['ComputeFilter', host('b', { up: false }), {}],
    ['ComputeFilter', host('b', { enabled: false }), {}],
    ['AvailabilityZoneFilter', host('b', { availabilityZone: 'moon' }), { availabilityZone: 'nova' }],
    [
      'ImagePropertiesFilter',
      host('b', { capacity: { ...a.capacity, cpu: { ...a.capacity.cpu, arch: 'aarch64' } } }),
      { imageProperties: { hw_architecture: 'amd64' } },
    ],
    [
      'AggregateMultiTenancyIsolation',
      host('b', { aggregates: [{ name: 'x', metadata: { filter_tenant_id: 'q, r' } }] }),
      {},
    ],
    [
      'ServerGroupAntiAffinityFilter',
      host('b', { servers: [member] }),
      { group: { id: 'g', policy: 'anti-affinity', hasMembers: true } },
    ],
    ['DifferentHostFilter', host('b', { servers: [member] }), { differentHostFrom: ['m'] }],
  ]
  for (const [by, other, asked] of cases) {
    const { hosts, turnedAway } = schedule([a, other], request(asked))
    assert.deepEqual([hosts.map(h => h.hostname), turnedAway], [['a'], [{ by, hosts: ['b'] }]], by)
  }
})

test('affinity goes where the group is, and anywhere while it is nowhere', () => {
  const group = { id: 'g', policy: 'affinity', hasMembers: true } as const
  assert.deepEqual(names([host('a'), host('b', { servers: [member] })], { group }), ['b'])
  assert.equal(names([host('a'), host('b')], { group: { ...group, hasMembers: false } }).length, 2)
})

test('flavor extra specs choose among aggregates', () => {
  const flavor = { ...request().flavor, extra_specs: { 'aggregate_instance_extra_specs:ssd': 'true' } }
  assert.deepEqual(
    names([host('a'), host('b', { aggregates: [{ name: 'fast', metadata: { ssd: 'true' } }] })], { flavor }),
    ['b'],
  )
})

test('every host is either offered or counted by exactly one filter', () => {
  const anyHost = fc.record({
    up: fc.boolean(),
    enabled: fc.boolean(),
    zone: fc.constantFrom('nova', 'moon'),
    member: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(anyHost, { maxLength: 12 }), list => {
      const hosts = list.map((h, at) =>
        host(`h${at}`, { up: h.up, enabled: h.enabled, availabilityZone: h.zone, servers: h.member ? [member] : [] }),
      )
      const { hosts: kept, turnedAway } = schedule(
        hosts,
        request({ availabilityZone: 'nova', group: { id: 'g', policy: 'anti-affinity', hasMembers: true } }),
      )
      const all = [...kept.map(h => h.hostname), ...turnedAway.flatMap(t => t.hosts)].sort()
      assert.deepEqual(all, hosts.map(h => h.hostname).sort())
    }),
  )
})

test('the failure says how many hosts and why', () => {
  const rooms = [
    {
      resource: 'VCPU',
      asked: 4,
      free: new Map([
        ['a', 8],
        ['b', 2],
        ['c', 8],
      ]),
    },
    {
      resource: 'MEMORY_MB',
      asked: 4096,
      free: new Map([
        ['a', 512],
        ['b', 100],
        ['c', 8192],
      ]),
    },
  ]
  assert.equal(
    noValidHost(3, [...lackOfRoom(rooms), { by: 'ComputeFilter', hosts: ['c'] }]),
    'No valid host was found. Of 3 hosts, 1 had too little VCPU (4 asked, at most 2 free), 1 had too little MEMORY_MB (4096 asked, at most 512 free), ComputeFilter turned 1 away.',
  )
  assert.equal(noValidHost(0, []), 'No valid host was found. There is no compute host.')
})
