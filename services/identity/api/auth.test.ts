import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { authBody, type Identity, inProject, plan, publicUrl, startIdentity } from '../harness.test.ts'

let cloud: Identity
before(async () => {
  cloud = await startIdentity()
})
after(() => cloud.close())

const demo = { name: 'demo', password: plan.demoPassword }
const adminLogin = { name: 'admin', password: plan.adminPassword }
let count = 0
/** A user that no other test knows, with a role on a project of its own. */
async function newcomer(values: object = {}) {
  const name = `user${++count}`
  const project = await cloud.make('project', { name: `project${count}` })
  const user = await cloud.make('user', { name, password: 'pw', ...values })
  await cloud.grant(`projects/${project.id}/users/${user.id}`, cloud.roles.member)
  return { name, password: 'pw', id: user.id as string, project: project as { id: string; name: string } }
}

describe('versions', () => {
  test('the root names the versions, with addresses as the caller reached it', async () => {
    for (const path of ['', '/']) {
      const { status, json, headers } = await cloud.call('GET', path, '', undefined, { host: 'id.example:81' })
      assert.equal(status, 300)
      assert.equal(json.versions.values[0].links[0].href, 'http://id.example:81/identity/v3/')
      assert.equal(headers['location'], 'http://id.example:81/identity/v3/')
    }
    for (const path of ['/v3', '/v3/']) {
      const { status, json } = await cloud.call('GET', path, '')
      assert.deepEqual([status, json.version.id, json.version.status], [200, 'v3.14', 'stable'])
    }
  })
})

