import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { idOf, persona } from '@strata/toolkit/testing'
import { migrationOperations } from './migrations.ts'
import { type Small, serverRow, startSmall } from './small.test.ts'
import { usageOperations } from './usage.ts'

const admin = persona({ roles: ['admin'], project: 'ops' })
const reader = persona({ roles: ['reader'] })
const alpha = idOf('alpha')
const path = '/v2.1/os-simple-tenant-usage'
let small: Small
before(async () => {
  small = await startSmall(parts => [...usageOperations(parts), ...migrationOperations()])
  const rows = [
    serverRow({ id: 's1', project_id: alpha }),
    serverRow({ id: 's2', project_id: alpha, launched_at: '2026-01-01T12:00:00.000Z' }),
    serverRow({ id: 's3', project_id: 'other' }),
    serverRow({ id: 's4', project_id: alpha, launched_at: null }),
  ]
  for (const row of rows) await small.store.db.insertInto('servers').values(row).execute()
})
after(() => small.close())

const day = 'start=2026-01-01T00:00:00&end=2026-01-02T00:00:00'

test('use is hours times size', async () => {
  const { tenant_usage: usage } = (await small.call('GET', `${path}/${alpha}?${day}`, { as: reader })).json
  const { server_usages, ...sums } = usage
  assert.deepEqual(sums, {
    tenant_id: alpha,
    total_hours: 36,
    total_vcpus_usage: 36,
    total_memory_mb_usage: 36 * 512,
    total_local_gb_usage: 36,
    start: '2026-01-01T00:00:00.000000',
    stop: '2026-01-02T00:00:00.000000',
  })
  const { uptime, ...second } = server_usages[1]
  assert.ok(uptime > 0)
  assert.deepEqual(second, {
    instance_id: 's2',
    name: 'vm',
    tenant_id: alpha,
    flavor: 'm1',
    vcpus: 1,
    memory_mb: 512,
    local_gb: 1,
    hours: 12,
    state: 'active',
    started_at: '2026-01-01T12:00:00.000000',
    ended_at: null,
  })
  const none = await small.call('GET', `${path}/nobody?${day}`, { as: admin })
  assert.deepEqual(none.json, { tenant_usage: {} })
})

test('lists are of all projects, in pages of servers since 2.40', async () => {
  const list = (query: string, at: number) => small.call('GET', `${path}?${day}${query}`, { as: admin, at })
  const all = (await list('', 1)).json.tenant_usages
  assert.deepEqual(
    all.map((one: { tenant_id: string }) => one.tenant_id),
    [alpha, 'other'],
  )
  assert.equal(all[0].server_usages, undefined)
  assert.equal((await list('&detailed=1', 1)).json.tenant_usages[0].server_usages.length, 2)
  assert.equal((await list('&limit=1', 39)).json.tenant_usages.length, 2)
  const first = (await list('&limit=1&detailed=1', 40)).json
  assert.equal(first.tenant_usages[0].server_usages.length, 1)
  assert.match(first.tenant_usages_links[0].href, /marker=s1/)
  const rest = (await list('&marker=s1', 40)).json
  assert.equal(rest.tenant_usages.length, 2)
  assert.equal(rest.tenant_usages_links, undefined)
})

test('bad input names the field', async () => {
  for (const [query, message] of [
    ['start=yesterday', /start/],
    ['end=2026-13-01T00:00:00', /end/],
    ['start=2026-01-02T00:00:00&end=2026-01-01T00:00:00', /start time/],
    ['marker=nowhere', /nowhere/],
    ['limit=x', /limit/],
    ['colour=red', /colour/],
  ] as const) {
    const answer = await small.call('GET', `${path}?${query}`, { as: admin, at: 75 })
    assert.equal(answer.status, 400, query)
    assert.match(answer.json.badRequest.message, message)
  }
})

test('who may: readers see their own project, administrators all', async () => {
  assert.equal((await small.call('GET', path, { as: reader })).status, 403)
  assert.equal((await small.call('GET', `${path}/other`, { as: reader })).status, 403)
  assert.equal((await small.call('GET', `${path}/other`, { as: admin })).status, 200)
})

test('no server was moved', async () => {
  const get = (as: string, query = '', at = 1) => small.call('GET', `/v2.1/os-migrations${query}`, { as, at })
  const manager = persona({ roles: ['manager'] })
  assert.deepEqual((await get(manager)).json, { migrations: [] })
  assert.equal((await get(manager, '?host=a')).status, 403)
  assert.equal((await get(admin, '?host=a')).status, 200)
  assert.equal((await get(reader)).status, 403)
  assert.equal((await get(admin, '?colour=red', 59)).status, 400)
})
