import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Identity, inProject, startIdentity, statuses } from '../harness.test.ts'

const base = '/v3/OS-FEDERATION'
const minutes = 60_000

type Attributes = Readonly<Record<string, string>>

async function startFederation(options: Readonly<Record<string, unknown>> = { trusted_proxies: ['127.0.0.0/8'] }) {
  const cloud = await startIdentity(options)
  const put = async (path: string, body: object) => {
    const answer = await cloud.call('PUT', `${base}/${path}`, cloud.admin, body)
    assert.equal(answer.status, 201, answer.text)
    return Object.values(answer.json)[0] as { domain_id: string }
  }
  const headersOf = (attributes: Attributes) =>
    Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`X-Federation-${name}`, value]))
  return {
    ...cloud,
    put,
    headersOf,
    /** An identity provider with one protocol; its mapping is of these rules. */
    async provider(
      id: string,
      rules: readonly object[],
      more: { protocol?: string; version?: string; idp?: object } = {},
    ) {
      const { protocol = 'saml2', version = '1.0', idp = {} } = more
      const made = await put(`identity_providers/${id}`, { identity_provider: { enabled: true, ...idp } })
      await put(`mappings/${id}`, { mapping: { rules, schema_version: version } })
      await put(`identity_providers/${id}/protocols/${protocol}`, { protocol: { mapping_id: id } })
      return made.domain_id
    },
    enter: (idp: string, attributes: Attributes, protocol = 'saml2', method = 'POST') =>
      cloud.call(
        method,
        `${base}/identity_providers/${idp}/protocols/${protocol}/auth`,
        '',
        undefined,
        headersOf(attributes),
      ),
    scoped: (token: string, scope: object) =>
      cloud.call('POST', '/v3/auth/tokens', '', {
        auth: { identity: { methods: ['token'], token: { id: token } }, scope },
      }),
  }
}

type Federation = Awaited<ReturnType<typeof startFederation>>
const tokenIn = (answer: { headers: Readonly<Record<string, unknown>> }) => String(answer.headers['x-subject-token'])
const byName = (local: object = {}) => [
  { local: [{ user: { name: '{0}' } }, local], remote: [{ type: 'REMOTE_USER' }, { type: 'GROUPS' }] },
]

