/** Who may do what: each persona against the main operations. A row is an operation, a column a persona. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Identity, startIdentity } from '../harness.test.ts'

const personas = [
  'admin',
  'systemReader',
  'domainManager',
  'domainReader',
  'otherManager',
  'member',
  'service',
  'unscoped',
] as const
type Persona = (typeof personas)[number]

let cloud: Identity
let tokens: Record<Persona, string>
let ids: Record<'domain' | 'project' | 'user' | 'group' | 'member', string>

before(async () => {
  cloud = await startIdentity()
  const { make, grant, roles, login } = cloud
  const domain = await make('domain', { name: 'acme' })
  const other = await make('domain', { name: 'other' })
  const own = { domain_id: domain.id, password: 'pw' }
  const [manager, reader, member, user, stranger, auditor] = [
    await make('user', { name: 'manager', ...own }),
    await make('user', { name: 'reader', ...own }),
    await make('user', { name: 'member', ...own }),
    await make('user', { name: 'user', ...own }),
    await make('user', { name: 'stranger', domain_id: other.id, password: 'pw' }),
    await make('user', { name: 'auditor', password: 'pw' }),
  ]
  const project = await make('project', { name: 'p', domain_id: domain.id })
  const group = await make('group', { name: 'g', domain_id: domain.id })
  await grant(`domains/${domain.id}/users/${manager.id}`, roles.manager)
  await grant(`domains/${domain.id}/users/${reader.id}`, roles.reader)
  await grant(`domains/${other.id}/users/${stranger.id}`, roles.manager)
  await grant(`projects/${project.id}/users/${member.id}`, roles.member)
  await grant(`system/users/${auditor.id}`, roles.reader)
  const as = (id: string, scope: unknown) => login({ id, password: 'pw', scope })
  tokens = {
    admin: cloud.admin,
    systemReader: await as(auditor.id, { system: { all: true } }),
    domainManager: await as(manager.id, { domain: { id: domain.id } }),
    domainReader: await as(reader.id, { domain: { id: domain.id } }),
    otherManager: await as(stranger.id, { domain: { id: other.id } }),
    member: await as(member.id, { project: { id: project.id } }),
    // Its roles without `admin`, which the services' own users have besides.
    service: await serviceToken(project.id),
    unscoped: await as(member.id, 'unscoped'),
  }
  ids = {
    domain: domain.id,
    project: project.id,
    user: user.id,
    group: group.id,
    member: member.id,
  }
})
after(() => cloud.close())

async function serviceToken(projectId: string): Promise<string> {
  const user = await cloud.make('user', { name: 'svc', password: 'pw' })
  await cloud.grant(`projects/${projectId}/users/${user.id}`, cloud.roles.service)
  return cloud.login({ id: user.id, password: 'pw', scope: { project: { id: projectId } } })
}

let serial = 0
const fresh = () => `made${++serial}`
/** Operation → who passes its policy. A change is asked for such that, passing, it succeeds and hurts no other row. */
const matrix: readonly {
  readonly what: string
  readonly ask: () => [method: string, path: string, body?: object]
  readonly allowed: readonly Persona[]
}[] = [
  {
    what: 'list users',
    ask: () => ['GET', '/v3/users'],
    allowed: ['admin', 'systemReader', 'domainManager', 'domainReader', 'otherManager'],
  },
  {
    what: 'show a user',
    ask: () => ['GET', `/v3/users/${ids.user}`],
    allowed: ['admin', 'systemReader', 'domainManager', 'domainReader'],
  },
  {
    what: 'show oneself',
    ask: () => ['GET', `/v3/users/${ids.member}`],
    allowed: ['admin', 'systemReader', 'domainManager', 'domainReader', 'member', 'unscoped'],
  },
  {
    what: 'create a user',
    ask: () => ['POST', '/v3/users', { user: { name: fresh(), domain_id: ids.domain } }],
    allowed: ['admin', 'domainManager'],
  },
  {
    what: 'change a user',
    ask: () => ['PATCH', `/v3/users/${ids.user}`, { user: { email: fresh() } }],
    allowed: ['admin', 'domainManager'],
  },
  {
    what: 'list projects',
    ask: () => ['GET', '/v3/projects'],
    allowed: ['admin', 'systemReader', 'domainManager', 'domainReader', 'otherManager'],
  },
  {
    what: 'show a project',
    ask: () => ['GET', `/v3/projects/${ids.project}`],
    allowed: ['admin', 'systemReader', 'domainManager', 'domainReader', 'member', 'service'],
  },
  {
    what: 'create a project',
    ask: () => ['POST', '/v3/projects', { project: { name: fresh(), domain_id: ids.domain } }],
    allowed: ['admin', 'domainManager'],
  },
  {
    what: 'create a project as a domain',
    ask: () => ['POST', '/v3/projects', { project: { name: fresh(), is_domain: true } }],
    allowed: ['admin'],
  },
  {
    what: 'create a project as a domain, under the name of one’s own',
    ask: () => ['POST', '/v3/projects', { project: { name: fresh(), is_domain: true, domain_id: ids.domain } }],
    allowed: ['admin'],
  },
  {
    what: 'change a project',
    ask: () => ['PATCH', `/v3/projects/${ids.project}`, { project: { description: fresh() } }],
    allowed: ['admin', 'domainManager'],
  },
  {
    what: 'tag a project',
    ask: () => ['PUT', `/v3/projects/${ids.project}/tags/${fresh()}`],
    allowed: ['admin', 'domainManager'],
  },
  { what: 'create a domain', ask: () => ['POST', '/v3/domains', { domain: { name: fresh() } }], allowed: ['admin'] },
  {
    what: 'show a domain',
    ask: () => ['GET', `/v3/domains/${ids.domain}`],
    allowed: ['admin', 'systemReader', 'domainManager', 'domainReader', 'member', 'service'],
  },
  {
    what: 'create a group',
    ask: () => ['POST', '/v3/groups', { group: { name: fresh(), domain_id: ids.domain } }],
    allowed: ['admin', 'domainManager'],
  },
  {
    what: 'add a member to a group',
    ask: () => ['PUT', `/v3/groups/${ids.group}/users/${ids.user}`],
    allowed: ['admin', 'domainManager'],
  },
  {
    what: 'list the members of a group',
    ask: () => ['GET', `/v3/groups/${ids.group}/users`],
    allowed: ['admin', 'systemReader', 'domainManager', 'domainReader'],
  },
  {
    what: 'give the role member',
    ask: () => ['PUT', `/v3/projects/${ids.project}/users/${ids.user}/roles/${cloud.roles.member}`],
    allowed: ['admin', 'domainManager'],
  },
  {
    what: 'give the role admin',
    ask: () => ['PUT', `/v3/projects/${ids.project}/users/${ids.user}/roles/${cloud.roles.admin}`],
    allowed: ['admin'],
  },
  {
    what: 'give a role on the system',
    ask: () => ['PUT', `/v3/system/users/${ids.user}/roles/${cloud.roles.reader}`],
    allowed: ['admin'],
  },
  {
    what: 'list the roles of a user on a project',
    ask: () => ['GET', `/v3/projects/${ids.project}/users/${ids.user}/roles`],
    allowed: ['admin', 'systemReader', 'domainManager', 'domainReader'],
  },
  {
    what: 'list role assignments',
    ask: () => ['GET', '/v3/role_assignments'],
    allowed: ['admin', 'systemReader', 'domainManager', 'domainReader', 'otherManager'],
  },
  { what: 'create a role', ask: () => ['POST', '/v3/roles', { role: { name: fresh() } }], allowed: ['admin'] },
  {
    what: 'list roles',
    ask: () => ['GET', '/v3/roles'],
    allowed: ['admin', 'systemReader', 'domainManager', 'otherManager'],
  },
  {
    what: 'list what roles imply',
    ask: () => ['GET', '/v3/role_inferences'],
    allowed: ['admin', 'systemReader'],
  },
  { what: 'list services', ask: () => ['GET', '/v3/services'], allowed: ['admin', 'systemReader'] },
  { what: 'create a service', ask: () => ['POST', '/v3/services', { service: { type: 'x' } }], allowed: ['admin'] },
  { what: 'list endpoints', ask: () => ['GET', '/v3/endpoints'], allowed: ['admin', 'systemReader'] },
  { what: 'list regions', ask: () => ['GET', '/v3/regions'], allowed: personas },
  { what: 'create a region', ask: () => ['POST', '/v3/regions', { region: {} }], allowed: ['admin'] },
]

