/** The proxy APIs, in front of image and network services that are maps. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Fault } from '@strata/toolkit/fault'
import { uuidFromName } from '@strata/toolkit/runtime'
import { idOf } from '@strata/toolkit/testing'
import type { CallerSecurityGroup, CallerSecurityRule } from '../logic/ports/caller.ts'
import type { ProxiedFloatingIp, ProxiedImage, Proxies } from '../logic/ports/proxies.ts'
import { admin, member, reader } from './cloud.test.ts'
import { proxiedFloatingIpOperations } from './proxied-floating-ips.ts'
import { proxiedImageOperations } from './proxied-images.ts'
import { securityGroupOperations } from './security-groups.ts'
import { type Small, startSmall } from './small.test.ts'

const missing = () => new Fault({ status: 404, code: 'Refused', message: 'not there' })
const need = <T>(map: ReadonlyMap<string, T>, id: string): T => {
  const found = map.get(id)
  if (found === undefined) throw missing()
  return found
}
const drop = (map: Map<string, unknown>, id: string) => {
  if (!map.delete(id)) throw missing()
}

function world() {
  const image = (name: string, change: Partial<ProxiedImage> = {}): ProxiedImage => ({
    id: uuidFromName(name),
    name,
    status: 'active',
    size: 7,
    virtualSize: null,
    minDisk: 1,
    minRam: 2,
    properties: {},
    createdAt: '2026-01-02T03:04:05Z',
    updatedAt: '2026-01-02T03:04:06Z',
    ...change,
  })
  const group = (name: string, project: string): CallerSecurityGroup => ({
    id: uuidFromName(name),
    name,
    description: '',
    projectId: idOf(project),
    rules: [],
  })
  const all = <T extends { readonly id: string }>(...rows: readonly T[]) => new Map(rows.map(row => [row.id, row]))
  return {
    asked: [] as object[],
    images: all(image('one', { properties: { a: '1', instance_uuid: uuidFromName('vm') } }), image('two')),
    groups: all(group('default', 'alpha'), group('web', 'alpha'), group('theirs', 'beta')),
    rules: new Map<string, CallerSecurityRule>(),
    floating: new Map<string, ProxiedFloatingIp>(),
  }
}

function proxiesOf(w: ReturnType<typeof world>): Proxies {
  const save = <T extends { readonly id: string }>(map: Map<string, T>, row: T): T => {
    map.set(row.id, row)
    return row
  }
  return {
    async images(page) {
      w.asked.push(page)
      const after = page.marker === undefined ? 0 : [...w.images.keys()].indexOf(page.marker) + 1
      const images = [...w.images.values()].slice(after, after + page.limit)
      return { images, more: after + images.length < w.images.size }
    },
    image: async id => need(w.images, id),
    removeImage: async id => drop(w.images, id),
    async changeImage(id, change) {
      const properties = { ...need(w.images, id).properties }
      for (const [name, value] of Object.entries(change))
        if (value === undefined) delete properties[name]
        else properties[name] = value
      return save(w.images, { ...need(w.images, id), properties })
    },
    securityGroups: async projectId =>
      [...w.groups.values()].filter(group => projectId === undefined || group.projectId === projectId),
    securityGroup: async id => need(w.groups, id),
    createSecurityGroup: async given =>
      save(w.groups, { ...given, id: uuidFromName(given.name), projectId: idOf('alpha'), rules: [] }),
    updateSecurityGroup: async (id, given) => save(w.groups, { ...need(w.groups, id), ...given }),
    removeSecurityGroup: async id => drop(w.groups, id),
    async createRule({ groupId, ...rule }) {
      const made = save<CallerSecurityRule>(w.rules, {
        ...rule,
        id: uuidFromName(`rule ${w.rules.size}`),
        direction: 'ingress',
      })
      const group = need(w.groups, groupId)
      save(w.groups, { ...group, rules: [...group.rules, made] })
      return made
    },
    removeRule: async id => drop(w.rules, id),
    pools: async () => [{ id: uuidFromName('public'), name: 'public' }],
    floatingIps: async () => [...w.floating.values()],
    floatingIp: async id => need(w.floating, id),
    createFloatingIp: async networkId =>
      save(w.floating, {
        id: uuidFromName('fip'),
        address: '203.0.113.7',
        portId: uuidFromName('port'),
        networkId,
        fixedAddress: '10.0.0.3',
      }),
    removeFloatingIp: async id => drop(w.floating, id),
    serversOf: async ids => new Map(ids.map(id => [id, uuidFromName('vm')])),
  }
}

describe('proxy APIs', () => {
  let small: Small
  const w = world()
  before(async () => {
    const proxies = () => proxiesOf(w)
    small = await startSmall(parts => [
      ...proxiedImageOperations({ ...parts, proxies }),
      ...securityGroupOperations({ ...parts, proxies }),
      ...proxiedFloatingIpOperations({ proxies }),
    ])
  })
  after(() => small.close())
  const call = (method: string, path: string, body?: object, as = member, at = 1) =>
    small.call(method, `/v2.1/${path}`, { as, body, at })
  const status = async (...about: Parameters<typeof call>) => (await call(...about)).status

  test('images are listed in pages, shown and deleted', async () => {
    const [one, two] = [uuidFromName('one'), uuidFromName('two')]
    const query = 'status=SAVING&name=x&minRam=5&changes-since=2026-01-01T00:00:00Z&property-os=linux&unknown=1'
    await call('GET', `images/detail?${query}&server=http://x/servers/77`)
    assert.deepEqual(w.asked.at(-1), {
      filters: {
        status: 'in:queued,saving',
        name: 'x',
        min_ram: '5',
        updated_at: 'gte:2026-01-01T00:00:00Z',
        os: 'linux',
        instance_uuid: '77',
      },
      limit: 1000,
      marker: undefined,
    })
    const { images, images_links } = (await call('GET', 'images?limit=1')).json
    assert.match(images_links[0].href, new RegExp(`limit=1&marker=${one}$`))
    assert.equal((await call('GET', `images?limit=1&marker=${one}`)).json.images_links, undefined)
    assert.deepEqual([images.length, Object.keys(images[0]), images_links.length], [1, ['id', 'name', 'links'], 1])
    const { links, server, ...shown } = (await call('GET', `images/${one}`)).json.image
    assert.deepEqual(shown, {
      id: one,
      name: 'one',
      status: 'ACTIVE',
      progress: 100,
      created: '2026-01-02T03:04:05Z',
      updated: '2026-01-02T03:04:06Z',
      minDisk: 1,
      minRam: 2,
      metadata: { a: '1', instance_uuid: uuidFromName('vm') },
      'OS-EXT-IMG-SIZE:size': 7,
    })
    assert.deepEqual([links.length, server.id], [3, uuidFromName('vm')])
    assert.equal(await status('DELETE', `images/${two}`), 204)
    assert.equal(await status('DELETE', `images/${two}`), 404)
    assert.equal(await status('GET', 'images', undefined, member, 36), 404)
  })

  test("an image's metadata is its properties", async () => {
    const path = `images/${uuidFromName('one')}/metadata`
    const all = async () => (await call('GET', path)).json.metadata
    assert.equal((await call('POST', path, { metadata: { b: '2' } })).json.metadata.b, '2')
    assert.deepEqual((await call('PUT', path, { metadata: { c: '3' } })).json.metadata, { c: '3' })
    assert.deepEqual((await call('PUT', `${path}/d`, { meta: { d: '4' } })).json.meta, { d: '4' })
    assert.equal(await status('PUT', `${path}/e`, { meta: { d: '4' } }), 400)
    assert.deepEqual((await call('GET', `${path}/d`)).json.meta, { d: '4' })
    assert.equal(await status('DELETE', `${path}/d`), 204)
    assert.equal(await status('DELETE', `${path}/d`), 404)
    assert.deepEqual(await all(), { c: '3' })
  })

  test('security groups are made, found, changed and deleted', async () => {
    const names = async (query = '', as = member) =>
      (await call('GET', `os-security-groups${query}`, undefined, as)).json.security_groups.map(
        (one: { name: string }) => one.name,
      )
    assert.deepEqual(await names(), ['default', 'web'])
    assert.deepEqual(await names('?limit=1&offset=1'), ['web'])
    assert.deepEqual(await names('?all_tenants=1'), ['default', 'web'])
    assert.deepEqual((await names('?all_tenants=1', admin)).sort(), ['default', 'theirs', 'web'])
    const body = (name: unknown) => ({ security_group: { name, description: 'd' } })
    const made = (await call('POST', 'os-security-groups', body('db'))).json.security_group
    assert.deepEqual([made.name, made.tenant_id, made.rules], ['db', idOf('alpha'), []])
    const path = `os-security-groups/${made.id}`
    assert.equal((await call('PUT', path, body('sql'))).json.security_group.name, 'sql')
    assert.equal(await status('PUT', 'os-security-groups/7', body('sql')), 400)
    for (const name of ['', ' ', 7, 'x'.repeat(256)])
      assert.equal(await status('POST', 'os-security-groups', body(name)), 400)
    assert.equal(await status('POST', 'os-security-groups', body('x'), reader), 403)
    assert.equal(await status('GET', 'os-security-groups/sql'), 404)
    assert.equal(await status('DELETE', path), 202)
    assert.equal(await status('DELETE', path), 404)
  })

  test('rules have their ports, and are refused by what is wrong', async () => {
    const parent_group_id = uuidFromName('web')
    const rule = { parent_group_id, ip_protocol: 'tcp', from_port: 22, to_port: '80', cidr: '10.0.0.0/8' }
    const post = (change: object = {}) =>
      call('POST', 'os-security-group-rules', { security_group_rule: { ...rule, ...change } })
    const made = async (change: object) => {
      const { id: _, parent_group_id: __, ...shown } = (await post(change)).json.security_group_rule
      return shown
    }
    const any = { group: {}, ip_range: { cidr: '0.0.0.0/0' } }
    assert.deepEqual(await made({}), {
      ip_protocol: 'tcp',
      from_port: 22,
      to_port: 80,
      group: {},
      ip_range: { cidr: '10.0.0.0/8' },
    })
    const icmp = { ip_protocol: 'ICMP', from_port: -1, to_port: -1, cidr: null }
    assert.deepEqual(await made(icmp), { ...any, ip_protocol: 'icmp', from_port: -1, to_port: -1 })
    const remote = { group_id: uuidFromName('default'), from_port: null, to_port: null, cidr: null }
    assert.deepEqual(await made(remote), {
      ip_protocol: 'tcp',
      from_port: 1,
      to_port: 65_535,
      group: { name: 'default', tenant_id: idOf('alpha') },
      ip_range: {},
    })
    for (const change of [
      { parent_group_id: 7 },
      { ip_protocol: 'sctp' },
      { ip_protocol: null },
      { from_port: 'x' },
      { from_port: 90 },
      { from_port: null },
      { to_port: 70_000 },
      { cidr: '10.0.0.0' },
      { group_id: 'web' },
    ])
      assert.equal((await post(change)).status, 400, JSON.stringify(change))
    assert.equal((await post({ parent_group_id: uuidFromName('none') })).status, 404)
    const [{ id }] = (await call('GET', `os-security-groups/${parent_group_id}`)).json.security_group.rules
    assert.equal(await status('DELETE', `os-security-group-rules/${id}`), 202)
    assert.equal(await status('DELETE', 'os-security-group-rules/7'), 400)
  })

  test('floating IPs come from pools', async () => {
    assert.deepEqual((await call('GET', 'os-floating-ip-pools')).json.floating_ip_pools, [{ name: 'public' }])
    assert.equal(await status('POST', 'os-floating-ips', { pool: 'none' }), 404)
    const made = (await call('POST', 'os-floating-ips', { pool: 'public' })).json.floating_ip
    const id = uuidFromName('fip')
    assert.deepEqual(made, {
      id,
      ip: '203.0.113.7',
      fixed_ip: '10.0.0.3',
      pool: 'public',
      instance_id: uuidFromName('vm'),
    })
    assert.deepEqual((await call('GET', 'os-floating-ips')).json.floating_ips, [made])
    assert.deepEqual((await call('GET', `os-floating-ips/${id}`)).json.floating_ip, made)
    assert.equal(await status('DELETE', `os-floating-ips/${id}`), 202)
    assert.equal(
      (await call('DELETE', `os-floating-ips/${id}`)).json.itemNotFound.message,
      `Floating IP not found for ID ${id}`,
    )
  })
})
