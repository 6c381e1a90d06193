import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Identity, startIdentity, statuses } from '../harness.test.ts'

let cloud: Identity
let count = 0
before(async () => {
  cloud = await startIdentity()
})
after(() => cloud.close())

const sample = {
  identity: { driver: 'ldap' },
  ldap: { url: 'ldap://myldap.com:389/', user_tree_dn: 'ou=Users,dc=my_new_root,dc=org' },
}

async function fresh() {
  const { id } = await cloud.make('domain', { name: `configured${++count}` })
  const path = `/v3/domains/${id}/config`
  const call = (method: string, part: string, config?: unknown, as = cloud.admin) =>
    cloud.call(method, path + part, as, config === undefined ? undefined : { config })
  return { id, call }
}

describe('configuration of a domain', () => {
  test('it is set whole and shown whole, by group and by option', async () => {
    const { call } = await fresh()
    const made = await call('PUT', '', sample)
    assert.deepEqual([made.status, made.json.config], [201, sample])
    assert.deepEqual((await call('PUT', '', sample)).status, 200)
    assert.deepEqual((await call('GET', '')).json.config, sample)
    assert.deepEqual((await call('GET', '/ldap')).json.config, { ldap: sample.ldap })
    assert.deepEqual((await call('GET', '/ldap/url')).json.config, { url: sample.ldap.url })
    const replaced = await call('PUT', '', { ldap: { url: 'ldap://other' } })
    assert.deepEqual(replaced.json.config, { ldap: { url: 'ldap://other' } })
    assert.equal((await call('HEAD', '/ldap')).status, 200)
  })

  test('it is changed whole, by group and by option; what is not named stays', async () => {
    const { call } = await fresh()
    await call('PUT', '', sample)
    const whole = await call('PATCH', '', { ldap: { url: 'https://odd.example', suffix: 'dc=x' } })
    const ldap = { ...sample.ldap, url: 'https://odd.example', suffix: 'dc=x' }
    assert.deepEqual([whole.status, whole.json.config], [200, { ...sample, ldap }])
    const group = await call('PATCH', '/identity', { identity: { driver: 'driver-1', list_limit: 7 } })
    assert.deepEqual(group.json.config, { identity: { driver: 'driver-1', list_limit: 7 }, ldap })
    const option = await call('PATCH', '/identity/driver', { driver: 'sql' })
    assert.deepEqual(option.json.config.identity, { driver: 'sql', list_limit: 7 })
  })

  test('it is deleted whole, by group and by option', async () => {
    const { call } = await fresh()
    await call('PUT', '', sample)
    assert.equal((await call('DELETE', '/ldap/user_tree_dn')).status, 204)
    assert.deepEqual((await call('GET', '/ldap')).json.config, { ldap: { url: sample.ldap.url } })
    assert.equal((await call('DELETE', '/ldap')).status, 204)
    assert.equal((await call('DELETE', '')).status, 204)
    assert.deepEqual(
      await statuses([
        call('GET', ''),
        call('GET', '/ldap'),
        call('GET', '/ldap/url'),
        call('DELETE', '/ldap'),
        call('PATCH', '/ldap', { ldap: { url: 'ldap://x' } }),
        call('PATCH', '/ldap/url', { url: 'ldap://x' }),
      ]),
      [404, 404, 404, 404, 404, 404],
    )
    const { json } = await call('GET', '/ldap/url')
    assert.match(json.error.message, /Could not find option url in group ldap in domain configuration for domain/)
  })

  test('groups and options that no domain can have are refused, and values of the wrong kind', async () => {
    const { call, id } = await fresh()
    await call('PUT', '', sample)
    assert.deepEqual(
      await statuses([
        call('PUT', '', {}),
        call('PUT', '', { token: { expiration: 1 } }),
        call('PUT', '', { ldap: {} }),
        call('PUT', '', { ldap: 'x' }),
        call('PUT', '', { ldap: { colour: 'red' } }),
        call('PUT', '', { ldap: { page_size: 'many' } }),
        call('PUT', '', { ldap: { query_scope: 'all' } }),
        call('PATCH', '/ldap', { identity: { driver: 'sql' } }),
        call('PATCH', '/ldap', { ...sample }),
        call('PATCH', '/ldap/url', { user_tree_dn: 'x' }),
        call('PATCH', '/ldap/url', { url: 'ldap://x', user_tree_dn: 'x' }),
        call('GET', '/token'),
        call('GET', '/ldap/constructor'),
        call('DELETE', '/ldap/colour'),
      ]),
      Array(14).fill(403),
    )
    assert.equal((await cloud.call('PUT', `/v3/domains/${id}/config`, cloud.admin, { config: [] })).status, 400)
    assert.equal((await cloud.call('PUT', '/v3/domains/none/config', cloud.admin, { config: sample })).status, 404)
    assert.deepEqual((await call('GET', '')).json.config, sample)
    assert.match((await call('GET', '/token')).json.error.message, /Invalid domain specific configuration: Group token/)
  })

  test('what is secret is taken and never shown', async () => {
    const { call } = await fresh()
    const secret = 'correct-horse-battery'
    const made = await call('PUT', '', { ldap: { ...sample.ldap, password: secret } })
    assert.equal(made.status, 201)
    assert.doesNotMatch(made.text, /horse/)
    assert.doesNotMatch((await call('GET', '')).text, /password|horse/)
    assert.equal((await call('GET', '/ldap/password')).status, 404)
    // It can be changed and deleted all the same.
    assert.equal((await call('PATCH', '/ldap/password', { password: 'another-horse' })).status, 200)
    assert.equal((await call('DELETE', '/ldap/password')).status, 204)
    assert.equal((await call('DELETE', '/ldap/password')).status, 404)
    assert.equal((await cloud.call('GET', '/v3/domains/config/ldap/password/default', cloud.admin)).status, 403)
  })

  test('it goes with its domain', async () => {
    const { call, id } = await fresh()
    await call('PUT', '', sample)
    await cloud.call('PATCH', `/v3/domains/${id}`, cloud.admin, { domain: { enabled: false } })
    assert.equal((await cloud.call('DELETE', `/v3/domains/${id}`, cloud.admin)).status, 204)
    assert.equal((await call('GET', '')).status, 404)
  })

  test('a domain with users or groups of its own is not made one of a directory', async () => {
    const { call, id } = await fresh()
    const { id: userId } = await cloud.make('user', { name: 'own', domain_id: id, password: 'pw' })
    assert.equal((await call('PUT', '', sample)).status, 403)
    assert.equal((await call('PUT', '', { ldap: sample.ldap })).status, 201)
    assert.equal((await call('PATCH', '', { identity: { driver: 'ldap' } })).status, 403)
    await cloud.login({ id: userId, password: 'pw', scope: 'unscoped' })
    assert.equal((await cloud.call('DELETE', `/v3/users/${userId}`, cloud.admin)).status, 204)
    assert.equal((await call('PATCH', '', { identity: { driver: 'ldap' } })).status, 200)
  })
})

