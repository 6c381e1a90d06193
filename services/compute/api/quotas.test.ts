import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { idOf, persona } from '@strata/toolkit/testing'
import { computeConfig } from '../contract/config.ts'
import { checkMetadataItems, checkQuota, fittingServers } from '../logic/quota.ts'
import { quotaOperations } from './quotas.ts'
import { type Small, serverRow, startSmall } from './small.test.ts'

const admin = persona({ roles: ['admin'], project: 'ops' })
const reader = persona({ roles: ['reader'] })
const stranger = persona({ roles: ['member'], project: 'beta' })
const alpha = idOf('alpha')
const set = `/v2.1/os-quota-sets/${alpha}`
let small: Small
before(async () => {
  small = await startSmall(quotaOperations, { quota_instances: 4, quota_cores: 6, quota_ram: 2048 })
  for (const id of ['s1', 's2'])
    await small.store.db
      .insertInto('servers')
      .values(serverRow({ id, project_id: alpha, user_id: id }))
      .execute()
})
after(() => small.close())

const put = (body: object, query = '', at = 1) =>
  small.call('PUT', `${set}${query}`, { as: admin, body: { quota_set: body }, at })

const check = (requested: object, owner: object = {}) =>
  small.store.transaction(tx =>
    checkQuota(tx, small.environment.config.section(computeConfig), { projectId: alpha, ...owner }, requested),
  )

test('a quota set has what its version has', async () => {
  const names = async (path: string, at: number) =>
    Object.keys((await small.call('GET', path, { as: admin, at })).json.quota_set)
  assert.equal((await names(set, 35)).length, 15)
  assert.equal((await names(set, 36)).length, 11)
  assert.equal((await names(set, 57)).length, 8)
  assert.deepEqual(await names(`${set}/detail`, 57), await names(`${set}/defaults`, 57))
  const classOf = async (at: number) =>
    Object.keys((await small.call('GET', '/v2.1/os-quota-class-sets/default', { as: admin, at })).json.quota_class_set)
  assert.deepEqual([(await classOf(49)).length, (await classOf(50)).length, (await classOf(57)).length], [13, 11, 8])
})

test('use is counted from the servers', async () => {
  const { quota_set } = (await small.call('GET', `${set}/detail`, { as: reader, at: 57 })).json
  assert.deepEqual(quota_set.instances, { limit: 4, in_use: 2, reserved: 0 })
  assert.deepEqual(quota_set.ram, { limit: 2048, in_use: 1024, reserved: 0 })
  const ofUser = (await small.call('GET', `${set}/detail?user_id=s1`, { as: reader })).json.quota_set
  assert.equal(ofUser.instances.in_use, 1)
})

test('limits tell the same', async () => {
  const read = async (at: number, as = reader, query = '') =>
    (await small.call('GET', `/v2.1/limits${query}`, { as, at })).json.limits
  const { absolute, rate } = await read(1)
  assert.deepEqual(rate, [])
  assert.equal(Object.keys(absolute).length, 19)
  assert.equal(absolute.maxTotalInstances, 4)
  assert.equal(absolute.totalCoresUsed, 2)
  assert.equal(Object.keys((await read(36)).absolute).length, 14)
  assert.equal(Object.keys((await read(39)).absolute).length, 13)
  assert.equal(Object.keys((await read(57)).absolute).length, 11)
  assert.equal((await read(57, admin, `?tenant_id=${alpha}`)).absolute.totalInstancesUsed, 2)
  assert.equal((await small.call('GET', `/v2.1/limits?tenant_id=${alpha}`, { as: stranger })).status, 403)
  assert.equal((await small.call('GET', `/v2.1/limits?tenant_id=${alpha}`, { as: reader })).status, 200)
})

test('limits are set for projects and users, and taken back', async () => {
  assert.equal((await put({ instances: 3, cores: '5' })).json.quota_set.cores, 5)
  const below = await put({ instances: 1 })
  assert.equal(below.status, 400)
  assert.match(below.json.badRequest.message, /Quota limit 1 for instances must be greater than or equal to already/)
  assert.equal((await put({ instances: 1, force: 'true' })).json.quota_set.instances, 1)
  await put({ instances: 3 })
  const above = await put({ instances: 4 }, '?user_id=s1')
  assert.match(above.json.badRequest.message, /instances must be less than or equal to 3/)
  assert.equal((await put({ instances: 2 }, '?user_id=s1')).json.quota_set.instances, 2)
  const shown = async (query = '') =>
    (await small.call('GET', `${set}${query}`, { as: reader })).json.quota_set.instances
  assert.deepEqual([await shown(), await shown('?user_id=s1'), await shown('?user_id=s2')], [3, 2, 3])
  assert.equal((await small.call('DELETE', `${set}?user_id=s1`, { as: admin })).status, 202)
  assert.deepEqual([await shown(), await shown('?user_id=s1')], [3, 3])
  assert.equal((await small.call('DELETE', set, { as: admin })).status, 202)
  assert.equal(await shown(), 4)
})