describe('a login that a trusted proxy vouches for', () => {
  let cloud: Federation
  let domainId: string
  let group: { id: string }
  let project: { id: string }
  before(async () => {
    cloud = await startFederation()
    group = await cloud.make('group', { name: 'staff' })
    project = await cloud.make('project', { name: 'work' })
    await cloud.grant(`projects/${project.id}/groups/${group.id}`, cloud.roles.member)
    domainId = await cloud.provider('acme', [
      {
        local: [{ user: { name: '{0}', email: '{1}' } }, { groups: '{2}', domain: { id: 'default' } }],
        remote: [
          { type: 'HTTP_X_FEDERATION_NAME' },
          { type: 'mail' },
          { type: 'GROUPS', whitelist: ['staff', 'gone'] },
        ],
      },
    ])
  })
  after(() => cloud.close())
  const jane = { name: 'Jane Dœ', mail: 'jane@acme.example', groups: 'staff;gone;admins' }
  /** As the proxy writes it on the wire: UTF-8 read as Latin-1. */
  const wire = (attributes: Attributes) =>
    Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, Buffer.from(value).toString('latin1')]))

  test('gives a token without a scope, that says who vouched for whom', async () => {
    const answer = await cloud.enter('acme', wire(jane))
    assert.equal(answer.status, 201, answer.text)
    const { token } = answer.json
    const { id, ...user } = token.user
    assert.match(id, /^[0-9a-f]{32}$/)
    assert.deepEqual(user, {
      name: 'Jane Dœ',
      domain: { id: domainId, name: domainId },
      'OS-FEDERATION': { identity_provider: { id: 'acme' }, protocol: { id: 'saml2' }, groups: [{ id: group.id }] },
    })
    assert.deepEqual(token.methods, ['saml2'])
    assert.equal(token.project, undefined)
    assert.equal(token.catalog, undefined)
    const shown = await cloud.show(tokenIn(answer))
    assert.deepEqual(shown.json.token.user, token.user)
    const again = await cloud.enter('acme', wire(jane), 'saml2', 'GET')
    assert.equal(again.json.token.user.id, id)
  })

  test('its token is good where its groups have roles, and keeps them when it is scoped', async () => {
    const unscoped = tokenIn(await cloud.enter('acme', wire(jane)))
    for (const path of [`${base}/projects`, '/v3/auth/projects']) {
      const { json } = await cloud.call('GET', path, unscoped)
      assert.deepEqual(
        json.projects.map((one: { id: string }) => one.id),
        [project.id],
      )
    }
    assert.deepEqual((await cloud.call('GET', `${base}/domains`, unscoped)).json.domains, [])
    const scoped = await cloud.scoped(unscoped, { project: { id: project.id } })
    assert.equal(scoped.status, 201, scoped.text)
    const { token } = scoped.json
    assert.deepEqual(token.roles.map((role: { name: string }) => role.name).sort(), ['member', 'reader'])
    assert.deepEqual([...token.methods].sort(), ['saml2', 'token'])
    assert.deepEqual(token.user['OS-FEDERATION'].groups, [{ id: group.id }])
    const further = await cloud.scoped(tokenIn(scoped), { project: { id: project.id } })
    assert.equal(further.status, 201)
    assert.equal(further.json.token.expires_at, token.expires_at)
    const other = await cloud.scoped(unscoped, { project: { name: 'demo', domain: { id: 'default' } } })
    assert.equal(other.status, 401)
    const fewer = tokenIn(await cloud.enter('acme', wire({ ...jane, groups: 'admins' })))
    assert.equal((await cloud.scoped(fewer, { project: { id: project.id } })).status, 401)
  })

  test('its user is shown with where it comes from, and called as it was last', async () => {
    const first = (await cloud.enter('acme', wire({ ...jane, name: 'joe' }))).json.token.user
    const shown = (await cloud.call('GET', `/v3/users/${first.id}`, cloud.admin)).json.user
    assert.equal(shown.name, 'joe')
    assert.equal(shown.email, 'jane@acme.example')
    assert.deepEqual(shown.federated, [{ idp_id: 'acme', protocols: [{ protocol_id: 'saml2', unique_id: 'joe' }] }])
    const moved = await cloud.enter('acme', wire({ ...jane, name: 'joe', mail: 'joe@acme.example' }))
    assert.equal(moved.json.token.user.id, first.id)
    assert.equal((await cloud.call('GET', `/v3/users/${first.id}`, cloud.admin)).json.user.email, 'joe@acme.example')
  })

  test('is called otherwise from when an administrator says so', async () => {
    const { id } = (await cloud.enter('acme', wire({ ...jane, name: 'kim' }))).json.token.user
    const path = `/v3/users/${id}`
    const rename = async (name: string) => (await cloud.call('PATCH', path, cloud.admin, { user: { name } })).json.user
    const { json } = await cloud.call('PATCH', path, cloud.admin, { user: { name: 'kim', description: 'x' } })
    assert.deepEqual([json.user.name, json.user.description], ['kim', 'x'])
    assert.equal((await rename('kim of acme')).name, 'kim of acme')
    const again = await cloud.enter('acme', wire({ ...jane, name: 'kim' }))
    assert.deepEqual([again.json.token.user.id, again.json.token.user.name], [id, 'kim of acme'])
    const listed = await cloud.call('GET', `/v3/users?name=kim%20of%20acme`, cloud.admin)
    assert.deepEqual(
      listed.json.users.map((one: { id: string }) => one.id),
      [id],
    )
  })

  test('a disabled user does not get in, and its tokens end', async () => {
    const answer = await cloud.enter('acme', wire({ ...jane, name: 'mallory' }))
    const path = `/v3/users/${answer.json.token.user.id}`
    await cloud.call('PATCH', path, cloud.admin, { user: { enabled: false } })
    assert.equal((await cloud.show(tokenIn(answer))).status, 404)
    assert.equal((await cloud.enter('acme', wire({ ...jane, name: 'mallory' }))).status, 401)
  })

  test('by the method, whatever its name, for a scope at once', async () => {
    for (const method of ['mapped', 'saml2', 'openid']) {
      const answer = await cloud.call(
        'POST',
        '/v3/auth/tokens',
        '',
        {
          auth: {
            identity: { methods: [method], [method]: { identity_provider: 'acme', protocol: 'saml2' } },
            scope: { project: { id: project.id } },
          },
        },
        cloud.headersOf(wire(jane)),
      )
      assert.equal(answer.status, 201, answer.text)
      assert.deepEqual(answer.json.token.methods, [method])
      assert.equal(answer.json.token.project.id, project.id)
    }
  })

  test('a federated token can be shown by the method that it was got by; another cannot', async () => {
    const rescoped = (token: string) =>
      cloud.call('POST', '/v3/auth/tokens', '', {
        auth: { identity: { methods: ['saml2'], saml2: { id: token } }, scope: { project: { id: project.id } } },
      })
    assert.equal((await rescoped(tokenIn(await cloud.enter('acme', wire(jane))))).status, 201)
    assert.equal((await rescoped(cloud.admin)).status, 401)
  })

  test('what no rule matches, or is said by nobody, is refused', async () => {
    const none = await cloud.enter('acme', wire({ name: 'x' }))
    assert.equal(none.status, 401)
    assert.match(none.json.error.message, /Could not map any federated user properties/)
    assert.equal((await cloud.enter('nobody', wire(jane))).status, 404)
    assert.equal((await cloud.enter('acme', wire(jane), 'openid')).status, 404)
  })
})

