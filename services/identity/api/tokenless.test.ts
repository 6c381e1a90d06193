import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { loadConfig } from '@strata/toolkit/config'
import { type Identity, startIdentity, statuses } from '../harness.test.ts'
import { identity } from '../service.ts'

const issuer = 'CN=Root,O=ACME'
const idp = createHash('sha256').update(issuer).digest('hex')

const start = (tokenless: object, proxies = ['127.0.0.1']) => {
  const overrides = {
    identity: { password_hash_cost: 4, trusted_proxies: proxies },
    tokenless_auth: tokenless as Readonly<Record<string, unknown>>,
  }
  return startIdentity({}, { config: loadConfig({ known: identity.config, overrides }) })
}

/** The issuer as an identity provider: who has a certificate is the user of that name in the default domain. */
async function register(cloud: Identity) {
  const put = async (path: string, body: object) => {
    const answer = await cloud.call('PUT', `/v3/OS-FEDERATION/${path}`, cloud.admin, body)
    assert.equal(answer.status, 201, answer.text)
  }
  const user = { name: '{0}', type: 'local', domain: { id: 'default' } }
  await put(`identity_providers/${idp}`, { identity_provider: { enabled: true } })
  const rules = [{ local: [{ user }], remote: [{ type: 'SSL_CLIENT_S_DN_CN' }] }]
  await put('mappings/x509', { mapping: { rules } })
  await put(`identity_providers/${idp}/protocols/x509`, { protocol: { mapping_id: 'x509' } })
}

const certificate = (name: string, by = issuer) => ({
  'X-Federation-SSL-Client-I-DN': by,
  'X-Federation-SSL-Client-S-DN-CN': name,
})
const inProject = (name: string) => ({ 'X-Project-Name': name, 'X-Project-Domain-Id': 'default' })

describe('a client certificate in the place of a token', () => {
  let cloud: Identity
  before(async () => {
    cloud = await start({ trusted_issuer: ['CN=Other', issuer] })
    await register(cloud)
  })
  after(() => cloud.close())
  const ask = (path: string, headers: Record<string, string>) => cloud.call('GET', path, '', undefined, headers)

  test('is good for what its user may do in the project that the request names', async () => {
    const admin = { ...certificate('admin'), ...inProject('admin') }
    const users = await ask('/v3/users', admin)
    assert.equal(users.status, 200, users.text)
    assert.ok(users.json.users.length > 0)
    const made = await cloud.call('POST', '/v3/projects', '', { project: { name: 'by certificate' } }, admin)
    assert.equal(made.status, 201, made.text)
    const demo = { ...certificate('demo'), ...inProject('demo') }
    const { json } = await ask('/v3/auth/projects', demo)
    assert.deepEqual(
      json.projects.map((one: { name: string }) => one.name),
      ['demo'],
    )
    assert.equal((await ask('/v3/users', demo)).status, 403)
    assert.equal((await ask('/v3/regions', demo)).status, 200)
  })

  test('is none without a project or a domain, for a place where its user is not, or for nobody', async () => {
    assert.deepEqual(
      await statuses([
        ask('/v3/regions', certificate('demo')),
        ask('/v3/regions', { ...certificate('demo'), ...inProject('admin') }),
        ask('/v3/regions', { ...certificate('demo'), 'X-Domain-Id': 'default' }),
        ask('/v3/regions', { ...certificate('nobody'), ...inProject('demo') }),
        ask('/v3/regions', inProject('demo')),
      ]),
      [401, 401, 401, 401, 401],
    )
  })

  test('is none when somebody issued it who is not trusted', async () => {
    const project = inProject('admin')
    assert.deepEqual(
      await statuses([
        ask('/v3/regions', { ...certificate('admin', 'CN=Mallory'), ...project }),
        ask('/v3/regions', { ...certificate('admin', 'CN=Other'), ...project }),
        ask('/v3/regions', { ...certificate('admin', `${issuer};CN=Other`), ...project }),
      ]),
      [401, 404, 401],
    )
  })

  test('is not looked at beside a token', async () => {
    const admin = { ...certificate('admin'), ...inProject('admin') }
    const demo = await cloud.login({
      name: 'demo',
      password: 'demo-secret',
      scope: { project: { name: 'demo', domain: { id: 'default' } } },
    })
    assert.equal((await cloud.call('GET', '/v3/users', demo, undefined, admin)).status, 403)
    assert.equal((await cloud.call('GET', '/v3/users', 'nonsense', undefined, admin)).status, 401)
  })
})

test('without issuers in the configuration, or from elsewhere than a proxy, a certificate is nothing', async () => {
  for (const [tokenless, proxies] of [
    [{}, ['127.0.0.1']],
    [{ trusted_issuer: [issuer] }, ['192.0.2.1']],
  ] as const) {
    const cloud = await start(tokenless, [...proxies])
    await register(cloud)
    const headers = { ...certificate('admin'), ...inProject('admin') }
    assert.equal((await cloud.call('GET', '/v3/regions', '', undefined, headers)).status, 401)
    await cloud.close()
  }
})
