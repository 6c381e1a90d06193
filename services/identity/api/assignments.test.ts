import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Identity, root, startIdentity, statuses } from '../harness.test.ts'

let cloud: Identity
before(async () => {
  cloud = await startIdentity()
})
after(() => cloud.close())

const get = (path: string) => cloud.call('GET', path, cloud.admin)
const put = (path: string) => cloud.call('PUT', path, cloud.admin)
const remove = (path: string) => cloud.call('DELETE', path, cloud.admin)

describe('grants', () => {
  for (const target of ['project', 'domain', 'system'] as const)
    for (const actor of ['user', 'group'] as const)
      test(`a role of a ${actor} on a ${target} is given, seen, listed and taken`, async () => {
        const name = `${actor}-${target}`
        const { id } = await cloud.make(actor, { name })
        const place = target === 'system' ? 'system' : `${target}s/${(await cloud.make(target, { name })).id}`
        const roles = `/v3/${place}/${actor}s/${id}/roles`
        const one = `${roles}/${cloud.roles.reader}`
        assert.deepEqual(await statuses([get(one), remove(one)]), [404, 404])
        assert.deepEqual([(await put(one)).status, (await put(one)).status], [204, 204])
        assert.deepEqual(await statuses([get(one), cloud.call('HEAD', one, cloud.admin)]), [204, 204])
        const listed = (await get(roles)).json.roles
        assert.deepEqual(
          listed.map((role: { name: string }) => role.name),
          ['reader'],
        )
        assert.equal(listed[0].links.self, `${root}/roles/${cloud.roles.reader}`)
        assert.equal((await remove(one)).status, 204)
        assert.deepEqual((await get(roles)).json.roles, [])
      })

  test('inherited ones are apart from those on the target itself', async () => {
    const user = await cloud.make('user', { name: 'heir' })
    const project = await cloud.make('project', { name: 'estate' })
    const path = `projects/${project.id}/users/${user.id}/roles`
    const inherited = `/v3/OS-INHERIT/${path}/${cloud.roles.reader}/inherited_to_projects`
    assert.equal((await put(inherited)).status, 204)
    assert.deepEqual(await statuses([get(inherited), get(`/v3/${path}/${cloud.roles.reader}`)]), [204, 404])
    assert.equal((await get(`/v3/OS-INHERIT/${path}/inherited_to_projects`)).json.roles.length, 1)
    assert.equal((await remove(inherited)).status, 204)
  })

  test('who, what and where must exist', async () => {
    const user = await cloud.make('user', { name: 'real' })
    const project = await cloud.make('project', { name: 'real' })
    const { reader } = cloud.roles
    for (const [path, words] of [
      [`projects/${project.id}/users/none/roles/${reader}`, /user: none/],
      [`projects/none/users/${user.id}/roles/${reader}`, /project: none/],
      [`domains/none/users/${user.id}/roles/${reader}`, /domain: none/],
      [`projects/${project.id}/users/${user.id}/roles/none`, /role: none/],
      [`projects/${project.id}/groups/none/roles/${reader}`, /group: none/],
    ] as const) {
      const answer = await put(`/v3/${path}`)
      assert.equal(answer.status, 404, path)
      assert.match(answer.json.error.message, words)
    }
  })
})

describe('the list of assignments', () => {
  let ids: Record<'ann' | 'staff' | 'top' | 'below' | 'domain', string>
  before(async () => {
    const domain = await cloud.make('domain', { name: 'company' })
    const own = { domain_id: domain.id }
    const [ann, staff] = [
      await cloud.make('user', { name: 'ann', ...own }),
      await cloud.make('group', { name: 'staff', ...own }),
    ]
    const top = await cloud.make('project', { name: 'top', ...own })
    const below = await cloud.make('project', { name: 'below', parent_id: top.id, ...own })
    ids = { ann: ann.id, staff: staff.id, top: top.id, below: below.id, domain: domain.id }
    await put(`/v3/groups/${ids.staff}/users/${ids.ann}`)
    await cloud.grant(`projects/${ids.top}/groups/${ids.staff}`, cloud.roles.member)
    await put(`/v3/OS-INHERIT/projects/${ids.top}/users/${ids.ann}/roles/${cloud.roles.reader}/inherited_to_projects`)
    await cloud.grant(`system/users/${ids.ann}`, cloud.roles.reader)
  })
  const list = async (query: string) => (await get(`/v3/role_assignments?${query}`)).json.role_assignments

  test('as given', async () => {
    const { member, reader } = cloud.roles
    assert.deepEqual(await list(`scope.project.id=${ids.top}&group.id=${ids.staff}`), [
      {
        role: { id: member },
        group: { id: ids.staff },
        scope: { project: { id: ids.top } },
        links: { assignment: `${root}/projects/${ids.top}/groups/${ids.staff}/roles/${member}` },
      },
    ])
    assert.deepEqual(await list(`user.id=${ids.ann}&scope.OS-INHERIT:inherited_to=projects`), [
      {
        role: { id: reader },
        user: { id: ids.ann },
        scope: { project: { id: ids.top }, 'OS-INHERIT:inherited_to': 'projects' },
        links: {
          assignment: `${root}/OS-INHERIT/projects/${ids.top}/users/${ids.ann}/roles/${reader}/inherited_to_projects`,
        },
      },
    ])
    assert.deepEqual((await list(`user.id=${ids.ann}&scope.system=all`))[0].scope, { system: { all: true } })
    assert.equal((await list(`role.id=${member}&group.id=${ids.staff}`)).length, 1)
    assert.equal((await list(`scope.domain.id=${ids.domain}`)).length, 0)
  })

  test('as they amount to', async () => {
    const found = await list(`user.id=${ids.ann}&effective&include_names`)
    const said = found.map(
      (one: { role: { name: string }; scope: Record<string, { name?: string }> }) =>
        `${one.role.name} ${one.scope['project']?.name ?? 'system'}`,
    )
    assert.deepEqual(said.sort(), ['member top', 'reader below', 'reader system', 'reader top'])
    const through = found.find((one: { links: object }) => 'membership' in one.links)
    assert.equal(through.links.membership, `${root}/groups/${ids.staff}/users/${ids.ann}`)
    assert.deepEqual(through.user, { id: ids.ann, name: 'ann', domain: { id: ids.domain, name: 'company' } })
  })

  test('of a project and all below it', async () => {
    const tree = await list(`scope.project.id=${ids.top}&include_subtree&effective`)
    assert.deepEqual(
      new Set(tree.map((one: { scope: { project: { id: string } } }) => one.scope.project.id)),
      new Set([ids.top, ids.below]),
    )
    assert.equal((await get('/v3/role_assignments?include_subtree')).status, 400)
  })

  test('contradictions are refused', async () => {
    for (const query of [
      'scope.project.id=a&scope.domain.id=b',
      'scope.project.id=a&scope.system=all',
      'user.id=a&group.id=b',
      'effective&group.id=a',
      'effective&scope.domain.id=a&scope.OS-INHERIT:inherited_to=projects',
    ])
      assert.equal((await get(`/v3/role_assignments?${query}`)).status, 400, query)
  })
})