describe('who does not stand in for the proxy', () => {
  test('headers from anywhere else count for nothing', async () => {
    for (const options of [{}, { trusted_proxies: ['192.0.2.1', '2001:db8::/32'] }]) {
      const cloud = await startFederation(options)
      await cloud.provider('acme', byName())
      const headers = cloud.headersOf({ 'remote-user': 'admin', groups: 'x' })
      const enter = await cloud.enter('acme', { 'remote-user': 'admin', groups: 'x' })
      assert.equal(enter.status, 401)
      const external = { auth: { identity: { methods: ['external'], external: {} } } }
      const mapped = { identity_provider: 'acme', protocol: 'saml2' }
      const answers = [
        cloud.call('POST', '/v3/auth/tokens', '', external, headers),
        cloud.call('POST', '/v3/auth/tokens', '', { auth: { identity: { methods: ['mapped'], mapped } } }, headers),
      ]
      assert.deepEqual(await statuses(answers), [401, 401])
      await cloud.close()
    }
  })

  test('headers that begin otherwise count for nothing', async () => {
    const cloud = await startFederation({ trusted_proxies: ['127.0.0.1'], assertion_prefix: 'OIDC-' })
    await cloud.provider('acme', [
      { local: [{ user: { name: '{0}' } }], remote: [{ type: 'HTTP_OIDC_CLAIM_SUB' }, { type: 'OIDC_ISS' }] },
    ])
    const path = `${base}/identity_providers/acme/protocols/saml2/auth`
    const enter = (headers: Record<string, string>) => cloud.call('POST', path, '', undefined, headers)
    assert.equal((await enter({ 'OIDC-CLAIM-sub': 'a', OIDC_ISS: 'b' })).status, 201)
    assert.equal((await enter({ 'OIDC-CLAIM-sub': 'a', 'HTTP-OIDC-ISS': 'b' })).status, 401)
    assert.equal((await enter({ 'X-Federation-OIDC-CLAIM-sub': 'a', OIDC_ISS: 'b' })).status, 401)
    await cloud.close()
  })
})