describe('login', () => {
  test('a token for a project has all members of the body, and no others', async () => {
    const answer = await cloud.tryLogin({ ...demo, scope: inProject('demo') })
    assert.equal(answer.status, 201)
    const { token } = answer.json
    assert.deepEqual(Object.keys(token).sort(), [
      ...['audit_ids', 'catalog', 'expires_at', 'is_domain', 'issued_at', 'methods', 'project', 'roles', 'user'],
    ])
    assert.deepEqual(token.methods, ['password'])
    assert.deepEqual(token.user, {
      domain: { id: 'default', name: 'Default' },
      id: token.user.id,
      name: 'demo',
      password_expires_at: null,
    })
    assert.deepEqual(token.project, { domain: { id: 'default', name: 'Default' }, id: token.project.id, name: 'demo' })
    assert.deepEqual(token.roles.map((role: { name: string }) => role.name).sort(), ['member', 'reader'])
    for (const time of [token.issued_at, token.expires_at])
      assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    assert.equal(Date.parse(token.expires_at) - Date.parse(token.issued_at), 3_600_000)
    assert.match(token.audit_ids[0], /^[\w-]{22}$/)
    const compute = token.catalog.find((entry: { type: string }) => entry.type === 'compute')
    assert.equal(compute.name, 'nova')
    assert.deepEqual(compute.endpoints.map((one: { interface: string }) => one.interface).sort(), [
      ...['admin', 'internal', 'public'],
    ])
    const { id: _, ...endpoint } = compute.endpoints[0]
    assert.deepEqual(endpoint, {
      interface: 'admin',
      region: 'RegionOne',
      region_id: 'RegionOne',
      url: `${publicUrl}/compute/v2.1`,
    })
  })

  test('user and project can be named by id, and the domain by name', async () => {
    const who = await newcomer()
    const body = (await cloud.tryLogin({ ...who, scope: { project: { id: who.project.id } } })).json.token
    assert.equal(body.project.id, who.project.id)
    const scope = { project: { name: who.project.name, domain: { name: 'Default' } } }
    assert.equal((await cloud.tryLogin({ ...who, scope })).json.token.user.id, who.id)
  })

  test('without a scope the default project is taken, and `unscoped` leaves it', async () => {
    assert.equal((await cloud.tryLogin(demo)).json.token.project.name, 'demo')
    for (const scope of ['unscoped', { unscoped: {} }]) {
      const { token } = (await cloud.tryLogin({ ...demo, scope })).json
      assert.deepEqual(Object.keys(token).sort(), ['audit_ids', 'expires_at', 'issued_at', 'methods', 'user'])
    }
    const who = await newcomer()
    assert.equal((await cloud.tryLogin(who)).json.token.project, undefined)
    const elsewhere = await cloud.make('project', { name: 'elsewhere' })
    await cloud.call('PATCH', `/v3/users/${who.id}`, cloud.admin, { user: { default_project_id: elsewhere.id } })
    assert.equal((await cloud.tryLogin(who)).json.token.project, undefined)
  })

  test('a token can be for the system or a domain, by those who have a role there', async () => {
    const system = (await cloud.tryLogin({ ...adminLogin, scope: { system: { all: true } } })).json.token
    assert.deepEqual(system.system, { all: true })
    assert.ok(system.catalog.length > 0 && !system.project && !system.domain)
    const who = await newcomer()
    for (const scope of [{ system: { all: true } }, { domain: { id: 'default' } }])
      assert.equal((await cloud.tryLogin({ ...who, scope })).status, 401)
    await cloud.grant(`domains/default/users/${who.id}`, cloud.roles.reader)
    const domain = (await cloud.tryLogin({ ...who, scope: { domain: { name: 'Default' } } })).json.token
    assert.deepEqual(domain.domain, { id: 'default', name: 'Default' })
  })

  test('a token gets another scope, its end and its chain stay', async () => {
    const first = await cloud.tryLogin({ ...demo, scope: 'unscoped' })
    const again = await cloud.tryLogin({ token: String(first.headers['x-subject-token']), scope: inProject('demo') })
    assert.equal(again.status, 201)
    assert.deepEqual(again.json.token.methods, ['password', 'token'])
    assert.equal(again.json.token.expires_at, first.json.token.expires_at)
    assert.equal(again.json.token.audit_ids[1], first.json.token.audit_ids[0])
  })

  test('whatever is wrong with a login, it is told in the same words', async () => {
    const off = await newcomer({ enabled: false })
    const other = await cloud.make('domain', { name: 'off', enabled: false })
    await cloud.make('user', { name: 'u', password: 'pw', domain_id: other.id })
    const failures = [
      { ...demo, password: 'wrong' },
      { name: 'nobody', password: 'x' },
      { id: 'nobody', password: 'x' },
      { name: 'demo', domain: 'nowhere', password: plan.demoPassword },
      { ...off },
      { name: 'u', domain: other.id, password: 'pw' },
      { ...demo, scope: inProject('admin') },
      { ...demo, scope: inProject('nothing') },
      { ...demo, scope: { project: { id: 'nothing' } } },
      { ...demo, scope: { domain: { id: 'default' } } },
    ]
    const answers = await Promise.all(failures.map(one => cloud.tryLogin(one)))
    const words = new Set(answers.map(answer => `${answer.status} ${answer.text}`))
    assert.deepEqual(
      [...words],
      [
        '401 {"error":{"code":401,"title":"Unauthorized","message":"The request you have made requires authentication."}}',
      ],
    )
  })

  test('a token that is none is not found, however it was made', async () => {
    for (const token of ['gAAAAA', cloud.admin.slice(0, -2)])
      assert.deepEqual((await cloud.tryLogin({ token })).json.error, {
        code: 404,
        message: 'Could not find token.',
        title: 'Not Found',
      })
  })

  test('a malformed login is refused with the name of what is wrong', async () => {
    const post = (body: unknown) => cloud.call('POST', '/v3/auth/tokens', '', body)
    const identity = authBody(demo).auth.identity
    const cases: [unknown, RegExp][] = [
      [{}, /auth/],
      [{ auth: {} }, /identity/],
      [{ auth: { identity: {} } }, /methods/],
      [{ auth: { identity: { methods: ['password'] } } }, /password/],
      [{ auth: { identity: { methods: ['token'] } } }, /token/],
      [{ auth: { identity: { methods: ['password'], password: { user: { password: 'x' } } } } }, /id|name/],
      [{ auth: { identity: { methods: ['password'], password: { user: { name: 'x', password: 'x' } } } } }, /domain/],
      [{ auth: { identity: { methods: ['password'], password: { user: { id: 'x', password: 1 } } } } }, /password/],
      [{ auth: { identity, scope: { project: { name: 'demo' } } } }, /domain/],
      [{ auth: { identity, scope: { project: {} } } }, /project/],
      [{ auth: { identity, scope: { system: {} } } }, /all/],
      [{ auth: { identity, scope: { planet: {} } } }, /scope/],
      ['{', /JSON/],
    ]
    for (const [body, field] of cases) {
      const answer = await (typeof body === 'string'
        ? cloud.call('POST', '/v3/auth/tokens', '', body, { 'content-type': 'application/json' })
        : post(body))
      assert.equal(answer.status, 400, JSON.stringify(body))
      assert.match(answer.json.error.message, field)
      assert.equal(answer.json.error.title, 'Bad Request')
    }
    const unknown = await post({ auth: { identity: { methods: ['retina'] } } })
    assert.deepEqual(
      [unknown.status, unknown.json.error.message],
      [401, 'Attempted to authenticate with an unsupported method.'],
    )
  })
})

