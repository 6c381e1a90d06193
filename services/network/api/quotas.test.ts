import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { idOf, persona } from '@strata/toolkit/testing'
import { admin, type Fixture, startNetwork } from './fixture.test.ts'

describe('quotas, agents, zones', () => {
  let f: Fixture
  before(async () => {
    f = await startNetwork()
  })
  after(() => f.close())

  const set = (project: string, quota: object, as = admin) => f.call('PUT', `quotas/${idOf(project)}`, { quota }, as)

  test('limits are shown, set, and forgotten', async () => {
    const manager = persona({ roles: ['manager'] })
    assert.deepEqual((await f.call('GET', `quotas/${idOf('alpha')}`, undefined, manager)).json.quota, {
      floatingip: 50,
      network: 100,
      port: 500,
      rbac_policy: 10,
      router: 10,
      security_group: 10,
      security_group_rule: 100,
      subnet: 100,
    })
    assert.equal((await set('q', { network: 3 })).json.quota.network, 3)
    const listed = (await f.call('GET', 'quotas', undefined, admin)).json.quotas
    assert.deepEqual(
      listed.map((one: { project_id: string; network: number }) => [one.project_id, one.network]),
      [[idOf('q'), 3]],
    )
    await f.make('network', {}, persona({ project: 'q' }))
    const details = (await f.call('GET', `quotas/${idOf('q')}/details.json`, undefined, admin)).json.quota
    assert.deepEqual(details.network, { limit: 3, used: 1, reserved: 0 })
    assert.equal((await f.call('GET', `quotas/${idOf('q')}/default`, undefined, admin)).json.quota.network, 100)
    assert.equal((await f.call('DELETE', `quotas/${idOf('q')}`, undefined, admin)).status, 204)
    assert.equal((await f.call('GET', `quotas/${idOf('q')}`, undefined, admin)).json.quota.network, 100)
    await f.refused(set('q', { pigeons: 3 }), 404, 'QuotaResourceUnknown')
    for (const wrong of ['x', -2, 1.5, null])
      assert.match(await f.refused(set('q', { network: wrong }), 400), /network/)
    await f.refused(set('alpha', { network: 1 }, persona()), 403, 'PolicyNotAuthorized')
    await f.refused(f.call('GET', `quotas/${idOf('q')}`, undefined, manager), 403, 'PolicyNotAuthorized')
  })

  test('what does not fit is refused by its name, also when all come at once', async () => {
    const as = persona({ project: 'race' })
    await set('race', { network: 5, port: 7, security_group: 3 })
    const answers = await Promise.all(Array.from({ length: 12 }, () => f.call('POST', 'networks', { network: {} }, as)))
    assert.equal(answers.filter(answer => answer.status === 201).length, 5)
    const refused = answers.find(answer => answer.status === 409)!
    assert.deepEqual(
      [refused.json.NeutronError.type, refused.json.NeutronError.message],
      ['OverQuota', "Quota exceeded for resources: ['network']."],
    )
    const network = answers.find(answer => answer.status === 201)!.json.network
    const ports = await Promise.all(
      Array.from({ length: 20 }, () => f.call('POST', 'ports', { port: { network_id: network.id } }, as)),
    )
    assert.equal(ports.filter(answer => answer.status === 201).length, 7)
    const bulk = await f.call(
      'POST',
      'security-groups',
      { security_groups: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] },
      as,
    )
    assert.equal(bulk.json.NeutronError.type, 'OverQuota')
    await set('race', { network: -1 })
    assert.equal((await f.call('POST', 'networks', { network: {} }, as)).status, 201)
  })

  test('agents are the data plane’s', async () => {
    const { agents } = (await f.call('GET', 'agents', undefined, admin)).json
    assert.ok(agents.length >= 2 && agents.every((agent: { alive: boolean }) => agent.alive))
    const { id } = agents[0]
    const note = await f.call('PUT', `agents/${id}`, { agent: { admin_state_up: false, description: 'mends' } }, admin)
    assert.deepEqual([note.json.agent.admin_state_up, note.json.agent.description], [false, 'mends'])
    assert.equal((await f.call('GET', `agents/${id}`, undefined, admin)).json.agent.description, 'mends')
    await f.refused(f.call('DELETE', `agents/${id}`, undefined, admin), 400, 'BadRequest')
    await f.refused(f.call('DELETE', `agents/${idOf('none')}`, undefined, admin), 404, 'AgentNotFound')
    await f.refused(f.call('DELETE', `agents/${id}`), 403, 'PolicyNotAuthorized')
    const host1 = (await f.call('GET', 'agents?host=host1&alive=true', undefined, admin)).json.agents
    assert.ok(host1.length > 0 && host1.every((agent: { host: string }) => agent.host === 'host1'))
    assert.deepEqual((await f.call('GET', 'agents')).json.agents, [])
    await f.refused(f.call('GET', `agents/${id}`), 403, 'PolicyNotAuthorized')
    await f.refused(f.call('GET', 'agents/none', undefined, admin), 404, 'AgentNotFound')
    await f.refused(f.call('PUT', `agents/${id}`, { agent: { host: 'x' } }, admin), 400)
  })

  test('availability zones', async () => {
    const { availability_zones } = (await f.call('GET', 'availability_zones')).json
    assert.deepEqual(availability_zones, [
      { name: 'nova', resource: 'network', state: 'available' },
      { name: 'nova', resource: 'router', state: 'available' },
    ])
    assert.deepEqual((await f.make('network', { availability_zone_hints: ['nova'] })).availability_zones, ['nova'])
    await f.refused(
      f.call('POST', 'routers', { router: { availability_zone_hints: ['mars'] } }),
      404,
      'AvailabilityZoneNotFound',
    )
  })
})
