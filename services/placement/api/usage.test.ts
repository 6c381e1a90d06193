import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { idOf, persona } from '@strata/toolkit/testing'
import { holding, refused, usePlacement } from './fixture.test.ts'

const fixture = usePlacement()
const { ask, must, provider } = fixture

test('usages of a project, by class and since 1.38 by consumer type', async () => {
  const uuid = await provider({ inventories: { VCPU: { total: 100 }, DISK_GB: { total: 100 } } })
  const claim = (user_id: string, resources: Record<string, number>, more: object) =>
    must(204, 'PUT', `/allocations/${randomUUID()}`, holding({ [uuid]: resources }, { user_id, ...more }))
  await claim('ann', { VCPU: 1, DISK_GB: 5 }, {})
  await claim('bob', { VCPU: 2 }, {})
  await claim('bob', { VCPU: 4 }, { consumer_type: 'MIGRATION' })
  const untold = { ...holding({ [uuid]: { DISK_GB: 7 } }), consumer_type: undefined }
  await must(204, 'PUT', `/allocations/${randomUUID()}`, untold, 37)
  const usages = async (query: string, minor?: number) =>
    (await must(200, 'GET', `/usages?${query}`, undefined, minor)).json.usages
  assert.deepEqual(await usages('project_id=project', 9), { DISK_GB: 12, VCPU: 7 })
  assert.deepEqual(await usages('project_id=project&user_id=bob', 37), { VCPU: 6 })
  assert.deepEqual(await usages('project_id=project'), {
    INSTANCE: { consumer_count: 2, DISK_GB: 5, VCPU: 3 },
    MIGRATION: { consumer_count: 1, VCPU: 4 },
    unknown: { consumer_count: 1, DISK_GB: 7 },
  })
  assert.deepEqual(await usages('project_id=project&consumer_type=all'), {
    all: { consumer_count: 4, DISK_GB: 12, VCPU: 7 },
  })
  assert.deepEqual(await usages('project_id=project&consumer_type=unknown'), {
    unknown: { consumer_count: 1, DISK_GB: 7 },
  })
  assert.deepEqual(await usages('project_id=project&consumer_type=MIGRATION&user_id=ann'), {})
  const { json } = await must(200, 'GET', `/resource_providers/${uuid}/usages`)
  assert.deepEqual(json.usages, { DISK_GB: 12, VCPU: 7 })
})

test('bad queries are refused by the name of the parameter', async () => {
  refused(await ask('GET', '/usages'), 400, /project_id is required/)
  refused(await ask('GET', `/usages?project_id=${'x'.repeat(256)}`), 400, /project_id/)
  refused(await ask('GET', '/usages?project_id=p&user_id='), 400, /user_id/)
  refused(await ask('GET', '/usages?project_id=p&consumer_type=instance'), 400, /consumer_type/)
  refused(await ask('GET', '/usages?project_id=p&consumer_type=all', undefined, 37), 400, /consumer_type/)
  refused(await ask('GET', '/usages?project_id=p&colour=red'), 400, /colour/)
  assert.equal((await ask('GET', '/usages?project_id=p', undefined, 8)).status, 404)
  refused(await ask('GET', `/resource_providers/${randomUUID()}/usages`), 404, /No resource provider/)
})

test('a reader sees the usages of the own project alone', async () => {
  const as = persona({ roles: ['reader'], project: 'alpha' })
  const own = idOf('alpha')
  const headers = { 'openstack-api-version': 'placement 1.39' }
  const look = (project: string) => fixture.service.request('GET', `/usages?project_id=${project}`, { as, headers })
  assert.equal((await look(own)).status, 200)
  assert.equal((await look('another')).status, 403)
})
