/** Who may do what: each operation as each kind of caller. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { idOf, persona } from '@strata/toolkit/testing'
import { admin, type Fixture, startNetwork } from './fixture.test.ts'

const callers = {
  admin: persona({ roles: ['admin'], project: 'ops' }),
  manager: persona({ roles: ['manager'] }),
  member: persona({ roles: ['member'] }),
  reader: persona({ roles: ['reader'] }),
  service: persona({ roles: ['service'], project: 'service' }),
  stranger: persona({ roles: ['manager'], project: 'beta' }),
  nobody: persona({ roles: ['guest'] }),
  system: persona({ roles: ['admin'], system: true }),
} as const
type Caller = keyof typeof callers

/** Status by caller, in the order of `callers`. */
type Expected = readonly [number, number, number, number, number, number, number, number]

describe('policy', () => {
  let f: Fixture
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API shows
  let ids: any
  before(async () => {
    f = await startNetwork({ default_quotas: { network: -1, router: -1, security_group: -1, security_group_rule: -1 } })
    const { network, subnet } = await f.inside('10.90.0.0/16')
    const external = await f.external('ext', '172.26.0.0/24')
    const group = await f.make('security_group', { name: 'g' })
    ids = {
      network: network.id,
      subnet: subnet.id,
      external: external.network.id,
      port: (await f.make('port', { network_id: network.id })).id,
      router: (await f.make('router', {})).id,
      floatingip: (await f.make('floatingip', { floating_network_id: external.network.id })).id,
      security_group: group.id,
      security_group_rule: group.security_group_rules[0].id,
    }
  })
  after(() => f.close())

  const check = async (what: string, ask: (as: string) => Promise<number>, expected: Expected) => {
    const got: Record<string, number> = {}
    for (const name of Object.keys(callers) as Caller[]) got[name] = await ask(callers[name])
    const wanted = Object.fromEntries(Object.keys(callers).map((name, at) => [name, expected[at]]))
    assert.deepEqual(got, wanted, what)
  }
  const get = (path: string) => async (as: string) => (await f.call('GET', path, undefined, as)).status
  const put = (path: string, body: object) => async (as: string) => (await f.call('PUT', path, body, as)).status
  const post = (path: string, body: () => object) => async (as: string) =>
    (await f.call('POST', path, body(), as)).status
  /** Makes one as its owner, and lets the caller delete it. */
  const drop = (kind: string, body: () => object) => async (as: string) => {
    const made = await f.make(kind, body())
    const path = `${kind.replaceAll('_', '-')}s/${made.id}`
    const { status } = await f.call('DELETE', path, undefined, as)
    if (status !== 204) await f.call('DELETE', path, undefined, admin)
    return status
  }
  const project = () => ({ project_id: idOf('alpha') })

  test('see', async () => {
    //                 admin manager member reader service stranger nobody system
    await check('network', get(`networks/${ids.network}`), [200, 200, 200, 200, 200, 404, 404, 404])
    await check('external', get(`networks/${ids.external}`), [200, 200, 200, 200, 200, 200, 200, 404])
    await check('subnet', get(`subnets/${ids.subnet}`), [200, 200, 200, 200, 200, 404, 404, 404])
    await check('port', get(`ports/${ids.port}`), [200, 200, 200, 200, 200, 404, 404, 404])
    await check('router', get(`routers/${ids.router}`), [200, 200, 200, 200, 404, 404, 404, 404])
    await check('floatingip', get(`floatingips/${ids.floatingip}`), [200, 200, 200, 200, 404, 404, 404, 404])
    await check('group', get(`security-groups/${ids.security_group}`), [200, 200, 200, 200, 404, 404, 404, 404])
    await check(
      'rule',
      get(`security-group-rules/${ids.security_group_rule}`),
      [200, 200, 200, 200, 404, 404, 404, 404],
    )
    await check('quota', get(`quotas/${idOf('alpha')}`), [200, 200, 403, 403, 403, 403, 403, 403])
  })

  test('lists hold what may be seen, and nothing else', async () => {
    const kinds = ['networks', 'subnets', 'ports', 'routers', 'floatingips', 'security-groups', 'security-group-rules']
    const count = async (kind: string, as: string) => {
      const { status, json } = await f.call('GET', kind, undefined, as)
      assert.equal(status, 200)
      return json[kind.replaceAll('-', '_')].length as number
    }
    for (const kind of kinds) {
      const all = await count(kind, callers.admin)
      const own = await count(kind, callers.member)
      assert.ok(own > 0 && all >= own, kind)
      assert.equal(await count(kind, callers.reader), own, kind)
      const outside = kind === 'networks' ? 1 : 0
      assert.equal(await count(kind, callers.nobody), outside, kind)
      assert.equal(await count(kind, callers.system), 0, kind)
    }
  })

  test('make', async () => {
    await check(
      'network',
      post('networks', () => ({ network: project() })),
      [201, 201, 201, 403, 403, 403, 403, 403],
    )
    let nth = 0
    const subnet = () => ({
      subnet: { network_id: ids.network, ip_version: 4, cidr: `10.${100 + nth++}.0.0/24`, enable_dhcp: false },
    })
    await check('subnet', post('subnets', subnet), [201, 201, 201, 403, 403, 404, 404, 404])
    const port = () => ({ port: { network_id: ids.network, ...project() } })
    await check('port', post('ports', port), [201, 201, 201, 403, 201, 404, 404, 404])
    await check(
      'router',
      post('routers', () => ({ router: project() })),
      [201, 201, 201, 403, 403, 403, 403, 403],
    )
    const fip = () => ({ floatingip: { floating_network_id: ids.external, ...project() } })
    await check('floatingip', post('floatingips', fip), [201, 201, 201, 403, 403, 403, 403, 403])
    const group = () => ({ security_group: { name: 'x', ...project() } })
    await check('group', post('security-groups', group), [201, 201, 201, 403, 403, 403, 403, 403])
    const rule = () => ({
      security_group_rule: {
        security_group_id: ids.security_group,
        direction: 'ingress',
        protocol: 'udp',
        port_range_min: ++nth,
        port_range_max: nth,
      },
    })
    await check('rule', post('security-group-rules', rule), [201, 201, 201, 403, 404, 404, 403, 403])
  })

  test('change', async () => {
    const named = (kind: string) => ({ [kind]: { description: 'changed' } })
    const cases: [string, string, Expected][] = [
      ['network', 'networks', [200, 200, 200, 403, 403, 404, 404, 404]],
      ['subnet', 'subnets', [200, 200, 200, 403, 403, 404, 404, 404]],
      ['port', 'ports', [200, 200, 200, 403, 200, 404, 404, 404]],
      ['router', 'routers', [200, 200, 200, 403, 404, 404, 404, 404]],
      ['floatingip', 'floatingips', [200, 200, 200, 403, 404, 404, 404, 404]],
      ['security_group', 'security-groups', [200, 200, 200, 403, 404, 404, 404, 404]],
    ]
    for (const [kind, path, expected] of cases) await check(kind, put(`${path}/${ids[kind]}`, named(kind)), expected)
    await check(
      'quota',
      put(`quotas/${idOf('alpha')}`, { quota: { router: 99 } }),
      [200, 403, 403, 403, 403, 403, 403, 403],
    )
    await check('tags', put(`networks/${ids.network}/tags`, { tags: ['a'] }), [200, 200, 200, 403, 403, 404, 404, 404])
    const binding = { port: { 'binding:host_id': 'host1' } }
    await check('binding', put(`ports/${ids.port}`, binding), [200, 200, 200, 403, 200, 404, 404, 404])
    const moved = { port: { 'binding:host_id': 'host2' } }
    await check('moving', put(`ports/${ids.port}`, moved), [200, 200, 200, 403, 200, 404, 404, 404])
  })

  test('delete', async () => {
    await check(
      'network',
      drop('network', () => ({})),
      [204, 204, 204, 403, 403, 404, 404, 404],
    )
    await check(
      'port',
      drop('port', () => ({ network_id: ids.network })),
      [204, 204, 204, 403, 204, 404, 404, 404],
    )
    await check(
      'router',
      drop('router', () => ({})),
      [204, 204, 204, 403, 404, 404, 404, 404],
    )
    await check(
      'group',
      drop('security_group', () => ({ name: 'd' })),
      [204, 204, 204, 403, 404, 404, 404, 404],
    )
  })
})