describe('roles', () => {
  test('the default ones imply each other and are not deleted by mistake', async () => {
    const { admin, manager, member, reader } = cloud.roles
    const { role_inferences: rules } = (await get('/v3/role_inferences')).json
    const pairs = rules.map((rule: { prior_role: { name: string }; implies: { name: string }[] }) => [
      rule.prior_role.name,
      ...rule.implies.map(one => one.name),
    ])
    assert.deepEqual(pairs.sort(), [
      ['admin', 'manager'],
      ['manager', 'member'],
      ['member', 'reader'],
    ])
    for (const id of [admin, manager, member, reader]) assert.equal((await remove(`/v3/roles/${id}`)).status, 403)
  })

  test('a rule is made, shown and removed', async () => {
    const [one, other] = [await cloud.make('role', { name: 'one' }), await cloud.make('role', { name: 'other' })]
    const rule = `/v3/roles/${one.id}/implies/${other.id}`
    assert.deepEqual(await statuses([get(rule), remove(rule)]), [404, 404])
    const made = await put(rule)
    assert.equal(made.status, 201)
    assert.deepEqual(made.json.role_inference.implies.name, 'other')
    assert.deepEqual(await statuses([get(rule), cloud.call('HEAD', rule, cloud.admin)]), [200, 204])
    const { role_inference } = (await get(`/v3/roles/${one.id}/implies`)).json
    assert.deepEqual(
      role_inference.implies.map((each: { id: string }) => each.id),
      [other.id],
    )
    assert.equal((await put(`/v3/roles/${other.id}/implies/${one.id}`)).status, 403)
    assert.equal((await put(`/v3/roles/${one.id}/implies/${cloud.roles.admin}`)).status, 403)
    assert.equal((await remove(rule)).status, 204)
    assert.deepEqual(await statuses([remove(`/v3/roles/${one.id}`), remove(`/v3/roles/${other.id}`)]), [204, 204])
  })

  test('a role of a domain stands for what it implies, and is listed by its domain', async () => {
    const domain = await cloud.make('domain', { name: 'guild' })
    const own = { domain_id: domain.id }
    const role = await cloud.make('role', { name: 'master', ...own })
    assert.deepEqual([role.domain_id, role.options], [domain.id, {}])
    const listed = async (query: string) =>
      (await get(`/v3/roles?${query}`)).json.roles.map((one: { name: string }) => one.name)
    assert.deepEqual(await listed(`domain_id=${domain.id}`), ['master'])
    assert.equal((await listed('')).includes('master'), false)
    assert.equal((await put(`/v3/roles/${role.id}/implies/${cloud.roles.member}`)).status, 201)
    const user = await cloud.make('user', { name: 'craftsman', password: 'pw', ...own })
    const project = await cloud.make('project', { name: 'workshop', ...own })
    await cloud.grant(`projects/${project.id}/users/${user.id}`, role.id)
    const answer = await cloud.tryLogin({ id: user.id, password: 'pw', scope: { project: { id: project.id } } })
    const names = answer.json.token.roles.map((one: { name: string }) => one.name)
    assert.deepEqual(names, ['member', 'reader'])
    const mine = `/v3/role_assignments?user.id=${user.id}`
    const ids = async (query: string) =>
      (await get(query)).json.role_assignments.map((one: { role: { id: string } }) => one.role.id).sort()
    assert.deepEqual(await ids(mine), [role.id])
    assert.deepEqual(await ids(`${mine}&effective`), [cloud.roles.member, cloud.roles.reader].sort())
  })

  test('a role of a domain may imply those of others, a global one none of a domain', async () => {
    const [one, other] = [await cloud.make('domain', { name: 'here' }), await cloud.make('domain', { name: 'there' })]
    const role = await cloud.make('role', { name: 'local', domain_id: one.id })
    const far = await cloud.make('role', { name: 'far', domain_id: other.id })
    assert.equal((await put(`/v3/roles/${role.id}/implies/${far.id}`)).status, 201)
    const answer = await put(`/v3/roles/${cloud.roles.member}/implies/${role.id}`)
    assert.equal(answer.status, 403)
    assert.match(answer.json.error.message, /is of a domain/)
  })
})