describe('checking tokens', () => {
  test('the answer of a check is that of the login', async () => {
    const issued = await cloud.tryLogin({ ...demo, scope: inProject('demo') })
    const text = String(issued.headers['x-subject-token'])
    for (const as of [text, cloud.admin]) {
      const shown = await cloud.show(text, as)
      assert.equal(shown.status, 200)
      assert.deepEqual(shown.json, issued.json)
      assert.equal(shown.headers['x-subject-token'], text)
    }
    const { token } = (await cloud.show(text, text, '?nocatalog')).json
    assert.equal(token.catalog, undefined)
    assert.equal(token.project.name, 'demo')
    const head = await cloud.call('HEAD', '/v3/auth/tokens', text, undefined, { 'x-subject-token': text })
    assert.deepEqual([head.status, head.text], [200, ''])
  })

  test('others’ tokens are shown to administrators and services alone', async () => {
    const who = await newcomer()
    const own = await cloud.login(who)
    const nova = await cloud.login({
      name: 'nova',
      password: plan.servicePassword('nova'),
      scope: inProject('service'),
    })
    assert.equal((await cloud.show(own, nova)).status, 200)
    const refused = await cloud.show(cloud.admin, own)
    assert.equal(refused.status, 403)
    assert.match(refused.json.error.message, /identity:validate_token/)
    assert.equal((await cloud.show('gAAAAA', nova)).status, 404)
    assert.equal((await cloud.call('GET', '/v3/auth/tokens', nova)).status, 404)
    assert.equal((await cloud.show(own, '')).status, 401)
    assert.equal((await cloud.show(own, `${nova.slice(0, -3)}AAA`)).status, 401)
  })

  test('a deleted token is no longer valid, others of the same user are', async () => {
    const [one, other] = [await cloud.login(demo), await cloud.login(demo)]
    assert.equal((await cloud.show(one)).status, 200)
    const gone = await cloud.call('DELETE', '/v3/auth/tokens', one, undefined, { 'x-subject-token': one })
    assert.equal(gone.status, 204)
    assert.equal((await cloud.show(one)).status, 404)
    assert.equal((await cloud.call('GET', '/v3/auth/projects', one)).status, 401)
    assert.equal((await cloud.show(other)).status, 200)
  })

  test('a token says what is so now: roles come and go with their assignments', async () => {
    const who = await newcomer()
    const token = await cloud.login({ ...who, scope: { project: { id: who.project.id } } })
    const names = async () => (await cloud.show(token)).json.token?.roles?.map((role: { name: string }) => role.name)
    assert.deepEqual(await names(), ['member', 'reader'])
    const path = `projects/${who.project.id}/users/${who.id}`
    await cloud.grant(path, cloud.roles.manager)
    assert.deepEqual(await names(), ['manager', 'member', 'reader'])
    await cloud.call('DELETE', `/v3/${path}/roles/${cloud.roles.manager}`, cloud.admin)
    assert.deepEqual(await names(), ['member', 'reader'])
    await cloud.call('DELETE', `/v3/${path}/roles/${cloud.roles.member}`, cloud.admin)
    assert.equal(await names(), undefined)
  })

  for (const [what, change] of Object.entries({
    user: (who: { id: string }) => [`/v3/users/${who.id}`, 'user'] as const,
    project: (who: { project: { id: string } }) => [`/v3/projects/${who.project.id}`, 'project'] as const,
  }))
    test(`tokens of a disabled ${what} end, and stay ended when it is enabled again`, async () => {
      const who = await newcomer()
      const token = await cloud.login({ ...who, scope: { project: { id: who.project.id } } })
      assert.equal((await cloud.show(token)).status, 200)
      const [path, key] = change(who)
      const set = async (enabled: boolean) =>
        assert.equal((await cloud.call('PATCH', path, cloud.admin, { [key]: { enabled } })).status, 200)
      await set(false)
      assert.equal((await cloud.show(token)).status, 404)
      await set(true)
      assert.equal((await cloud.show(token)).status, 404)
      cloud.advance(5)
      const next = await cloud.login({ ...who, scope: { project: { id: who.project.id } } })
      assert.equal((await cloud.show(next)).status, 200)
    })

  test('a password changed by its user ends the older tokens', async () => {
    const who = await newcomer()
    const token = await cloud.login(who)
    const change = (original_password: string, password: string) =>
      cloud.call('POST', `/v3/users/${who.id}/password`, '', { user: { original_password, password } })
    assert.equal((await change('wrong', 'pw2')).status, 401)
    assert.equal((await change('pw', 'pw2')).status, 204)
    assert.equal((await cloud.show(token)).status, 404)
    assert.equal((await cloud.tryLogin(who)).status, 401)
    cloud.advance(5)
    assert.equal((await cloud.tryLogin({ ...who, password: 'pw2' })).status, 201)
  })

  test('a password set by an administrator ends the older tokens, and null takes it away', async () => {
    const who = await newcomer()
    const token = await cloud.login(who)
    const set = (password: string | null) =>
      cloud.call('PATCH', `/v3/users/${who.id}`, cloud.admin, { user: { password } })
    const { status, json } = await set('pw3')
    assert.deepEqual([status, 'password' in json.user], [200, false])
    assert.equal((await cloud.show(token)).status, 404)
    assert.equal((await cloud.tryLogin({ ...who, password: 'pw3' })).status, 201)
    await set(null)
    assert.equal((await cloud.tryLogin({ ...who, password: 'pw3' })).status, 401)
  })
})

