import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { persona } from '@strata/toolkit/testing'
import { availabilityZoneOperations } from './availability-zones.ts'
import { hostOperations } from './hosts.ts'
import { hypervisorOperations } from './hypervisors.ts'
import { serviceOperations } from './services.ts'
import { hostRow, type Small, serverRow, startSmall } from './small.test.ts'

const admin = persona({ roles: ['admin'] })
const services = '/v2.1/os-services'
const hypervisors = '/v2.1/os-hypervisors'
const first = hostRow(1)
let small: Small
before(async () => {
  small = await startSmall(parts => [
    ...serviceOperations(parts),
    ...hypervisorOperations(parts),
    ...availabilityZoneOperations(parts),
    ...hostOperations(parts),
  ])
  const capacity = { ...JSON.parse(first.capacity), uptimeSeconds: 93_900, loadAverage: [0.5, 0.25, 0] }
  await small.store.db
    .insertInto('hosts')
    .values([
      { ...first, capacity: JSON.stringify(capacity) },
      hostRow(2),
      hostRow(3, { last_seen: '2020-01-01T00:00:00.000Z' }),
    ])
    .execute()
  await small.store.db
    .insertInto('aggregates')
    .values({
      id: 1,
      uuid: 'a',
      name: 'a',
      metadata: '{"availability_zone":"east"}',
      hosts: '["host-2"]',
      created_at: first.created_at,
      updated_at: null,
    })
    .execute()
  for (const [id, task_state] of [
    ['s1', null],
    ['s2', 'rebooting'],
  ] as const)
    await small.store.db
      .insertInto('servers')
      .values(serverRow({ id, host: 'host-1', task_state }))
      .execute()
})
after(() => small.close())

test('hosts, as scripts of old ask for them', async () => {
  const get = (path: string, at = 1, as = admin) => small.call('GET', `/v2.1/os-hosts${path}`, { as, at })
  const names = async (query: string) =>
    (await get(query)).json.hosts.map((host: { host_name: string }) => host.host_name)
  assert.deepEqual((await get('')).json.hosts[0], { host_name: 'host-1', service: 'compute', zone: 'nova' })
  assert.deepEqual(await names('?zone=east'), ['host-2'])
  assert.deepEqual(await names('?zone='), ['host-1', 'host-2', 'host-3'])
  const rows = (await get('/host-1')).json.host.map((row: { resource: object }) => Object.values(row.resource))
  assert.deepEqual(rows.map(([host, project, cpu]: unknown[]) => [host, project, cpu]).slice(1), [
    ['host-1', '(used_now)', 2],
    ['host-1', 'p', 2],
  ])
  assert.equal(rows[0][1], '(total)')
  const put = (body: object, name = 'host-2') => small.call('PUT', `/v2.1/os-hosts/${name}`, { as: admin, body })
  assert.deepEqual((await put({ status: 'disable' })).json, { host: 'host-2', status: 'disabled' })
  assert.deepEqual((await put({ status: 'enable' })).json, { host: 'host-2', status: 'enabled' })
  for (const body of [{}, { status: 'x' }, { maintenance_mode: 'x' }, { colour: 'red' }])
    assert.equal((await put(body)).status, 400)
  assert.equal((await put({ maintenance_mode: 'enable' })).status, 501)
  assert.equal((await put({ status: 'enable' }, 'none')).status, 404)
  for (const verb of ['startup', 'shutdown', 'reboot']) {
    assert.equal((await get(`/host-1/${verb}`)).status, 501)
    assert.equal((await get(`/none/${verb}`)).status, 404)
  }
  assert.equal((await get('', 43)).status, 404)
  assert.equal((await get('', 1, persona())).status, 403)
})

const get = (path: string, at = 1, as = admin) => small.call('GET', path, { as, at })
const put = (path: string, body: object, at = 1) => small.call('PUT', path, { as: admin, body, at })