describe('policy', () => {
  for (const { what, ask, allowed } of matrix)
    test(`who may ${what}`, async () => {
      for (const persona of personas) {
        const [method, path, body] = ask()
        const { status, json } = await cloud.call(method, path, tokens[persona], body)
        if (allowed.includes(persona)) assert.ok(status < 300, `${persona} got ${status}: ${JSON.stringify(json)}`)
        else assert.equal(status, 403, `${persona} got ${status}`)
      }
      const [method, path, body] = ask()
      assert.equal((await cloud.call(method, path, '', body)).status, 401)
    })

  test('a caller of a domain sees in lists what is of that domain', async () => {
    for (const [path, key] of [
      ['/v3/users', 'users'],
      ['/v3/projects', 'projects'],
      ['/v3/groups', 'groups'],
    ] as const) {
      const { json } = await cloud.call('GET', path, tokens.domainReader)
      assert.ok(json[key].length > 0)
      for (const one of json[key]) assert.equal(one.domain_id, ids.domain)
      const foreign = await cloud.call('GET', `${path}?domain_id=default`, tokens.domainReader)
      assert.ok(foreign.status === 403 || foreign.json[key].length === 0)
    }
    const { json } = await cloud.call('GET', '/v3/role_assignments', tokens.otherManager)
    assert.equal(json.role_assignments.length, 1)
  })

  test('who may not see something does not learn whether it is there', async () => {
    const status = async (path: string) => (await cloud.call('GET', path, tokens.member)).status
    for (const kind of ['users', 'groups', 'projects', 'services']) {
      assert.equal(await status(`/v3/${kind}/none`), 403)
      assert.equal((await cloud.call('GET', `/v3/${kind}/none`, tokens.domainReader)).status, 403)
    }
    // Which roles and endpoints there are is no secret.
    for (const kind of ['roles', 'endpoints']) assert.equal(await status(`/v3/${kind}/none`), 404)
  })

  test('whoever is there for one domain sees of memberships what is of that domain', async () => {
    const stranger = await cloud.make('user', { name: fresh() })
    const elsewhere = await cloud.make('group', { name: fresh() })
    for (const path of [
      `${ids.group}/users/${stranger.id}`,
      `${elsewhere.id}/users/${ids.user}`,
      `${ids.group}/users/${ids.user}`,
    ])
      assert.equal((await cloud.call('PUT', `/v3/groups/${path}`, cloud.admin)).status, 204)
    const seen = async (path: string, as: string, key: 'users' | 'groups') =>
      (await cloud.call('GET', path, as)).json[key].map((one: { id: string }) => one.id).sort()
    const [members, groups] = [`/v3/groups/${ids.group}/users`, `/v3/users/${ids.user}/groups`]
    assert.deepEqual(await seen(members, cloud.admin, 'users'), [ids.user, stranger.id].sort())
    assert.deepEqual(await seen(members, tokens.domainReader, 'users'), [ids.user])
    assert.deepEqual(await seen(groups, cloud.admin, 'groups'), [ids.group, elsewhere.id].sort())
    assert.deepEqual(await seen(groups, tokens.domainReader, 'groups'), [ids.group])
    await cloud.call('DELETE', `/v3/groups/${ids.group}/users/${ids.user}`, cloud.admin)
  })

  test('a reader of the system may check grants of roles of any domain', async () => {
    const role = await cloud.make('role', { name: fresh(), domain_id: ids.domain })
    const grant = `/v3/projects/${ids.project}/users/${ids.user}/roles/${role.id}`
    assert.equal((await cloud.call('PUT', grant, cloud.admin)).status, 204)
    assert.equal((await cloud.call('HEAD', grant, tokens.systemReader)).status, 204)
  })

  test('a project cannot be put under a parent of another domain', async () => {
    const mine = await cloud.make('project', { name: fresh() })
    const { status } = await cloud.call('POST', '/v3/projects', tokens.domainManager, {
      project: { name: fresh(), parent_id: mine.id },
    })
    assert.equal(status, 400)
  })
})
