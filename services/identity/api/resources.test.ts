import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Identity, inProject, plan, root, startIdentity, statuses } from '../harness.test.ts'

let cloud: Identity
before(async () => {
  cloud = await startIdentity()
})
after(() => cloud.close())

const get = (path: string) => cloud.call('GET', path, cloud.admin)
const patch = (path: string, body: object) => cloud.call('PATCH', path, cloud.admin, body)
const remove = (path: string) => cloud.call('DELETE', path, cloud.admin)
const names = (rows: readonly { name: string }[]) => rows.map(row => row.name)

describe('projects', () => {
  test('one is shown as it was made, with defaults, extra attributes and its link', async () => {
    const made = await cloud.make('project', { name: 'p', colour: 'red', tags: ['b', 'a'] })
    assert.match(made.id, /^[0-9a-f]{32}$/)
    assert.deepEqual(made, {
      id: made.id,
      name: 'p',
      domain_id: 'default',
      parent_id: 'default',
      description: '',
      enabled: true,
      is_domain: false,
      options: {},
      tags: ['a', 'b'],
      colour: 'red',
      links: { self: `${root}/projects/${made.id}` },
    })
    assert.deepEqual((await get(`/v3/projects/${made.id}`)).json.project, made)
    const { project } = (await patch(`/v3/projects/${made.id}`, { project: { shape: 'round', tags: ['c'] } })).json
    assert.deepEqual([project.colour, project.shape, project.tags, project.name], ['red', 'round', ['c'], 'p'])
  })

  test('what is the service’s own is not set by a caller', async () => {
    const made = await cloud.make('project', { id: 'mine', name: 'own', name_scope: 'elsewhere' })
    assert.match(made.id, /^[0-9a-f]{32}$/)
    assert.equal('name_scope' in made, false)
    const path = `/v3/projects/${made.id}`
    for (const change of [{ id: 'x' }, { domain_id: 'x' }, { parent_id: 'x' }, { is_domain: true }]) {
      const answer = await patch(path, { project: change })
      assert.equal(answer.status, 400, JSON.stringify(change))
      assert.match(answer.json.error.message, new RegExp(Object.keys(change)[0]!))
    }
    assert.equal((await patch(path, { project: { id: made.id, domain_id: 'default', name: 'own2' } })).status, 200)
  })

  test('a name is unique in its domain, and free in another', async () => {
    const domain = await cloud.make('domain', { name: 'twins' })
    await cloud.make('project', { name: 'twin' })
    await cloud.make('project', { name: 'twin', domain_id: domain.id })
    const again = await cloud.call('POST', '/v3/projects', cloud.admin, { project: { name: 'twin' } })
    assert.equal(again.status, 409)
    assert.match(again.json.error.message, /^Conflict occurred attempting to store project .*twin/)
  })

  test('bad bodies are refused with the name of the field, and change nothing', async () => {
    const before = (await get('/v3/projects')).json.projects.length
    const cases: [object, RegExp][] = [
      [{}, /name is required/],
      [{ name: '' }, /name/],
      [{ name: '  ' }, /name/],
      [{ name: 'x'.repeat(65) }, /name/],
      [{ name: 1 }, /name must be of type string/],
      [{ name: 'x', enabled: 'yes' }, /enabled/],
      [{ name: 'x', tags: ['a,b'] }, /tags/],
      [{ name: 'x', tags: Array.from({ length: 81 }, (_, n) => `t${n}`) }, /tags/],
      [{ name: 'x', domain_id: 'none' }, /domain_id/],
      [{ name: 'x', parent_id: 'none' }, /parent_id/],
      [{ name: 'x', options: { immutable: 'yes' } }, /options/],
    ]
    for (const [project, field] of cases) {
      const answer = await cloud.call('POST', '/v3/projects', cloud.admin, { project })
      assert.equal(answer.status, 400, JSON.stringify(project))
      assert.match(answer.json.error.message, field)
    }
    assert.equal((await cloud.call('POST', '/v3/projects', cloud.admin, { name: 'bare' })).status, 400)
    assert.equal((await get('/v3/projects')).json.projects.length, before)
  })

  test('trees: five deep, no leaf is skipped, branches are enabled from the top', async () => {
    const ids: string[] = []
    for (const n of [1, 2, 3, 4, 5])
      ids.push((await cloud.make('project', { name: `level${n}`, parent_id: ids.at(-1) ?? null })).id)
    const deeper = await cloud.call('POST', '/v3/projects', cloud.admin, {
      project: { name: 'level6', parent_id: ids[4] },
    })
    assert.equal(deeper.status, 403)
    assert.equal((await remove(`/v3/projects/${ids[0]}`)).status, 403)
    const enable = async (id: string, enabled: boolean) =>
      (await patch(`/v3/projects/${id}`, { project: { enabled } })).status
    assert.equal(await enable(ids[3]!, false), 403)
    assert.equal(await enable(ids[4]!, false), 200)
    assert.equal(await enable(ids[3]!, false), 200)
    assert.equal(await enable(ids[4]!, true), 403)
    const into = await cloud.call('POST', '/v3/projects', cloud.admin, { project: { name: 'x', parent_id: ids[3] } })
    assert.equal(into.status, 403)
    const { project } = (await get(`/v3/projects/${ids[3]}?parents_as_ids&subtree_as_ids`)).json
    assert.deepEqual(project.parents, { [ids[2]!]: { [ids[1]!]: { [ids[0]!]: { default: null } } } })
    assert.deepEqual(project.subtree, { [ids[4]!]: null })
    assert.equal((await get(`/v3/projects/${ids[3]}?parents_as_ids&parents_as_list`)).status, 400)
    for (const id of ids.reverse()) assert.equal((await remove(`/v3/projects/${id}`)).status, 204)
  })

  test('lists: filters, parts of names, tags, pages', async () => {
    const domain = await cloud.make('domain', { name: 'lists' })
    const all = ['alpha', 'Beta', 'gamma_x', 'gammaxx', 'delta']
    for (const name of all)
      await cloud.make('project', {
        name,
        domain_id: domain.id,
        enabled: name !== 'delta',
        tags: name.startsWith('gamma') ? ['g', name] : ['other'],
      })
    const list = async (query: string) =>
      names((await get(`/v3/projects?domain_id=${domain.id}&${query}`)).json.projects).sort()
    assert.deepEqual(await list('name=alpha'), ['alpha'])
    assert.deepEqual(await list('enabled=false'), ['delta'])
    assert.deepEqual(await list('enabled'), ['Beta', 'alpha', 'gamma_x', 'gammaxx'])
    assert.deepEqual(await list('name__contains=a_x'), ['gamma_x'])
    assert.deepEqual(await list('name__icontains=BET'), ['Beta'])
    assert.deepEqual(await list('name__startswith=gam'), ['gamma_x', 'gammaxx'])
    assert.deepEqual(await list('name__endswith=xx'), ['gammaxx'])
    assert.deepEqual(await list('name__contains=%25'), [])
    assert.deepEqual(await list('tags=g,gammaxx'), ['gammaxx'])
    assert.deepEqual(await list('tags-any=gamma_x,other'), ['Beta', 'alpha', 'delta', 'gamma_x'])
    assert.deepEqual(await list('not-tags=g,gammaxx'), ['Beta', 'alpha', 'delta', 'gamma_x'])
    assert.deepEqual(await list('not-tags-any=g'), ['Beta', 'alpha', 'delta'])
    assert.deepEqual(await list('colour=red'), [...all].sort())
    assert.deepEqual(await list('is_domain=true'), [])
    const seen: string[] = []
    let path = `/v3/projects?domain_id=${domain.id}&limit=2`
    while (path) {
      const { json } = await get(path)
      seen.push(...names(json.projects))
      path = json.links.next?.replace(/^.*\/identity/, '')
    }
    assert.deepEqual([...seen].sort(), [...all].sort())
    assert.equal((await get('/v3/projects?limit=x')).status, 400)
  })

  test('tags one by one', async () => {
    const { id } = await cloud.make('project', { name: 'tagged' })
    const tags = `/v3/projects/${id}/tags`
    const put = (path: string, body?: object) => cloud.call('PUT', path, cloud.admin, body)
    assert.equal((await put(`${tags}/one`)).status, 201)
    assert.equal((await put(`${tags}/one`)).status, 201)
    assert.deepEqual((await get(tags)).json.tags, ['one'])
    assert.deepEqual(await statuses([get(`${tags}/one`), get(`${tags}/two`)]), [204, 404])
    assert.deepEqual((await put(tags, { tags: ['x', 'y'] })).json.tags, ['x', 'y'])
    assert.equal((await put(tags, { tags: ['x', 'x'] })).status, 400)
    assert.equal((await put(`${tags}/a,b`)).status, 400)
    assert.deepEqual(await statuses([remove(`${tags}/x`), remove(`${tags}/z`)]), [204, 404])
    assert.equal((await remove(tags)).status, 204)
    assert.deepEqual((await get(tags)).json.tags, [])
    assert.equal((await get('/v3/projects/none/tags')).status, 404)
  })

  test('one that is marked immutable stays as it is until the mark is lifted', async () => {
    const { id } = await cloud.make('project', { name: 'stone', options: { immutable: true } })
    assert.equal((await patch(`/v3/projects/${id}`, { project: { name: 'sand' } })).status, 403)
    assert.equal((await remove(`/v3/projects/${id}`)).status, 403)
    assert.equal((await patch(`/v3/projects/${id}`, { project: { options: { immutable: false } } })).status, 200)
    assert.equal((await remove(`/v3/projects/${id}`)).status, 204)
  })
})