test('services are listed by version, with filters', async () => {
  const early = (await get(`${services}?host=host-1`)).json.services
  assert.deepEqual(early, [
    {
      id: 1,
      binary: 'nova-compute',
      host: 'host-1',
      zone: 'nova',
      status: 'enabled',
      state: 'up',
      disabled_reason: null,
      updated_at: `${first.last_seen.slice(0, 23)}000`,
    },
  ])
  const late = (await get(services, 53)).json.services
  assert.deepEqual(
    late.map((one: Record<string, unknown>) => [one['host'], one['zone'], one['state'], one['forced_down']]),
    [
      ['host-1', 'nova', 'up', false],
      ['host-2', 'east', 'up', false],
      ['host-3', 'nova', 'down', false],
    ],
  )
  assert.equal(late[0].id, first.id)
  assert.equal((await get(`${services}?binary=nova-compute`)).json.services.length, 3)
  assert.equal((await get(`${services}?binary=nova-scheduler`)).json.services.length, 0)
  assert.equal((await get(`${services}?colour=red`, 75)).status, 400)
})

test('services are disabled, enabled and forced down, the early way', async () => {
  const about = { host: 'host-2', binary: 'nova-compute' }
  const logged = await put(`${services}/disable-log-reason`, { ...about, disabled_reason: 'repair' })
  assert.deepEqual(logged.json.service, { ...about, status: 'disabled', disabled_reason: 'repair' })
  assert.equal((await get(`${services}?host=host-2`)).json.services[0].disabled_reason, 'repair')
  assert.deepEqual((await put(`${services}/enable`, about)).json.service, { ...about, status: 'enabled' })
  assert.equal((await get(`${services}?host=host-2`)).json.services[0].disabled_reason, null)
  assert.deepEqual((await put(`${services}/disable`, about)).json.service, { ...about, status: 'disabled' })
  await put(`${services}/enable`, about)
  assert.equal((await put(`${services}/force-down`, about, 10)).status, 404)
  const forced = await put(`${services}/force-down`, { ...about, forced_down: true }, 11)
  assert.deepEqual(forced.json.service, { ...about, forced_down: true })
  assert.equal((await get(`${services}?host=host-2`, 11)).json.services[0].state, 'down')
  await put(`${services}/force-down`, { ...about, forced_down: 'false' }, 11)
  assert.equal((await put(`${services}/explode`, about)).status, 404)
  assert.equal((await put(`${services}/enable`, { ...about, host: 'nowhere' })).status, 404)
})

test('services are changed by their id since 2.53', async () => {
  const path = `${services}/${first.id}`
  const disabled = await put(path, { status: 'disabled', disabled_reason: 'repair' }, 53)
  assert.equal(disabled.json.service.status, 'disabled')
  assert.equal(disabled.json.service.disabled_reason, 'repair')
  const enabled = await put(path, { status: 'enabled', forced_down: true }, 53)
  assert.deepEqual([enabled.json.service.disabled_reason, enabled.json.service.state], [null, 'down'])
  assert.equal((await put(path, { forced_down: false }, 53)).json.service.state, 'up')
  const missing = '00000000-0000-4000-8000-000000000000'
  assert.equal((await put(`${services}/${missing}`, { status: 'enabled' }, 53)).status, 404)
})

test('bad input names the field', async () => {
  const path = `${services}/${first.id}`
  const about = { host: 'host-2', binary: 'nova-compute' }
  const cases: [string, object, number, RegExp][] = [
    [path, {}, 53, /status.*forced_down/],
    [path, { disabled_reason: 'x', status: 'enabled' }, 53, /disabled_reason/],
    [path, { status: 'broken' }, 53, /status/],
    [path, { forced_down: 'maybe' }, 53, /forced_down/],
    [`${services}/1`, { status: 'enabled' }, 53, /uuid 1/],
    [`${services}/enable`, { host: 'host-2' }, 1, /binary/],
    [`${services}/enable`, { ...about, binary: 'nova-api' }, 1, /nova-api/],
    [`${services}/disable-log-reason`, about, 1, /disabled.reason/],
    [`${services}/force-down`, about, 11, /forced_down/],
    [`${services}/enable`, { ...about, forced_down: true }, 10, /forced_down/],
  ]
  for (const [where, body, at, message] of cases) {
    const answer = await put(where, body, at)
    assert.equal(answer.status, 400, `${where} ${JSON.stringify(body)}`)
    assert.match(answer.json.badRequest.message, message)
  }
})

