import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Identity, root, startIdentity, statuses } from '../harness.test.ts'
import { authorization, type Signer } from '../test-oauth1.ts'

let cloud: Identity
let adminId: string
let projectId: string
before(async () => {
  cloud = await startIdentity()
  const { token } = (await cloud.show(cloud.admin)).json
  adminId = token.user.id
  projectId = token.project.id
})
after(() => cloud.close())

const url = root.replace(':80', '')
const post = (path: string, header?: string, headers: Record<string, string> = {}, body?: unknown) =>
  cloud.call('POST', path, '', body, { ...(header && { authorization: header }), ...headers })
const oob = { oauth_callback: 'oob' }

async function consumer(values: object = {}): Promise<Signer> {
  const made = await cloud.make('consumer', values, '/v3/OS-OAUTH1/consumers')
  return { key: made.id, secret: made.secret }
}
async function requestToken(signer: Signer): Promise<Signer> {
  const path = '/OS-OAUTH1/request_token'
  const answer = await post(`/v3${path}`, authorization(url + path, signer, oob), { 'requested-project-id': projectId })
  assert.equal(answer.status, 201, answer.text)
  assert.equal(answer.headers['content-type'], 'application/x-www-form-urlencoded')
  return { ...signer, token: tokenIn(answer.text) }
}
function tokenIn(text: string) {
  const form = new URLSearchParams(text)
  assert.deepEqual([...form.keys()], ['oauth_token', 'oauth_token_secret', 'oauth_expires_at'])
  return { id: form.get('oauth_token')!, secret: form.get('oauth_token_secret')! }
}
async function authorize(id: string, roles: object[] = [{ name: 'member' }], as = cloud.admin): Promise<string> {
  const answer = await cloud.call('PUT', `/v3/OS-OAUTH1/authorize/${id}`, as, { roles })
  assert.equal(answer.status, 200, answer.text)
  return answer.json.token.oauth_verifier
}
const exchange = (signer: Signer, verifier: string, changes: object = {}) => {
  const path = '/OS-OAUTH1/access_token'
  return post(`/v3${path}`, authorization(url + path, signer, { oauth_verifier: verifier, ...changes }))
}
async function access(roles?: object[]): Promise<Signer> {
  const signer = await requestToken(await consumer())
  const answer = await exchange(signer, await authorize(signer.token!.id, roles))
  assert.equal(answer.status, 201, answer.text)
  return { ...signer, token: tokenIn(answer.text) }
}
const loginBody = (more: object = {}) => ({ auth: { identity: { methods: ['oauth1'], oauth1: {} }, ...more } })
const login = (signer: Signer, changes: object = {}, body: object = loginBody()) =>
  post('/v3/auth/tokens', authorization(`${url}/auth/tokens`, signer, { ...changes }), {}, body)
async function tokenOf(signer: Signer): Promise<string> {
  const answer = await login(signer)
  assert.equal(answer.status, 201, answer.text)
  return String(answer.headers['x-subject-token'])
}

describe('consumers', () => {
  test('the secret of one is shown once, and nobody sets it', async () => {
    const made = await cloud.make('consumer', { description: 'd', secret: 'mine', x: 1 }, '/v3/OS-OAUTH1/consumers')
    const { id, secret, links, ...rest } = made
    assert.deepEqual(rest, { description: 'd', x: 1 })
    assert.notEqual(secret, 'mine')
    assert.ok(secret.length >= 32 && links.self.endsWith(`/v3/OS-OAUTH1/consumers/${id}`))
    const path = `/v3/OS-OAUTH1/consumers/${id}`
    assert.deepEqual((await cloud.call('GET', path, cloud.admin)).json.consumer, { id, links, ...rest })
    const patch = (values: object) => cloud.call('PATCH', path, cloud.admin, { consumer: values })
    assert.equal((await patch({ description: null })).json.consumer.description, null)
    assert.deepEqual(await statuses([patch({ secret: 'x' }), patch({}), patch({ description: 1 })]), [400, 400, 400])
    const list = (await cloud.call('GET', '/v3/OS-OAUTH1/consumers', cloud.admin)).json.consumers
    assert.ok(list.some((one: { id: string }) => one.id === id))
    assert.equal(JSON.stringify(list).includes('secret'), false)
    assert.equal((await cloud.call('DELETE', path, cloud.admin)).status, 204)
    assert.equal((await cloud.call('GET', path, cloud.admin)).status, 404)
  })
})