describe('domains', () => {
  test('one is a project that acts as a domain', async () => {
    const made = await cloud.make('domain', { name: 'dom', description: 'd' })
    assert.deepEqual(made, {
      id: made.id,
      name: 'dom',
      description: 'd',
      enabled: true,
      options: {},
      tags: [],
      links: { self: `${root}/domains/${made.id}` },
    })
    const { project } = (await get(`/v3/projects/${made.id}`)).json
    assert.deepEqual([project.is_domain, project.domain_id, project.parent_id], [true, null, null])
    const acting = await cloud.make('project', { name: 'acting', is_domain: true })
    assert.equal((await get(`/v3/domains/${acting.id}`)).json.domain.name, 'acting')
    const again = await cloud.call('POST', '/v3/domains', cloud.admin, { domain: { name: 'acting' } })
    assert.equal(again.status, 409)
    assert.deepEqual(names((await get('/v3/domains?name=dom')).json.domains), ['dom'])
  })

  test('it can be given an id', async () => {
    const id = '0123456789abcdef0123456789abcdef'
    assert.equal((await cloud.make('domain', { name: 'chosen', explicit_domain_id: id })).id, id)
    const bad = await cloud.call('POST', '/v3/domains', cloud.admin, { domain: { name: 'y', explicit_domain_id: 'y' } })
    assert.equal(bad.status, 400)
  })

  test('only a disabled one is deleted, with all that it owns', async () => {
    const domain = await cloud.make('domain', { name: 'doomed' })
    const user = await cloud.make('user', { name: 'u', password: 'pw', domain_id: domain.id })
    const group = await cloud.make('group', { name: 'g', domain_id: domain.id })
    const project = await cloud.make('project', { name: 'p', domain_id: domain.id })
    const role = await cloud.make('role', { name: 'r', domain_id: domain.id })
    await cloud.grant(`projects/${project.id}/users/${user.id}`, cloud.roles.member)
    const token = await cloud.login({ id: user.id, password: 'pw', scope: { project: { id: project.id } } })
    assert.equal((await remove(`/v3/domains/${domain.id}`)).status, 403)
    await patch(`/v3/domains/${domain.id}`, { domain: { enabled: false } })
    assert.equal((await cloud.show(token)).status, 404)
    assert.equal((await remove(`/v3/domains/${domain.id}`)).status, 204)
    for (const path of [
      ...[`domains/${domain.id}`, `users/${user.id}`, `groups/${group.id}`, `projects/${project.id}`],
      `roles/${role.id}`,
    ])
      assert.equal((await get(`/v3/${path}`)).status, 404, path)
    const left = (await get('/v3/role_assignments')).json.role_assignments as { user?: { id: string } }[]
    assert.equal(left.filter(one => one.user?.id === user.id).length, 0)
  })
})