describe('what a caller may ask about itself', () => {
  test('its projects, domains, system and catalog', async () => {
    const who = await newcomer()
    const token = await cloud.login({ ...who, scope: { project: { id: who.project.id } } })
    const get = async (path: string, as = token) => (await cloud.call('GET', `/v3/auth/${path}`, as)).json
    assert.deepEqual(
      (await get('projects')).projects.map((one: { id: string }) => one.id),
      [who.project.id],
    )
    assert.deepEqual((await get('domains')).domains, [])
    assert.deepEqual((await get('system')).system, [])
    assert.deepEqual((await get('system', cloud.admin)).system, [{ all: true }])
    assert.ok((await get('catalog')).catalog.length > 0)
    const unscoped = await cloud.login({ ...who, scope: 'unscoped' })
    assert.equal((await cloud.call('GET', '/v3/auth/catalog', unscoped)).status, 403)
    const domain = await cloud.make('domain', { name: 'seen' })
    await cloud.grant(`domains/${domain.id}/users/${who.id}`, cloud.roles.reader)
    assert.deepEqual(
      (await get('domains', unscoped)).domains.map((one: { name: string }) => one.name),
      ['seen'],
    )
  })

  test('a project that a group may enter, or that inherits a role, is among its projects', async () => {
    const who = await newcomer()
    const group = await cloud.make('group', { name: 'entrants' })
    const entered = await cloud.make('project', { name: 'entered' })
    await cloud.call('PUT', `/v3/groups/${group.id}/users/${who.id}`, cloud.admin)
    await cloud.grant(`projects/${entered.id}/groups/${group.id}`, cloud.roles.reader)
    const domain = await cloud.make('domain', { name: 'heirs' })
    const heir = await cloud.make('project', { name: 'heir', domain_id: domain.id })
    const path = `/v3/OS-INHERIT/domains/${domain.id}/users/${who.id}/roles/${cloud.roles.member}/inherited_to_projects`
    assert.equal((await cloud.call('PUT', path, cloud.admin)).status, 204)
    const token = await cloud.login({ ...who, scope: { project: { id: heir.id } } })
    const { projects } = (await cloud.call('GET', '/v3/auth/projects', token)).json
    const names = projects.map((one: { name: string }) => one.name)
    assert.deepEqual(names, ['entered', 'heir', who.project.name])
    assert.equal((await cloud.tryLogin({ ...who, scope: { domain: { id: domain.id } } })).status, 401)
  })
})

test('an ended token is shown to services that say they know, for a while', async () => {
  const aged = await startIdentity({ token_expiration: 60, allow_expired_window: 600 })
  try {
    const token = await aged.login({ ...demo, scope: inProject('demo') })
    aged.advance(61_000)
    const login = { name: 'nova', password: plan.servicePassword('nova'), scope: inProject('service') }
    const nova = await aged.login(login)
    assert.equal((await aged.show(token, nova)).status, 404)
    assert.equal((await aged.show(token, nova, '?allow_expired=1')).status, 200)
    assert.equal((await aged.call('GET', '/v3/auth/projects', token)).status, 401)
    aged.advance(600_000)
    assert.equal((await aged.show(token, await aged.login(login), '?allow_expired=1')).status, 404)
  } finally {
    await aged.close()
  }
})