test('the class default is what projects without limits of their own have', async () => {
  const path = '/v2.1/os-quota-class-sets/default'
  const changed = await small.call('PUT', path, { as: admin, body: { quota_class_set: { key_pairs: 7 } } })
  assert.equal(changed.json.quota_class_set.key_pairs, 7)
  assert.equal((await small.call('GET', set, { as: reader })).json.quota_set.key_pairs, 7)
  assert.equal((await small.call('GET', `${set}/defaults`, { as: stranger })).json.quota_set.key_pairs, 7)
})

test('bad input names the field', async () => {
  const cases: [object, RegExp, number?][] = [
    [{ instances: -2 }, /instances/],
    [{ cores: 'many' }, /cores/],
    [{ cores: '-5' }, /cores/],
    [{ ram: 2 ** 31 }, /ram/],
    [{ networks: 1 }, /networks/],
    [{ floating_ips: 1 }, /floating_ips/, 36],
    [{ injected_files: 1 }, /injected_files/, 57],
    [{ force: 'maybe' }, /force/],
  ]
  for (const [body, message, at] of cases) {
    const answer = await put(body, '', at)
    assert.equal(answer.status, 400, JSON.stringify(body))
    assert.match(answer.json.badRequest.message, message)
  }
})

test('who may: readers of the project read, administrators write', async () => {
  const body = { quota_set: { cores: 1 } }
  const allowed = async (as: string) => ({
    show: (await small.call('GET', set, { as })).status,
    detail: (await small.call('GET', `${set}/detail`, { as })).status,
    defaults: (await small.call('GET', `${set}/defaults`, { as })).status,
    update: (await small.call('PUT', set, { as, body })).status,
    remove: (await small.call('DELETE', set, { as })).status,
    class: (await small.call('GET', '/v2.1/os-quota-class-sets/default', { as })).status,
    updateClass: (await small.call('PUT', '/v2.1/os-quota-class-sets/default', { as, body: { quota_class_set: {} } }))
      .status,
  })
  const refused = { update: 403, remove: 403, class: 403, updateClass: 403 }
  assert.deepEqual(await allowed(reader), { show: 200, detail: 200, defaults: 200, ...refused })
  assert.deepEqual(await allowed(persona({ roles: ['manager'] })), {
    show: 200,
    detail: 200,
    defaults: 200,
    ...refused,
  })
  assert.deepEqual(await allowed(stranger), { show: 403, detail: 403, defaults: 200, ...refused })
})

test('what does not fit is refused with numbers', async () => {
  await put({ instances: 2, cores: 3, ram: -1 }, '')
  await check({ instances: 0, cores: 1 })
  await assert.rejects(check({ instances: 1, cores: 1, ram: 99_999 }), {
    status: 403,
    message: 'Quota exceeded for instances: Requested 1, but already used 2 of 2 instances',
  })
  await assert.rejects(check({ instances: 1, cores: 2, ram: 1 }), {
    message: 'Quota exceeded for cores, instances: Requested 2, 1, but already used 2, 2 of 3, 2 cores, instances',
  })
  await put({ instances: -1, cores: -1 }, '')
  await put({ cores: 1 }, '?user_id=s1')
  await assert.rejects(check({ cores: 1 }, { userId: 's1' }), /Requested 1, but already used 1 of 1 cores/)
  await check({ cores: 1 }, { userId: 's2' })
})

test('as many servers as fit are let through', async () => {
  await put({ instances: 5, cores: 7, ram: -1 }, '')
  const fit = (min: number, max: number, userId?: string) =>
    small.store.transaction(tx =>
      fittingServers(
        tx,
        small.environment.config.section(computeConfig),
        { projectId: alpha, userId },
        { each: { instances: 1, cores: 2, ram: 64 }, min, max },
      ),
    )
  assert.equal(await fit(1, 10), 2)
  assert.equal(await fit(2, 2), 2)
  await assert.rejects(fit(3, 10), /Quota exceeded for cores: Requested 6, but already used 2 of 7 cores/)
  await assert.rejects(fit(1, 1, 's1'), /Requested 2, but already used 1 of 1 cores/)
})

test('a server may have so many metadata items', async () => {
  const config = small.environment.config.section(computeConfig)
  await checkMetadataItems(small.store.db, config, { projectId: alpha }, 128)
  await assert.rejects(checkMetadataItems(small.store.db, config, { projectId: alpha }, 129), {
    status: 403,
    message: 'Maximum number of metadata items exceeds 128',
  })
})
