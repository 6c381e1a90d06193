import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Identity, inProject, statuses } from '../harness.test.ts'
import { base, byName, type Federation, startFederation, tokenIn } from './test-proxy.ts'

const minutes = 60_000

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

  test('a user that enters for the first time several times at once is one user', async () => {
    await cloud.provider('rush', byName({ projects: [{ name: 'rushed', roles: [{ name: 'member' }] }] }))
    const answers = await Promise.all(Array.from({ length: 5 }, () => cloud.enter('rush', user)))
    assert.equal(new Set(answers.map(answer => answer.json.token.user.id)).size, 1)
    assert.equal((await cloud.call('GET', '/v3/projects?name=rushed', cloud.admin)).json.projects.length, 1)
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
    const given = await cloud.call('GET', `/v3/role_assignments?effective&user.id=${userId}`, cloud.admin)
    assert.ok(given.json.role_assignments.some((one: { role: { id: string } }) => one.role.id === cloud.roles.member))
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