describe('request and access tokens', () => {
  test('a consumer acts for a user, with the roles that the user chose and no others', async () => {
    const signer = await access()
    const text = await tokenOf(signer)
    const { token } = (await cloud.show(text)).json
    assert.deepEqual(token.methods, ['oauth1'])
    assert.equal(token.user.id, adminId)
    assert.equal(token.project.id, projectId)
    assert.deepEqual(token['OS-OAUTH1'], { access_token_id: signer.token!.id, consumer_id: signer.key })
    assert.deepEqual(token.roles.map((one: { name: string }) => one.name).sort(), ['member', 'reader'])
    assert.equal((await cloud.call('GET', '/v3/users', text)).status, 403)
  })

  test('the access tokens of a user are listed, shown and deleted, and end what was got by them', async () => {
    const signer = await access([{ id: cloud.roles.reader }, { id: cloud.roles.admin }])
    const text = await tokenOf(signer)
    const all = `/v3/users/${adminId}/OS-OAUTH1/access_tokens`
    const one = `${all}/${signer.token!.id}`
    const get = (path: string, as = cloud.admin) => cloud.call('GET', path, as)
    const shown = (await get(one)).json.access_token
    const { expires_at, links, ...rest } = shown
    assert.deepEqual(rest, {
      id: signer.token!.id,
      consumer_id: signer.key,
      project_id: projectId,
      authorizing_user_id: adminId,
    })
    assert.match(expires_at, /^\d{4}-.*\.\d{6}Z$/)
    assert.ok(links.self.endsWith(one) && links.roles.endsWith(`${one}/roles`))
    assert.ok((await get(all)).json.access_tokens.some((each: { id: string }) => each.id === shown.id))
    const roles = (await get(`${one}/roles`)).json.roles
    assert.deepEqual(roles.map((role: { name: string }) => role.name).sort(), ['admin', 'reader'])
    assert.equal((await get(`${one}/roles/${cloud.roles.reader}`)).json.role.name, 'reader')
    const other = one.replace(adminId, 'f'.repeat(32))
    assert.deepEqual(
      await statuses([
        get(`${one}/roles/${cloud.roles.manager}`),
        get(other),
        cloud.call('DELETE', other, cloud.admin),
        // What is delegated does not manage delegations.
        get(one, text),
        get(all, text),
        cloud.call('DELETE', one, text),
      ]),
      [404, 404, 401, 403, 403, 403],
    )
    assert.equal((await cloud.show(text)).status, 200)
    assert.equal((await cloud.call('DELETE', one, cloud.admin)).status, 204)
    assert.deepEqual(await statuses([cloud.show(text), login(signer), get(one)]), [404, 401, 404])
  })

  test('a consumer that is deleted takes its tokens along', async () => {
    const signer = await access()
    const text = await tokenOf(signer)
    assert.equal((await cloud.call('DELETE', `/v3/OS-OAUTH1/consumers/${signer.key}`, cloud.admin)).status, 204)
    assert.deepEqual(await statuses([cloud.show(text), login(signer)]), [404, 401])
  })

  test('a token that was got by delegation makes no other, and goes nowhere else', async () => {
    const text = await tokenOf(await access([{ name: 'admin' }]))
    const again = (scope?: unknown) => cloud.tryLogin({ token: text, scope })
    const trust = {
      trustor_user_id: adminId,
      trustee_user_id: adminId,
      impersonation: true,
      project_id: projectId,
      roles: [{ name: 'reader' }],
    }
    const signer = await requestToken(await consumer())
    assert.deepEqual(
      await statuses([
        again(),
        again('unscoped'),
        again({ project: { id: projectId } }),
        cloud.call('POST', '/v3/OS-TRUST/trusts', text, { trust }),
        cloud.call('POST', `/v3/users/${adminId}/application_credentials`, text, {
          application_credential: { name: 'a' },
        }),
        cloud.call('POST', `/v3/users/${adminId}/credentials/OS-EC2`, text, { tenant_id: projectId }),
        cloud.call('PUT', `/v3/OS-OAUTH1/authorize/${signer.token!.id}`, text, { roles: [{ name: 'reader' }] }),
      ]),
      [403, 403, 403, 403, 403, 403, 403],
    )
  })

  test('nobody gets a token with a signature, secret, verifier or time that is wrong, or one that was used', async () => {
    const signer = await requestToken(await consumer())
    assert.equal((await exchange(signer, 'AAAAAAAA')).status, 401)
    const verifier = await authorize(signer.token!.id)
    const stranger = await consumer()
    const longAgo = { oauth_timestamp: String(Math.floor(Date.now() / 1000) - 3600) }
    assert.deepEqual(
      await statuses([
        exchange({ ...signer, secret: 'x' }, verifier),
        exchange({ ...signer, token: { ...signer.token!, secret: 'x' } }, verifier),
        exchange({ ...signer, token: { ...signer.token!, id: 'f'.repeat(32) } }, verifier),
        exchange({ ...stranger, token: signer.token }, verifier),
        exchange(signer, 'AAAAAAAA'),
        exchange(signer, verifier, longAgo),
        exchange(signer, verifier, { oauth_verifier: undefined }),
        exchange(signer, verifier, { oauth_token: undefined }),
        post('/v3/OS-OAUTH1/access_token'),
      ]),
      [401, 401, 404, 401, 401, 400, 400, 400, 400],
    )
    const answers = await statuses([exchange(signer, verifier), exchange(signer, verifier)])
    assert.deepEqual(answers.sort(), [201, 401])
    assert.equal((await exchange(signer, verifier)).status, 404)
  })

  test('a request is believed once', async () => {
    const signer = await access()
    const same = { oauth_nonce: 'n', oauth_timestamp: String(Math.floor(Date.now() / 1000)) }
    assert.deepEqual(await statuses([login(signer, same)]), [201])
    assert.deepEqual(await statuses([login(signer, same), login(signer, { ...same, oauth_nonce: 'm' })]), [401, 201])
    const ago = { oauth_timestamp: String(Math.floor(Date.now() / 1000) - 3600) }
    assert.deepEqual(
      await statuses([
        login(signer, ago),
        login({ ...signer, secret: 'x' }),
        login({ ...signer, token: undefined }),
        login(signer, {}, loginBody({ scope: { 'OS-TRUST:trust': { id: 'x' } } })),
        post('/v3/auth/tokens', undefined, {}, loginBody()),
      ]),
      [401, 401, 400, 403, 400],
    )
    // Whatever scope is asked for, it is that of the access token; and the query may be signed or not.
    const scoped = loginBody({ scope: { system: { all: true } } })
    assert.equal((await login(signer, {}, scoped)).json.token.project.id, projectId)
    for (const signed of ['', '?nocatalog=']) {
      const header = authorization(`${url}/auth/tokens${signed}`, signer)
      assert.equal((await post('/v3/auth/tokens?nocatalog', header, {}, loginBody())).status, 201)
    }
  })

  test('a request token says for which project, and is authorized only with roles that the user has there', async () => {
    const signer = await consumer()
    const path = '/OS-OAUTH1/request_token'
    const ask = (project?: string, changes: object = oob, who = signer) =>
      post(
        `/v3${path}`,
        authorization(url + path, who, { ...changes }),
        project ? { 'requested-project-id': project } : {},
      )
    assert.deepEqual(
      await statuses([
        ask(),
        ask('f'.repeat(32)),
        ask(projectId, {}),
        ask(projectId, oob, { ...signer, key: 'f'.repeat(32) }),
        ask(projectId, oob, { ...signer, secret: 'x' }),
        ask(projectId),
      ]),
      [400, 404, 400, 404, 401, 201],
    )
    const { token } = await requestToken(signer)
    const role = await cloud.make('role', { name: 'unheld' })
    const put = (id: string, body: object) => cloud.call('PUT', `/v3/OS-OAUTH1/authorize/${id}`, cloud.admin, body)
    assert.deepEqual(
      await statuses([
        put(token!.id, { roles: [{ id: role.id }] }),
        put(token!.id, { roles: [{ id: 'f'.repeat(32) }] }),
        put(token!.id, { roles: [{}] }),
        put('f'.repeat(32), { roles: [] }),
      ]),
      [401, 404, 400, 404],
    )
  })

  test('tokens end when they are told to, and a role that the user loses is lost to the consumer', async () => {
    const [own, early] = [await access(), await requestToken(await consumer())]
    const verifier = await authorize(early.token!.id)
    const later = { oauth_timestamp: String(Math.floor(Date.now() / 1000) + 100_000) }
    cloud.advance(100_000_000)
    const as = await cloud.login({ name: 'admin', password: 'admin-secret', scope: { project: { id: projectId } } })
    assert.deepEqual(
      await statuses([
        login(own, later),
        exchange(early, verifier, later),
        cloud.call('PUT', `/v3/OS-OAUTH1/authorize/${early.token!.id}`, as, { roles: [] }),
        cloud.call('GET', `/v3/users/${adminId}/OS-OAUTH1/access_tokens/${own.token!.id}`, as),
      ]),
      [401, 401, 401, 404],
    )
    cloud.advance(-100_000_000)
    const user = await cloud.make('user', { name: 'delegator', password: 'pw' })
    const grants = `projects/${projectId}/users/${user.id}`
    await cloud.grant(grants, cloud.roles.admin)
    const token = await cloud.login({ id: user.id, password: 'pw', scope: { project: { id: projectId } } })
    const signer = await requestToken(await consumer())
    const answer = await exchange(signer, await authorize(signer.token!.id, [{ name: 'manager' }], token))
    const text = await tokenOf({ ...signer, token: tokenIn(answer.text) })
    assert.equal((await cloud.show(text)).json.token.user.id, user.id)
    await cloud.call('DELETE', `/v3/${grants}/roles/${cloud.roles.admin}`, cloud.admin)
    assert.equal((await cloud.show(text)).status, 404)
  })

  test('behind a proxy, requests are signed for the address that clients know', async () => {
    const other = await startIdentity({ public_endpoint: 'https://keys.example/identity/' })
    const made = await other.make('consumer', {}, '/v3/OS-OAUTH1/consumers')
    const path = '/v3/OS-OAUTH1/request_token'
    const project = (await other.show(other.admin)).json.token.project.id
    const ask = (address: string) =>
      other.call('POST', path, '', undefined, {
        authorization: authorization(`${address}${path}`, { key: made.id, secret: made.secret }, oob),
        'requested-project-id': project,
      })
    assert.deepEqual(
      await statuses([ask('https://keys.example/identity'), ask(url.replace('/v3', '')), ask('https://x.example')]),
      [201, 201, 401],
    )
    await other.close()
  })
})