describe('the end of a federated token', () => {
  let cloud: Federation
  before(async () => {
    cloud = await startFederation()
  })
  after(() => cloud.close())
  const enter = (id: string) => cloud.enter(id, { 'remote-user': 'u', groups: 'x' })

  test('comes at once when its identity provider is disabled, and is lifted when it is enabled', async () => {
    await cloud.provider('one', byName())
    const token = tokenIn(await enter('one'))
    assert.equal((await cloud.show(token)).status, 200)
    const enable = (enabled: boolean) =>
      cloud.call('PATCH', `${base}/identity_providers/one`, cloud.admin, { identity_provider: { enabled } })
    await enable(false)
    assert.equal((await cloud.show(token)).status, 404)
    const refused = await enter('one')
    assert.equal(refused.status, 403)
    assert.match(refused.json.error.message, /Identity Provider one is disabled/)
    await enable(true)
    assert.equal((await enter('one')).status, 201)
  })

  for (const [what, path] of [
    ['identity provider', 'two'],
    ['protocol', 'three/protocols/saml2'],
  ] as const)
    test(`comes with the end of its ${what}, and of the users that nobody else knows`, async () => {
      const [id] = path.split('/') as [string]
      await cloud.provider(id, byName())
      const answer = await enter(id)
      const user = `/v3/users/${answer.json.token.user.id}`
      assert.equal((await cloud.call('GET', user, cloud.admin)).status, 200)
      const gone = await cloud.call('DELETE', `${base}/identity_providers/${path}`, cloud.admin)
      assert.equal(gone.status, 204, gone.text)
      assert.equal((await cloud.show(tokenIn(answer))).status, 404)
      assert.equal((await cloud.call('GET', user, cloud.admin)).status, 404)
    })
})