test('hypervisors tell their machine and its use', async () => {
  assert.deepEqual((await get(hypervisors)).json.hypervisors[0], {
    id: 1,
    hypervisor_hostname: 'host-1',
    state: 'up',
    status: 'enabled',
  })
  const early = (await get(`${hypervisors}/detail`)).json.hypervisors[0]
  assert.equal(typeof early.cpu_info, 'string')
  const shown = (await get(`${hypervisors}/${first.id}`, 53)).json.hypervisor
  assert.deepEqual(shown, {
    id: first.id,
    hypervisor_hostname: 'host-1',
    state: 'up',
    status: 'enabled',
    hypervisor_type: 'QEMU',
    hypervisor_version: 7_002_000,
    host_ip: '127.0.0.1',
    service: { id: first.id, host: 'host-1', disabled_reason: null },
    vcpus: 8,
    vcpus_used: 2,
    memory_mb: 16_384,
    memory_mb_used: 1024,
    free_ram_mb: 15_360,
    local_gb: 100,
    local_gb_used: 2,
    free_disk_gb: 98,
    disk_available_least: 80,
    running_vms: 2,
    current_workload: 1,
    cpu_info: {
      arch: 'x86_64',
      model: 'host',
      vendor: 'Intel',
      features: ['vmx'],
      topology: { sockets: 1, cores: 8, threads: 1, cells: 1 },
    },
  })
  const late = (await get(`${hypervisors}/${first.id}`, 88)).json.hypervisor
  assert.match(late.uptime, /^ \d\d:\d\d:\d\d up 1 days, 2:05, {2}0 users, {2}load average: 0.50, 0.25, 0.00$/)
  assert.deepEqual(Object.keys(late).sort(), [
    'host_ip',
    'hypervisor_hostname',
    'hypervisor_type',
    'hypervisor_version',
    'id',
    'service',
    'state',
    'status',
    'uptime',
  ])
})

test('hypervisors are searched, and tell their servers', async () => {
  const servers = [
    { uuid: 's1', name: 'vm' },
    { uuid: 's2', name: 'vm' },
  ]
  const names = (answer: { json: { hypervisors: { hypervisor_hostname: string }[] } }) =>
    answer.json.hypervisors.map(one => one.hypervisor_hostname)
  assert.deepEqual(names(await get(`${hypervisors}/HOST/search`)), ['host-1', 'host-2', 'host-3'])
  assert.equal((await get(`${hypervisors}/nothing/search`)).status, 404)
  assert.equal((await get(`${hypervisors}/host/search`, 53)).status, 404)
  assert.deepEqual((await get(`${hypervisors}/host-1/servers`)).json.hypervisors[0].servers, servers)
  const found = await get(`${hypervisors}?hypervisor_hostname_pattern=host-1&with_servers=true`, 53)
  assert.deepEqual(found.json.hypervisors[0].servers, servers)
  const second = async (at: number) => (await get(`${hypervisors}/detail?with_servers=1`, at)).json.hypervisors[1]
  assert.equal((await second(53)).servers, undefined)
  assert.deepEqual((await second(75)).servers, [])
  assert.equal((await get(`${hypervisors}?hypervisor_hostname_pattern=none`, 53)).status, 404)
  assert.equal((await get(`${hypervisors}?hypervisor_hostname_pattern=h&limit=1`, 53)).status, 400)
  assert.match((await get(`${hypervisors}?with_servers=maybe`, 53)).json.badRequest.message, /with_servers/)
})

