import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { statuses } from '../harness.test.ts'
import { type Attributes, base, byName, type Federation, startFederation, tokenIn } from './test-proxy.ts'

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
