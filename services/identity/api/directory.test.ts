/** Users and groups of a domain that come from a directory, through HTTP and from a real slapd. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { notificationsTopic } from '@strata/toolkit/notifications'
import { until } from '@strata/toolkit/testing'
import { company, companyOptions, noSlapd, type Slapd, startSlapd } from '../drivers/ldap/test-slapd.ts'
import { noPam, startPam } from '../drivers/pam/test-pam.ts'
import { type Identity, inProject, startIdentity, statuses } from '../harness.test.ts'

let cloud: Identity
let slapd: Slapd
let domain: string
let project: string
const directoryOptions = (more: object = {}) => ({
  identity: { driver: 'ldap' },
  ldap: { ...companyOptions(slapd.url), ...more },
})
const publicId = (type: string, id: string, of = domain) => hash('sha256', `${of}${type}${id}`, 'hex')
const get = (path: string, as = cloud.admin) => cloud.call('GET', path, as)
const names = (rows: readonly { name: string }[]) => rows.map(one => one.name)
const login = (name: string, scope?: object) =>
  cloud.login({ name, domain, password: `${name}-secret`, scope: scope ?? inProject('works', domain) })
const configure = (config: object) => cloud.call('PUT', `/v3/domains/${domain}/config`, cloud.admin, { config })

describe('a domain of a directory', { skip: noSlapd }, () => {
  before(async () => {
    slapd = await startSlapd(company)
    cloud = await startIdentity({
      directory_cache_seconds: 30,
      login_failures_per_account: 0,
      login_failures_per_address: 0,
    })
    domain = (await cloud.make('domain', { name: 'company' })).id
    project = (await cloud.make('project', { name: 'works', domain_id: domain })).id
    assert.equal((await configure(directoryOptions())).status, 201)
  })
  after(async () => {
    await cloud?.close()
    await slapd?.close()
  })

  test('its users are listed and shown as the directory has them, under ids that stay', async () => {
    const { json } = await get(`/v3/users?domain_id=${domain}`)
    assert.deepEqual(names(json.users), ['ann', 'bob', 'cid', 'dora'])
    const [ann] = json.users
    const expected = {
      id: publicId('user', 'ann'),
      name: 'ann',
      domain_id: domain,
      enabled: true,
      email: 'ann@example.org',
      description: 'about ann',
      options: {},
      password_expires_at: null,
    }
    const { links, ...shown } = ann
    assert.deepEqual(shown, expected)
    assert.match(links.self, /\/v3\/users\/[0-9a-f]{64}$/)
    const alone = (await get(`/v3/users/${ann.id}`)).json.user
    assert.deepEqual(alone, ann)
    const groups = (await get(`/v3/groups?domain_id=${domain}`)).json.groups
    assert.deepEqual(names(groups), ['makers', 'staff'])
    assert.equal((await get(`/v3/groups/${groups[1].id}`)).json.group.description, 'all of them')
  })

  test('lists are filtered and paged', async () => {
    const list = async (query: string) => names((await get(`/v3/users?domain_id=${domain}&${query}`)).json.users)
    assert.deepEqual(await list('name=bob'), ['bob'])
    assert.deepEqual(await list('enabled=false'), ['cid'])
    assert.deepEqual(await list('name__icontains=O'), ['bob', 'dora'])
    assert.deepEqual(await list('name=*'), [])
    assert.deepEqual(await list('password_expires_at=lt:2099-01-01T00:00:00Z'), [])
    const first = (await get(`/v3/users?domain_id=${domain}&limit=3`)).json
    assert.deepEqual(names(first.users), ['ann', 'bob', 'cid'])
    const { pathname, search } = new URL(first.links.next)
    const second = (await get(pathname.replace('/identity', '') + search)).json
    assert.deepEqual([names(second.users), second.links.next], [['dora'], null])
    assert.equal((await get(`/v3/users?domain_id=${domain}&marker=none`)).status, 400)
    await configure({ ...directoryOptions(), identity: { driver: 'ldap', list_limit: 2 } })
    assert.deepEqual(await list('limit=3'), ['ann', 'bob'])
    await configure(directoryOptions())
    // Who was seen is found without naming the domain, too.
    assert.deepEqual(names((await get('/v3/users?name=ann')).json.users), ['ann'])
  })

  test('members are those of the directory', async () => {
    const [staff, bob] = [publicId('group', 'staff'), publicId('user', 'bob')]
    assert.deepEqual(names((await get(`/v3/groups/${staff}/users`)).json.users).sort(), ['ann', 'bob'])
    assert.deepEqual(names((await get(`/v3/users/${bob}/groups`)).json.groups), ['makers', 'staff'])
    const member = (group: string, user: string) => cloud.call('HEAD', `/v3/groups/${group}/users/${user}`, cloud.admin)
    assert.deepEqual(await statuses([member(staff, bob), member(staff, publicId('user', 'dora'))]), [204, 404])
  })

  test('who is in a group of the directory logs in with the roles of that group', async () => {
    await get(`/v3/groups?domain_id=${domain}`)
    await cloud.grant(`projects/${project}/groups/${publicId('group', 'makers')}`, cloud.roles.member)
    const token = await login('bob')
    const { user, roles } = (await cloud.show(token)).json.token
    assert.deepEqual(
      [user.id, user.name, user.domain, names(roles).sort()],
      [publicId('user', 'bob'), 'bob', { id: domain, name: 'company' }, ['member', 'reader']],
    )
    assert.deepEqual(names((await get('/v3/auth/projects', token)).json.projects), ['works'])
    const byId = await cloud.tryLogin({ id: user.id, password: 'bob-secret', scope: inProject('works', domain) })
    assert.equal(byId.status, 201)
    const query = `user.id=${user.id}&effective&include_names`
    const found = (await get(`/v3/role_assignments?${query}`)).json.role_assignments
    assert.deepEqual(
      found.map((one: { user: object; role: { name: string } }) => [one.user, one.role.name]).sort(),
      ['member', 'reader'].map(role => [{ id: user.id, name: 'bob', domain: { id: domain, name: 'company' } }, role]),
    )
  })

  test('nobody else logs in, and all are told the same', async () => {
    await cloud.grant(`projects/${project}/users/${publicId('user', 'cid')}`, cloud.roles.member)
    const tries = [
      cloud.tryLogin({ name: 'bob', domain, password: 'wrong', scope: inProject('works', domain) }),
      cloud.tryLogin({ name: 'bob', domain, password: '', scope: inProject('works', domain) }),
      cloud.tryLogin({ name: 'nobody', domain, password: 'x' }),
      cloud.tryLogin({ name: '*', domain, password: 'bob-secret' }),
      cloud.tryLogin({ name: 'bob)(uid=*', domain, password: 'bob-secret' }),
      cloud.tryLogin({ id: publicId('user', 'nobody'), password: 'x' }),
      // Disabled, and without a role.
      cloud.tryLogin({ name: 'cid', domain, password: 'cid-secret', scope: inProject('works', domain) }),
      cloud.tryLogin({ name: 'dora', domain, password: 'dora-secret', scope: inProject('works', domain) }),
    ]
    const answers = await Promise.all(tries)
    assert.deepEqual(new Set(answers.map(one => one.status)), new Set([401]))
    assert.equal(new Set(answers.map(one => one.json.error.message)).size, 1)
  })

  test('it is not written unless the options say so', async () => {
    const bob = `/v3/users/${publicId('user', 'bob')}`
    const dora = publicId('user', 'dora')
    const call = (method: string, path: string, body?: object) => cloud.call(method, path, cloud.admin, body)
    assert.deepEqual(
      await statuses([
        call('POST', '/v3/users', { user: { name: 'eve', domain_id: domain } }),
        call('PATCH', bob, { user: { enabled: false } }),
        call('DELETE', bob),
        call('POST', '/v3/groups', { group: { name: 'x', domain_id: domain } }),
        call('PUT', `/v3/groups/${publicId('group', 'staff')}/users/${dora}`),
        call('POST', `${bob}/password`, { user: { original_password: 'bob-secret', password: 'new-secret' } }),
      ]),
      [403, 403, 403, 403, 403, 403],
    )
    await login('bob')
  })

  test('users and groups are not mixed across directories', async () => {
    const own = await cloud.make('group', { name: 'local' })
    const path = `/v3/groups/${own.id}/users/${publicId('user', 'bob')}`
    assert.equal((await cloud.call('PUT', path, cloud.admin)).status, 403)
    const { id } = await cloud.make('user', { name: 'localuser' })
    const other = `/v3/groups/${publicId('group', 'staff')}/users/${id}`
    assert.equal((await cloud.call('PUT', other, cloud.admin)).status, 403)
  })

  test('credentials for programs and trusts rest on users of a directory as on others', async () => {
    const token = await login('bob')
    const bob = publicId('user', 'bob')
    const made = await cloud.call('POST', `/v3/users/${bob}/application_credentials`, token, {
      application_credential: { name: 'ci' },
    })
    assert.equal(made.status, 201, made.text)
    const { id, secret } = made.json.application_credential
    const auth = { identity: { methods: ['application_credential'], application_credential: { id, secret } } }
    assert.equal((await cloud.call('POST', '/v3/auth/tokens', '', { auth })).status, 201)
    const named = { name: 'ci', user: { name: 'bob', domain: { id: domain } }, secret }
    const byName = { identity: { methods: ['application_credential'], application_credential: named } }
    assert.equal((await cloud.call('POST', '/v3/auth/tokens', '', { auth: byName })).status, 201)
  })

  test('a list of effective assignments has members whom nobody has seen yet', async () => {
    const own = await startIdentity()
    try {
      const { id } = await own.make('domain', { name: 'unseen' })
      await own.call('PUT', `/v3/domains/${id}/config`, own.admin, { config: directoryOptions() })
      await own.call('GET', `/v3/groups?domain_id=${id}`, own.admin)
      await own.grant(`domains/${id}/groups/${publicId('group', 'staff', id)}`, own.roles.reader)
      const query = `scope.domain.id=${id}&effective&include_names`
      const found = (await own.call('GET', `/v3/role_assignments?${query}`, own.admin)).json.role_assignments
      assert.deepEqual(names(found.map((one: { user: { name: string } }) => one.user)).sort(), ['ann', 'bob'])
    } finally {
      await own.close()
    }
  })

  test('those who may not are refused as everywhere', async () => {
    const token = await login('bob')
    const ann = publicId('user', 'ann')
    assert.deepEqual(
      await statuses([
        get(`/v3/users?domain_id=${domain}`, token),
        get(`/v3/users/${ann}`, token),
        get(`/v3/users/${publicId('user', 'bob')}`, token),
        cloud.call('PATCH', `/v3/users/${ann}`, token, { user: { enabled: false } }),
        cloud.call('POST', '/v3/users', token, { user: { name: 'x', domain_id: domain } }),
      ]),
      [403, 403, 200, 403, 403],
    )
    // A reader of the domain sees its users, and only those.
    await cloud.grant(`domains/${domain}/users/${ann}`, cloud.roles.reader)
    const reader = await login('ann', { domain: { id: domain } })
    assert.deepEqual(names((await get('/v3/users', reader)).json.users), ['ann', 'bob', 'cid', 'dora'])
    assert.deepEqual((await get('/v3/users?domain_id=default', reader)).json.users, [])
  })

  test('while it is away its users are told so, others go on, and then it is there again', async () => {
    const token = await login('bob')
    await slapd.stop()
    try {
      cloud.advance(60_000)
      const tried = await cloud.tryLogin({ name: 'bob', domain, password: 'bob-secret' })
      assert.equal(tried.status, 503)
      assert.doesNotMatch(tried.text, /127\.0\.0\.1|ECONN/)
      assert.deepEqual(
        await statuses([
          get(`/v3/users?domain_id=${domain}`),
          cloud.show(token),
          get('/v3/users?domain_id=default'),
          get('/v3/users'),
          cloud.tryLogin({ name: 'demo', password: 'demo-secret' }),
          get(`/v3/role_assignments?user.id=${publicId('user', 'bob')}&effective`),
        ]),
        [503, 503, 200, 200, 201, 200],
      )
    } finally {
      await slapd.start()
    }
    assert.equal((await cloud.show(token)).status, 200)
  })

  test('what is changed there is noticed: who leaves a group, is disabled or goes', async () => {
    assert.equal((await configure(directoryOptions(writes))).status, 200)
    const told: string[] = []
    cloud.service.environment.bus.subscribe(notificationsTopic, payload => {
      const { event_type: type, payload: about } = payload as {
        event_type: string
        payload: { resource_info?: string }
      }
      if (about.resource_info === eve) told.push(type)
    })
    let eve = ''
    const { json } = await cloud.call('POST', '/v3/users', cloud.admin, {
      user: { name: 'eve', domain_id: domain, password: 'eve-secret', email: 'eve@example.org' },
    })
    eve = json.user.id
    assert.equal(
      (await cloud.call('PATCH', `/v3/users/${eve}`, cloud.admin, { user: { description: 'e' } })).status,
      200,
    )
    const group = `/v3/groups/${publicId('group', 'makers')}/users/${eve}`
    assert.equal((await cloud.call('PUT', group, cloud.admin)).status, 204)
    const token = await login('eve')
    assert.equal((await cloud.call('PUT', group, cloud.admin)).status, 204)
    assert.equal((await cloud.call('DELETE', group, cloud.admin)).status, 204)
    assert.equal((await cloud.call('DELETE', group, cloud.admin)).status, 404)
    assert.equal((await cloud.show(token)).status, 404)
    await cloud.call('PUT', group, cloud.admin)
    const unscoped = await login('eve', {})
    assert.equal((await cloud.call('DELETE', `/v3/users/${eve}`, cloud.admin)).status, 204)
    assert.deepEqual(await statuses([cloud.show(unscoped), get(`/v3/users/${eve}`)]), [404, 404])
    await until('changes are told', () => told.includes('identity.user.deleted'))
    assert.ok(told.includes('identity.user.updated'))
    assert.deepEqual(names((await get(`/v3/users?domain_id=${domain}`)).json.users), ['ann', 'bob', 'cid', 'dora'])
  })

  test('passwords are changed by the user and by an administrator, and end older tokens', async () => {
    await configure(directoryOptions(writes))
    const { id } = (
      await cloud.call('POST', '/v3/users', cloud.admin, {
        user: { name: 'fay', domain_id: domain, password: 'first-secret' },
      })
    ).json.user
    const enter = (password: string) => cloud.tryLogin({ id, password, scope: 'unscoped' })
    const token = String((await enter('first-secret')).headers['x-subject-token'])
    const own = (original: string, password: string) =>
      cloud.call('POST', `/v3/users/${id}/password`, '', { user: { original_password: original, password } })
    assert.deepEqual(await statuses([own('wrong', 'second-secret')]), [401])
    assert.equal((await own('first-secret', 'second-secret')).status, 204)
    assert.equal((await cloud.show(token)).status, 404)
    assert.deepEqual(await statuses([enter('first-secret'), enter('second-secret')]), [401, 201])
    const set = { user: { password: 'third-secret', description: 'changed' } }
    const changed = await cloud.call('PATCH', `/v3/users/${id}`, cloud.admin, set)
    assert.deepEqual([changed.status, changed.json.user.description], [200, 'changed'])
    assert.doesNotMatch(changed.text, /third/)
    assert.deepEqual(await statuses([enter('second-secret'), enter('third-secret')]), [401, 201])
    assert.equal((await cloud.call('DELETE', `/v3/users/${id}`, cloud.admin)).status, 204)
  })

  test('a changed configuration holds at once; without one nobody of the directory is left', async () => {
    const bob = publicId('user', 'bob')
    await configure(directoryOptions({ user_filter: '(!(uid=bob))' }))
    assert.deepEqual(names((await get(`/v3/users?domain_id=${domain}`)).json.users), ['ann', 'cid', 'dora'])
    const enable = cloud.call('PATCH', `/v3/users/${bob}`, cloud.admin, { user: { enabled: true } })
    assert.deepEqual(await statuses([get(`/v3/users/${bob}`), enable]), [404, 404])
    assert.deepEqual(names((await get('/v3/users?name=bob')).json.users), [])
    await configure(directoryOptions())
    assert.equal((await get(`/v3/users/${bob}`)).status, 200)
    const token = await login('bob')
    assert.equal((await cloud.call('DELETE', `/v3/domains/${domain}/config`, cloud.admin)).status, 204)
    assert.deepEqual(
      await statuses([cloud.show(token), get(`/v3/users/${bob}`), cloud.tryLogin({ id: bob, password: 'bob-secret' })]),
      [404, 404, 401],
    )
    assert.deepEqual((await get(`/v3/users?domain_id=${domain}`)).json.users, [])
    await cloud.make('user', { name: 'bob', domain_id: domain, password: 'own-secret' })
    await cloud.login({ name: 'bob', domain, password: 'own-secret', scope: 'unscoped' })
    assert.equal((await configure(directoryOptions())).status, 403)
  })

  test('a configuration that makes no directory keeps only its own domain from working', async () => {
    const { id } = await cloud.make('domain', { name: 'odd' })
    for (const config of [
      { identity: { driver: 'none' } },
      { identity: { driver: 'ldap' }, ldap: { url: 'https://x' } },
    ]) {
      await cloud.call('PUT', `/v3/domains/${id}/config`, cloud.admin, { config })
      assert.deepEqual(
        await statuses([
          get(`/v3/users?domain_id=${id}`),
          cloud.tryLogin({ name: 'x', domain: id, password: 'x' }),
          cloud.call('POST', '/v3/users', cloud.admin, { user: { name: 'x', domain_id: id } }),
          get('/v3/users'),
        ]),
        [503, 503, 503, 200],
      )
    }
    await cloud.call('PATCH', `/v3/domains/${id}`, cloud.admin, { domain: { enabled: false } })
    assert.equal((await cloud.call('DELETE', `/v3/domains/${id}`, cloud.admin)).status, 204)
  })
})

const writes = Object.fromEntries(
  ['user', 'group'].flatMap(kind => ['create', 'update', 'delete'].map(act => [`${kind}_allow_${act}`, true])),
)

test('a domain may have its directory from the configuration file, which the API then leaves alone', {
  skip: noSlapd,
}, async () => {
  const server = await startSlapd(company)
  const { password, ...ldap } = companyOptions(server.url)
  const config = { identity: { driver: 'ldap' }, ldap: { ...ldap, password, url: server.url } }
  // The users of the cloud itself are in the default domain: it keeps them.
  const own = await startIdentity({ domains: { filed: config, Default: config } })
  try {
    const { id } = await own.make('domain', { name: 'filed' })
    const { json } = await own.call('GET', `/v3/users?domain_id=${id}`, own.admin)
    assert.deepEqual(names(json.users), ['ann', 'bob', 'cid', 'dora'])
    const change = { config: { identity: { driver: 'sql' } } }
    assert.equal((await own.call('PUT', `/v3/domains/${id}/config`, own.admin, change)).status, 403)
  } finally {
    await own.close()
    await server.close()
  }
})

test('users of this machine log in by PAM where a domain’s configuration says so', { skip: noPam }, async () => {
  const host = await startPam()
  const { socket, service } = host
  const own = await startIdentity({ pam: { socket, service, minimum_uid: 1000 } })
  try {
    const { id } = await own.make('domain', { name: 'machine' })
    const config = { identity: { driver: 'pam' } }
    assert.equal((await own.call('PUT', `/v3/domains/${id}/config`, own.admin, { config })).status, 201)
    const groups = (await own.call('GET', `/v3/groups?domain_id=${id}`, own.admin)).json.groups
    const group = groups.find((one: { name: string }) => one.name === host.group)
    await own.grant(`domains/${id}/groups/${group.id}`, own.roles.member)
    const who = { name: host.user, domain: id, scope: { domain: { id } } }
    const token = await own.login({ ...who, password: host.password })
    assert.deepEqual(names((await own.show(token)).json.token.roles).sort(), ['member', 'reader'])
    assert.deepEqual(
      await statuses([
        own.tryLogin({ ...who, password: 'wrong' }),
        own.tryLogin({ ...who, password: '' }),
        own.tryLogin({ ...who, name: 'root', password: host.password }),
      ]),
      [401, 401, 401],
    )
  } finally {
    await own.close()
    await host.close()
  }
  // Without a socket there is no such driver.
  const bare = await startIdentity()
  try {
    const { id } = await bare.make('domain', { name: 'machine' })
    const config = { identity: { driver: 'pam' } }
    await bare.call('PUT', `/v3/domains/${id}/config`, bare.admin, { config })
    assert.equal((await bare.tryLogin({ name: 'x', domain: id, password: 'x' })).status, 503)
  } finally {
    await bare.close()
  }
})

test('another replica goes by a changed configuration at once', { skip: noSlapd }, async () => {
  const server = await startSlapd(company)
  const one = await startIdentity()
  const other = await startIdentity({}, one.service.environment)
  try {
    const { id } = await one.make('domain', { name: 'shared' })
    const configureIn = (ldap: object) =>
      one.call('PUT', `/v3/domains/${id}/config`, one.admin, { config: { identity: { driver: 'ldap' }, ldap } })
    const seenBy = async (replica: Identity) =>
      names((await replica.call('GET', `/v3/users?domain_id=${id}`, one.admin)).json.users)
    const options = companyOptions(server.url)
    await configureIn(options)
    assert.deepEqual(await seenBy(other), ['ann', 'bob', 'cid', 'dora'])
    const who = { name: 'bob', domain: id, password: 'bob-secret', scope: 'unscoped' }
    const token = await other.login(who)
    await configureIn({ ...options, user_filter: '(uid=ann)' })
    assert.deepEqual(await seenBy(other), ['ann'])
    assert.deepEqual(await statuses([other.tryLogin(who), other.show(token, one.admin)]), [401, 404])
  } finally {
    await other.close()
    await one.close()
    await server.close()
  }
})