describe('users and groups', () => {
  test('a user is shown without its password, with its extra attributes', async () => {
    const made = await cloud.make('user', { name: 'u1', password: 'pw', email: 'u1@example.org', description: 'x' })
    assert.deepEqual(made, {
      id: made.id,
      name: 'u1',
      domain_id: 'default',
      enabled: true,
      options: {},
      password_expires_at: null,
      email: 'u1@example.org',
      description: 'x',
      links: { self: `${root}/users/${made.id}` },
    })
    const { user } = (await patch(`/v3/users/${made.id}`, { user: { email: 'new@example.org' } })).json
    assert.deepEqual([user.email, user.description], ['new@example.org', 'x'])
    const stored = (await get(`/v3/users/${made.id}`)).text
    assert.equal(/scrypt|"pw"|password"/.test(stored), false)
  })

  test('names are unique in a domain; a domain that is not there is told', async () => {
    await cloud.make('user', { name: 'same', password: 'pw' })
    const post = (user: object) => cloud.call('POST', '/v3/users', cloud.admin, { user })
    assert.equal((await post({ name: 'same' })).status, 409)
    assert.equal((await post({ name: 'x', domain_id: 'none' })).status, 404)
    assert.equal((await post({ name: 'x', password: 5 })).status, 400)
    assert.equal((await post({ name: 'x', password: '' })).status, 400)
    await cloud.make('group', { name: 'same' })
    assert.equal((await cloud.call('POST', '/v3/groups', cloud.admin, { group: { name: 'same' } })).status, 409)
  })

  test('members of a group', async () => {
    const user = await cloud.make('user', { name: 'member1' })
    const group = await cloud.make('group', { name: 'club' })
    const member = `/v3/groups/${group.id}/users/${user.id}`
    const put = (path: string) => cloud.call('PUT', path, cloud.admin)
    assert.deepEqual(await statuses([get(member)]), [404])
    assert.deepEqual([(await put(member)).status, (await put(member)).status], [204, 204])
    assert.deepEqual(await statuses([get(member), cloud.call('HEAD', member, cloud.admin)]), [204, 204])
    assert.deepEqual(names((await get(`/v3/groups/${group.id}/users`)).json.users), ['member1'])
    const others = ['member2', 'member3', 'member4', 'member5']
    for (const name of others) await put(`/v3/groups/${group.id}/users/${(await cloud.make('user', { name })).id}`)
    const seen: string[] = []
    for (let path: string | null = `/v3/groups/${group.id}/users?limit=2`; path; ) {
      const { json } = await get(path)
      seen.push(...names(json.users))
      path = json.links.next?.slice(json.links.next.indexOf('/v3')) ?? null
    }
    assert.deepEqual(seen.sort(), ['member1', ...others])
    for (const { id } of (await get(`/v3/groups/${group.id}/users`)).json.users)
      if (id !== user.id) await cloud.call('DELETE', `/v3/users/${id}`, cloud.admin)
    assert.deepEqual(names((await get(`/v3/users/${user.id}/groups`)).json.groups), ['club'])
    assert.deepEqual(await statuses([remove(member)]), [204])
    assert.deepEqual(await statuses([remove(member), put(`/v3/groups/${group.id}/users/none`)]), [404, 404])
  })

  test('a deleted user or group takes its assignments along', async () => {
    const user = await cloud.make('user', { name: 'leaver' })
    const group = await cloud.make('group', { name: 'leavers' })
    await cloud.grant(`domains/default/users/${user.id}`, cloud.roles.reader)
    await cloud.grant(`domains/default/groups/${group.id}`, cloud.roles.reader)
    assert.deepEqual(await statuses([remove(`/v3/users/${user.id}`), remove(`/v3/groups/${group.id}`)]), [204, 204])
    const { text } = await get('/v3/role_assignments')
    assert.equal(text.includes(user.id) || text.includes(group.id), false)
  })
})

describe('the catalog', () => {
  test('regions form trees', async () => {
    const region = await cloud.make('region', { id: 'west', description: 'w' })
    assert.deepEqual(region, {
      id: 'west',
      description: 'w',
      parent_region_id: null,
      links: { self: `${root}/regions/west` },
    })
    await cloud.make('region', { id: 'west-1', parent_region_id: 'west' })
    assert.match((await cloud.make('region', {})).id, /^[0-9a-f]{32}$/)
    const put = (id: string, body: object) => cloud.call('PUT', `/v3/regions/${id}`, cloud.admin, { region: body })
    assert.equal((await put('north', { description: 'n' })).status, 201)
    assert.equal((await put('south', { id: 'north' })).status, 400)
    assert.equal((await put('west', {})).status, 409)
    assert.equal((await patch('/v3/regions/west', { region: { parent_region_id: 'west-1' } })).status, 400)
    assert.equal((await patch('/v3/regions/west', { region: { parent_region_id: 'none' } })).status, 404)
    assert.equal((await remove('/v3/regions/west')).status, 403)
    assert.equal((await remove('/v3/regions/west-1')).status, 204)
    assert.equal((await remove('/v3/regions/west')).status, 204)
  })

  test('a service and its endpoints stand in the next token’s catalog, and leave it again', async () => {
    const service = await cloud.make('service', { type: 'dns', name: 'designate' })
    const endpoint = await cloud.make('endpoint', {
      service_id: service.id,
      interface: 'public',
      region: 'far',
      url: 'http://dns/v2/$(project_id)s',
    })
    assert.deepEqual([endpoint.region, endpoint.region_id, endpoint.enabled], ['far', 'far', true])
    assert.equal((await get('/v3/regions/far')).status, 200)
    const entry = async () => {
      const { json } = await cloud.tryLogin({ name: 'demo', password: plan.demoPassword, scope: inProject('demo') })
      return {
        project: json.token.project.id,
        found: json.token.catalog.find((one: { type: string }) => one.type === 'dns'),
      }
    }
    const { found, project } = await entry()
    assert.equal(found.endpoints[0].url, `http://dns/v2/${project}`)
    await patch(`/v3/endpoints/${endpoint.id}`, { endpoint: { enabled: false } })
    assert.deepEqual((await entry()).found.endpoints, [])
    assert.deepEqual((await get(`/v3/endpoints?service_id=${service.id}&interface=public`)).json.endpoints.length, 1)
    assert.equal((await remove(`/v3/services/${service.id}`)).status, 204)
    assert.equal((await get(`/v3/endpoints/${endpoint.id}`)).status, 404)
    assert.equal((await entry()).found, undefined)
  })

  test('bad endpoints are refused with the name of the field', async () => {
    const service = await cloud.make('service', { type: 'bad' })
    const good = { service_id: service.id, interface: 'public', url: 'http://x' }
    for (const [change, field] of [
      [{ url: undefined }, /url is required/],
      [{ url: 'nowhere' }, /url/],
      [{ interface: 'secret' }, /interface must be one of/],
      [{ service_id: 'none' }, /service_id/],
      [{ region_id: 'none' }, /region_id/],
    ] as const) {
      const answer = await cloud.call('POST', '/v3/endpoints', cloud.admin, { endpoint: { ...good, ...change } })
      assert.equal(answer.status, 400)
      assert.match(answer.json.error.message, field)
    }
  })
})