describe('what a mapping makes of a user', () => {
  let cloud: Federation
  before(async () => {
    cloud = await startFederation()
  })
  after(() => cloud.close())
  const user = { 'remote-user': 'u', groups: 'x' }

  test('a local user is the one that there is, with what it has', async () => {
    await cloud.provider('local', [
      {
        local: [{ user: { name: '{0}', type: 'local', domain: { id: 'default' } } }],
        remote: [{ type: 'REMOTE_USER' }],
      },
    ])
    const answer = await cloud.enter('local', { 'remote-user': 'demo' })
    assert.equal(answer.status, 201, answer.text)
    assert.equal(answer.json.token.user.name, 'demo')
    assert.equal(answer.json.token.user['OS-FEDERATION'], undefined)
    assert.equal((await cloud.scoped(tokenIn(answer), inProject('demo'))).status, 201)
    assert.equal((await cloud.enter('local', { 'remote-user': 'nobody' })).status, 401)
  })

  test('users of the same name as others are nobody but themselves', async () => {
    await cloud.provider('inside', byName(), { idp: { domain_id: 'default' } })
    await cloud.provider('beside', byName(), { idp: { domain_id: 'default' } })
    const ids = []
    for (const idp of ['inside', 'beside']) {
      const answer = await cloud.enter(idp, { 'remote-user': 'admin', groups: 'x' })
      assert.equal(answer.status, 201, answer.text)
      assert.equal(answer.json.token.user.name, 'admin')
      assert.equal((await cloud.scoped(tokenIn(answer), inProject('admin'))).status, 401)
      ids.push(answer.json.token.user.id)
    }
    assert.equal(new Set(ids).size, 2)
    // The password of the user that was made here is still that of its name.
    await cloud.login({ name: 'admin', password: 'admin-secret' })
    const { json } = await cloud.call('GET', '/v3/users?name=admin', cloud.admin)
    assert.equal(json.users.length, 3)
  })

  test('projects are made, with roles, in the domain of the identity provider', async () => {
    const projects = [
      { name: 'lab of {0}', roles: [{ name: 'member' }] },
      { name: 'shared', roles: [{ name: 'reader' }] },
    ]
    const domainId = await cloud.provider('maker', byName({ projects }))
    const token = tokenIn(await cloud.enter('maker', user))
    const { json } = await cloud.call('GET', `${base}/projects`, token)
    assert.deepEqual(
      json.projects.map((one: { name: string; domain_id: string }) => [one.name, one.domain_id]),
      [
        ['lab of u', domainId],
        ['shared', domainId],
      ],
    )
    const scoped = await cloud.scoped(token, { project: { id: json.projects[0].id } })
    assert.equal(scoped.json.token.roles.length, 2)
    const second = tokenIn(await cloud.enter('maker', { ...user, 'remote-user': 'v' }))
    const theirs = (await cloud.call('GET', `${base}/projects`, second)).json.projects
    assert.equal(theirs[1].id, json.projects[1].id)
  })

  test('a role that is missing makes nothing', async () => {
    const domainId = await cloud.provider('wrong', byName({ projects: [{ name: 'p', roles: [{ name: 'none' }] }] }))
    assert.equal((await cloud.enter('wrong', user)).status, 404)
    const made = await cloud.call('GET', `/v3/projects?domain_id=${domainId}`, cloud.admin)
    assert.deepEqual(made.json.projects, [])
    const users = await cloud.call('GET', `/v3/users?domain_id=${domainId}`, cloud.admin)
    assert.deepEqual(users.json.users, [])
  })

  test('a domain of the mapping is that of its user and its projects since 2.0, and not before', async () => {
    const local = { domain: { name: 'Default' }, projects: [{ name: 'in-{0}', roles: [{ name: 'reader' }] }] }
    const rules = [{ local: [{ user: { name: '{0}' }, ...local }], remote: [{ type: 'REMOTE_USER' }] }]
    const own = await cloud.provider('old', rules)
    await cloud.provider('new', rules, { version: '2.0' })
    for (const [idp, expected] of [
      ['old', own],
      ['new', 'default'],
    ] as const) {
      const answer = await cloud.enter(idp, { 'remote-user': `of-${idp}` })
      assert.equal(answer.status, 201, answer.text)
      assert.equal(answer.json.token.user.domain.id, expected)
      const { json } = await cloud.call('GET', `${base}/projects`, tokenIn(answer))
      assert.equal(json.projects[0].domain_id, expected)
    }
  })

  test('since 3.0 an attribute may list projects, and what it lists no more is taken away', async () => {
    const rules = [
      {
        local: [{ user: { name: '{0}' }, projects_json: '{1}' }],
        remote: [{ type: 'REMOTE_USER' }, { type: 'PROJECTS' }],
      },
    ]
    await cloud.provider('listing', rules, { version: '3.0' })
    const names = async (projects: unknown) => {
      const answer = await cloud.enter('listing', { 'remote-user': 'l', projects: JSON.stringify(projects) })
      assert.equal(answer.status, 201, answer.text)
      const { json } = await cloud.call('GET', `${base}/projects`, tokenIn(answer))
      return json.projects.map((one: { name: string }) => one.name)
    }
    const project = (name: string) => ({ name, roles: [{ name: 'member' }] })
    assert.deepEqual(await names([project('a'), project('b')]), ['a', 'b'])
    assert.deepEqual(await names([project('b')]), ['b'])
    const wrong = await cloud.enter('listing', { 'remote-user': 'l', projects: '[{"name":"x"}]' })
    assert.equal(wrong.status, 401)
  })

  test('the identity provider that is meant must be the one that speaks', async () => {
    await cloud.provider('remote', byName(), { idp: { remote_ids: ['urn:right'] } })
    const protocol = { mapping_id: 'remote', remote_id_attribute: 'ISS' }
    const path = `${base}/identity_providers/remote/protocols/saml2`
    await cloud.call('PATCH', path, cloud.admin, { protocol })
    assert.deepEqual(
      await statuses([
        cloud.enter('remote', { ...user, iss: 'urn:right' }),
        cloud.enter('remote', { ...user, iss: 'urn:wrong' }),
        cloud.enter('remote', user),
      ]),
      [201, 403, 401],
    )
  })

  test('more groups than a token holds are refused', async () => {
    const names = Array.from({ length: 201 }, (_, at) => `many-${at}`)
    for (const name of names) await cloud.make('group', { name })
    await cloud.provider('many', byName({ groups: '{1}', domain: { id: 'default' } }))
    const fits = await cloud.enter('many', { ...user, groups: names.slice(1).join(';') })
    assert.equal(fits.status, 201, fits.text)
    assert.equal((await cloud.show(tokenIn(fits))).json.token.user['OS-FEDERATION'].groups.length, 200)
    assert.equal((await cloud.enter('many', { ...user, groups: names.join(';') })).status, 403)
  })
})