test('hypervisors are paged, summed up, and tell their uptime', async () => {
  const one = await get(`${hypervisors}?limit=1`, 33)
  assert.match(one.json.hypervisors_links[0].href, /marker=1/)
  const rest = await get(`${hypervisors}?limit=2&marker=${first.id}`, 53)
  assert.equal(rest.json.hypervisors.length, 2)
  assert.equal(rest.json.hypervisors_links, undefined)
  assert.equal((await get(`${hypervisors}?marker=none`, 53)).status, 400)
  assert.equal((await get(`${hypervisors}?limit=1`, 32)).json.hypervisors.length, 3)
  const { hypervisor_statistics: sums } = (await get(`${hypervisors}/statistics`)).json
  assert.equal(sums.count, 3)
  assert.equal(sums.vcpus, 24)
  assert.equal(sums.running_vms, 2)
  assert.equal(Object.keys(sums).length, 12)
  assert.equal((await get(`${hypervisors}/statistics`, 88)).status, 404)
  assert.match((await get(`${hypervisors}/1/uptime`)).json.hypervisor.uptime, /up 1 days/)
  assert.equal((await get(`${hypervisors}/2/uptime`)).status, 501)
  assert.equal((await get(`${hypervisors}/3/uptime`)).status, 400)
  assert.equal((await get(`${hypervisors}/9`)).status, 404)
  assert.equal((await get(`${hypervisors}/none`)).status, 404)
  assert.equal((await get(`${hypervisors}/1`, 53)).status, 400)
})

test('zones follow from hosts and aggregates', async () => {
  await put(`${services}/disable`, { host: 'host-2', binary: 'nova-compute' })
  const reader = persona({ roles: ['reader'] })
  assert.deepEqual((await get('/v2.1/os-availability-zone', 1, reader)).json.availabilityZoneInfo, [
    { zoneName: 'nova', zoneState: { available: true }, hosts: null },
    { zoneName: 'east', zoneState: { available: false }, hosts: null },
  ])
  const [nova, east] = (await get('/v2.1/os-availability-zone/detail')).json.availabilityZoneInfo
  assert.equal(east.hosts, null)
  assert.equal(nova.hosts['host-1']['nova-compute'].available, true)
  assert.equal(nova.hosts['host-3']['nova-compute'].available, false)
})

test('a host is forgotten once it has no servers', async () => {
  const refused = await small.call('DELETE', `${services}/1`, { as: admin })
  assert.equal(refused.status, 409)
  assert.match(refused.json.conflictingRequest.message, /hosting instances/)
  assert.equal((await small.call('DELETE', `${services}/2`, { as: admin })).status, 204)
  assert.equal((await small.call('DELETE', `${services}/2`, { as: admin })).status, 404)
  assert.equal((await small.call('DELETE', `${services}/two`, { as: admin })).status, 400)
  const left = await small.store.db.selectFrom('aggregates').select('hosts').executeTakeFirstOrThrow()
  assert.equal(left.hosts, '[]')
})

test('hosts are for administrators', async () => {
  const calls: [string, string, number, object?][] = [
    ['GET', services, 1],
    ['PUT', `${services}/enable`, 1, { host: 'host-1', binary: 'nova-compute' }],
    ['PUT', `${services}/${first.id}`, 53, { status: 'enabled' }],
    ['DELETE', `${services}/1`, 1],
    ['GET', hypervisors, 1],
    ['GET', `${hypervisors}/detail`, 1],
    ['GET', `${hypervisors}/1`, 1],
    ['GET', `${hypervisors}/statistics`, 1],
    ['GET', `${hypervisors}/1/uptime`, 1],
    ['GET', `${hypervisors}/host/search`, 1],
    ['GET', `${hypervisors}/host/servers`, 1],
    ['GET', '/v2.1/os-availability-zone/detail', 1],
  ]
  for (const role of ['reader', 'member', 'manager'])
    for (const [method, path, at, body] of calls)
      assert.equal(
        (await small.call(method, path, { as: persona({ roles: [role] }), body, at })).status,
        403,
        `${role} ${method} ${path}`,
      )
})