test('what holds without a configuration is told whole, by group and by option', async () => {
  const show = async (part: string) => (await cloud.call('GET', `/v3/domains/config/${part}`, cloud.admin)).json.config
  const all = await show('default')
  assert.deepEqual(all.identity, { driver: 'sql', list_limit: null })
  assert.equal(all.ldap.user_objectclass, 'inetOrgPerson')
  assert.equal(all.ldap.password, undefined)
  assert.deepEqual(await show('ldap/default'), { ldap: all.ldap })
  for (const name of Object.keys(all.ldap))
    assert.deepEqual(await show(`ldap/${name}/default`), { [name]: all.ldap[name] })
})

test('rules for passwords are told to everyone, of the default domain alone', async () => {
  const own = await startIdentity({ password_regex: '^.{8}', password_regex_description: 'eight' })
  try {
    const anyone = await own.login({ name: 'demo', password: 'demo-secret', scope: 'unscoped' })
    const show = (part: string, domain = 'default') =>
      own.call('GET', `/v3/domains/${domain}/config/security_compliance${part}`, anyone)
    const rules = { password_regex: '^.{8}', password_regex_description: 'eight' }
    assert.deepEqual((await show('')).json.config, { security_compliance: rules })
    assert.deepEqual((await show('/password_regex')).json.config, { password_regex: '^.{8}' })
    assert.deepEqual(await statuses([show('/lockout_duration'), show('', 'other')]), [403, 403])
  } finally {
    await own.close()
  }
})

test('administrators and readers of the system see it, only administrators change it', async () => {
  const { call, id } = await fresh()
  await call('PUT', '', sample)
  const { id: userId } = await cloud.make('user', { name: 'config-reader', password: 'pw' })
  await cloud.grant(`system/users/${userId}`, cloud.roles.reader)
  await cloud.grant(`domains/${id}/users/${userId}`, cloud.roles.admin)
  const reader = await cloud.login({ id: userId, password: 'pw', scope: { system: { all: true } } })
  const ofDomain = await cloud.login({ id: userId, password: 'pw', scope: { domain: { id } } })
  const each = (as: string) =>
    statuses([
      call('GET', '', undefined, as),
      call('GET', '/ldap/url', undefined, as),
      cloud.call('GET', '/v3/domains/config/default', as),
      call('PUT', '', sample, as),
      call('PATCH', '/ldap', { ldap: { url: 'ldap://x' } }, as),
      call('DELETE', '', undefined, as),
    ])
  assert.deepEqual(await each(reader), [200, 200, 200, 403, 403, 403])
  assert.deepEqual(await each(ofDomain), [403, 403, 403, 403, 403, 403])
})