describe('groups that an identity provider vouches for, for a time', () => {
  let cloud: Federation
  let group: { id: string }
  let project: { id: string }
  before(async () => {
    cloud = await startFederation()
    group = await cloud.make('group', { name: 'temps' })
    project = await cloud.make('project', { name: 'site' })
    await cloud.grant(`projects/${project.id}/groups/${group.id}`, cloud.roles.member)
    const local = { groups: '{1}', domain: { id: 'default' } }
    await cloud.provider('agency', byName(local), { idp: { authorization_ttl: 30 } })
  })
  after(() => cloud.close())
  const enter = (groups: string) => cloud.enter('agency', { 'remote-user': 't', groups })

  test('let application credentials and trusts work until then, and again after another login', async () => {
    const unscoped = await enter('temps')
    const scoped = tokenIn(await cloud.scoped(tokenIn(unscoped), { project: { id: project.id } }))
    const userId = unscoped.json.token.user.id
    const made = await cloud.call('POST', `/v3/users/${userId}/application_credentials`, scoped, {
      application_credential: { name: 'ci' },
    })
    assert.equal(made.status, 201, made.text)
    const { id, secret } = made.json.application_credential
    const login = async () => {
      const answer = await cloud.call('POST', '/v3/auth/tokens', '', {
        auth: { identity: { methods: ['application_credential'], application_credential: { id, secret } } },
      })
      return answer
    }
    const first = await login()
    assert.equal(first.status, 201, first.text)
    assert.equal(first.json.token.user['OS-FEDERATION'], undefined)
    const trust = await cloud.call('POST', '/v3/OS-TRUST/trusts', scoped, {
      trust: {
        trustor_user_id: userId,
        trustee_user_id: userId,
        project_id: project.id,
        impersonation: false,
        roles: [{ name: 'member' }],
      },
    })
    assert.equal(trust.status, 201, trust.text)
    const projects = await cloud.call('GET', `/v3/users/${userId}/projects`, cloud.admin)
    assert.deepEqual(
      projects.json.projects.map((one: { id: string }) => one.id),
      [project.id],
    )
    const groups = await cloud.call('GET', `/v3/users/${userId}/groups`, cloud.admin)
    assert.match(groups.json.groups[0].membership_expires_at, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    cloud.advance(31 * minutes)
    assert.equal((await login()).status, 401)
    assert.equal((await cloud.show(tokenIn(first))).status, 404)
    await enter('temps')
    assert.equal((await login()).status, 201)
    await enter('others')
    assert.equal((await login()).status, 401)
  })

  test('are none where nothing says for how long', async () => {
    await cloud.provider('strangers', byName({ groups: '{1}', domain: { id: 'default' } }))
    const answer = await cloud.enter('strangers', { 'remote-user': 's', groups: 'temps' })
    const userId = answer.json.token.user.id
    const { json } = await cloud.call('GET', `/v3/users/${userId}/groups`, cloud.admin)
    assert.deepEqual(json.groups, [])
    const scoped = tokenIn(await cloud.scoped(tokenIn(answer), { project: { id: project.id } }))
    const made = await cloud.call('POST', `/v3/users/${userId}/application_credentials`, scoped, {
      application_credential: { name: 'ci' },
    })
    assert.equal(made.status, 400)
    assert.match(made.json.error.message, /Could not find role assignment with role/)
  })
})

describe('a user that the proxy itself logged in', () => {
  test('is found by name, in the domain that it is said to be of', async () => {
    const cloud = await startFederation()
    const domain = await cloud.make('domain', { name: 'Elsewhere' })
    const jane = await cloud.make('user', { name: 'jane', domain_id: domain.id })
    const enter = (attributes: Attributes) =>
      cloud.call(
        'POST',
        '/v3/auth/tokens',
        '',
        { auth: { identity: { methods: ['external'], external: {} } } },
        cloud.headersOf(attributes),
      )
    const demo = await enter({ 'remote-user': 'demo' })
    assert.equal(demo.status, 201, demo.text)
    assert.deepEqual([demo.json.token.user.name, demo.json.token.methods], ['demo', ['external']])
    const found = await enter({ 'Remote-User': 'jane', 'Remote-Domain': 'Elsewhere' })
    assert.equal(found.json.token.user.id, jane.id)
    assert.deepEqual(
      await statuses([
        enter({}),
        enter({ 'remote-user': 'jane' }),
        enter({ 'remote-user': 'demo;admin' }),
        enter({ 'remote-user': 'demo', 'remote-domain': 'Nowhere' }),
      ]),
      [401, 401, 401, 401],
    )
    await cloud.close()
  })
})

describe('how users may log in from elsewhere', () => {
  let cloud: Federation & Identity
  before(async () => {
    cloud = await startFederation()
    await cloud.provider('acme', byName())
    await cloud.provider('beta', byName())
  })
  after(() => cloud.close())
  const identity = (idp: string, unique: string) => ({
    idp_id: idp,
    protocols: [{ protocol_id: 'saml2', unique_id: unique }],
  })

  test('is said when they are made or changed, shown, and looked for', async () => {
    const federated = [identity('acme', 'jane@acme'), identity('beta', 'jane@beta')]
    const jane = await cloud.make('user', { name: 'jane', federated })
    assert.deepEqual(jane.federated, federated)
    const answer = await cloud.enter('acme', { 'remote-user': 'jane@acme', groups: 'x' })
    assert.equal(answer.status, 201, answer.text)
    // Its unique id is written as it is in addresses.
    assert.notEqual(answer.json.token.user.id, jane.id)
    const path = `/v3/users/${jane.id}`
    const changed = await cloud.call('PATCH', path, cloud.admin, { user: { federated: [identity('acme', 'jane')] } })
    assert.equal(changed.status, 200, changed.text)
    assert.deepEqual((await cloud.call('GET', path, cloud.admin)).json.user.federated, [identity('acme', 'jane')])
    const entered = await cloud.enter('acme', { 'remote-user': 'jane', groups: 'x' })
    assert.equal(entered.json.token.user.id, jane.id)
    assert.equal(entered.json.token.user.name, 'jane')
    const find = async (query: string) =>
      (await cloud.call('GET', `/v3/users?${query}`, cloud.admin)).json.users.map((one: { id: string }) => one.id)
    assert.deepEqual(await find('unique_id=jane'), [jane.id])
    assert.equal((await find('idp_id=acme')).length, 2)
    assert.deepEqual(await find('idp_id=beta'), [])
    assert.deepEqual(await find('idp_id=acme&protocol_id=saml2&unique_id=jane'), [jane.id])
    assert.deepEqual(await find('protocol_id=openid'), [])
  })

  test('is refused when it is of nobody, or of another', async () => {
    const create = (federated: unknown) =>
      cloud.call('POST', '/v3/users', cloud.admin, { user: { name: 'other', federated } })
    const wrong = [
      [identity('none', 'x')],
      [{ idp_id: 'acme', protocols: [{ protocol_id: 'openid', unique_id: 'x' }] }],
      [{ idp_id: 'acme', protocols: [] }],
      [{ idp_id: 'acme' }],
      'x',
    ]
    assert.deepEqual(await statuses(wrong.map(create)), [400, 400, 400, 400, 400])
    assert.equal((await create([identity('acme', 'jane')])).status, 409)
  })
})
