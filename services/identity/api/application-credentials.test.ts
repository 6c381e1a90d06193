import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Identity, inProject, plan, startIdentity, statuses } from '../harness.test.ts'

let cloud: Identity
let count = 0
before(async () => {
  cloud = await startIdentity()
})
after(() => cloud.close())

/** A user that no other test knows, a member of a project of its own, logged in there. */
async function newcomer() {
  const name = `owner${++count}`
  const project = await cloud.make('project', { name })
  const user = await cloud.make('user', { name, password: 'pw' })
  await cloud.grant(`projects/${project.id}/users/${user.id}`, cloud.roles.member)
  const token = await cloud.login({ id: user.id, password: 'pw', scope: { project: { id: project.id } } })
  const base = `/v3/users/${user.id}/application_credentials`
  const create = (values: object, as = token) => cloud.call('POST', base, as, { application_credential: values })
  return { id: user.id as string, name, projectId: project.id as string, token, base, create }
}

const login = (credential: object, scope?: object) =>
  cloud.call('POST', '/v3/auth/tokens', '', {
    auth: {
      identity: { methods: ['application_credential'], application_credential: credential },
      ...(scope && { scope }),
    },
  })
const text = (answer: { headers: Record<string, unknown> }) => String(answer.headers['x-subject-token'])

describe('application credentials', () => {
  test('one is made, shown without its secret, listed by name and deleted', async () => {
    const who = await newcomer()
    const made = await who.create({ name: 'ci', description: 'builds' })
    assert.equal(made.status, 201, made.text)
    const { secret, ...shown } = made.json.application_credential
    assert.match(secret, /^[\w-]{86}$/)
    assert.equal(shown.unrestricted, false)
    assert.equal(shown.expires_at, null)
    assert.equal(shown.project_id, who.projectId)
    assert.deepEqual(shown.roles.map((role: { name: string }) => role.name).sort(), ['member', 'reader'])
    assert.deepEqual((await cloud.call('GET', `${who.base}/${shown.id}`, who.token)).json.application_credential, shown)
    const listed = async (query: string) =>
      (await cloud.call('GET', `${who.base}${query}`, who.token)).json.application_credentials.length
    assert.deepEqual([await listed(''), await listed('?name=ci'), await listed('?name=other')], [1, 1, 0])
    assert.equal((await who.create({ name: 'ci' })).status, 409)
    assert.equal((await cloud.call('DELETE', `${who.base}/${shown.id}`, who.token)).status, 204)
    assert.equal((await cloud.call('GET', `${who.base}/${shown.id}`, who.token)).status, 404)
    assert.equal((await login({ id: shown.id, secret })).status, 401)
  })

  test('it logs in by id, or by name and user, to its project alone', async () => {
    const who = await newcomer()
    const made = (await who.create({ name: 'ci', roles: [{ name: 'reader' }], secret: 'chosen' })).json
    const { id } = made.application_credential
    for (const credential of [
      { id, secret: 'chosen' },
      { name: 'ci', user: { id: who.id }, secret: 'chosen' },
      { name: 'ci', user: { name: who.name, domain: { id: 'default' } }, secret: 'chosen' },
    ]) {
      const answer = await login(credential)
      assert.equal(answer.status, 201, answer.text)
      const { token } = answer.json
      assert.deepEqual(token.methods, ['application_credential'])
      assert.deepEqual(token.application_credential, { id, name: 'ci', restricted: true })
      assert.equal(token.project.id, who.projectId)
      assert.deepEqual(
        token.roles.map((role: { name: string }) => role.name),
        ['reader'],
      )
    }
    const wrong = await login({ id, secret: 'wrong' })
    assert.deepEqual([wrong.status, wrong.text], [401, (await login({ id: 'none', secret: 'wrong' })).text])
    const scoped = await login({ id, secret: 'chosen' }, { project: { id: who.projectId } })
    assert.equal(scoped.status, 401)
    assert.match(scoped.json.error.message, /cannot request a scope/)
  })

  test('its tokens stay within its project and its end, and end with it', async () => {
    const who = await newcomer()
    const end = new Date(Date.now() + 60_000).toISOString()
    const { id, secret } = (await who.create({ name: 'short', expires_at: end })).json.application_credential
    const first = await login({ id, secret })
    assert.equal(Date.parse(first.json.token.expires_at), Date.parse(end))
    const again = (scope?: unknown) => cloud.tryLogin({ token: text(first), scope })
    const same = await again()
    assert.equal(same.json.token.project.id, who.projectId)
    assert.equal(same.json.token.application_credential.id, id)
    assert.deepEqual(await statuses([again('unscoped'), again(inProject('demo'))]), [403, 403])
    await cloud.call('DELETE', `${who.base}/${id}`, who.token)
    assert.deepEqual(await statuses([cloud.show(text(first)), cloud.show(text(same))]), [404, 404])
  })

  test('it cannot be used after its end, and not be made with one in the past', async () => {
    const own = await startIdentity()
    try {
      const token = await own.login({ name: 'demo', password: plan.demoPassword, scope: inProject('demo') })
      const { user } = (await own.show(token)).json.token
      const path = `/v3/users/${user.id}/application_credentials`
      const at = (ms: number) => new Date(Date.now() + ms).toISOString()
      const make = (values: object) => own.call('POST', path, token, { application_credential: values })
      assert.deepEqual(
        await statuses([make({ name: 'a', expires_at: at(-1000) }), make({ name: 'a', expires_at: 'soon' })]),
        [400, 400],
      )
      const { id, secret } = (await make({ name: 'a', expires_at: at(60_000) })).json.application_credential
      own.advance(61_000)
      const identity = { methods: ['application_credential'], application_credential: { id, secret } }
      assert.equal((await own.call('POST', '/v3/auth/tokens', '', { auth: { identity } })).status, 401)
    } finally {
      await own.close()
    }
  })

  test('a restricted one makes no others, an unrestricted one does', async () => {
    const who = await newcomer()
    for (const [unrestricted, status] of [
      [false, 403],
      [true, 201],
    ] as const) {
      const name = `u${unrestricted}`
      const { id, secret } = (await who.create({ name, unrestricted })).json.application_credential
      const token = text(await login({ id, secret }))
      assert.equal((await who.create({ name: `${name}-child` }, token)).status, status)
      assert.equal((await cloud.call('DELETE', `${who.base}/${id}`, token)).status, unrestricted ? 204 : 403)
    }
  })

  test('it has no role that its maker’s token does not have, and goes with the maker’s role', async () => {
    const who = await newcomer()
    for (const role of [{ id: cloud.roles.admin }, { name: 'admin' }])
      assert.equal((await who.create({ name: 'more', roles: [role] })).status, 400)
    assert.equal((await who.create({ name: 'more', roles: [{ id: 'none' }] })).status, 404)
    const { id, secret } = (await who.create({ name: 'ci' })).json.application_credential
    const token = text(await login({ id, secret }))
    await cloud.grant(`projects/${who.projectId}/users/${who.id}`, cloud.roles.reader)
    const path = `/v3/projects/${who.projectId}/users/${who.id}/roles/${cloud.roles.member}`
    assert.equal((await cloud.call('DELETE', path, cloud.admin)).status, 204)
    assert.deepEqual(await statuses([cloud.show(token), login({ id, secret })]), [404, 401])
  })

  test('they are their owner’s: others may not make them, administrators may look and delete', async () => {
    const [who, other] = [await newcomer(), await newcomer()]
    const { id } = (await who.create({ name: 'mine' })).json.application_credential
    const one = `${who.base}/${id}`
    assert.deepEqual(
      await statuses([
        who.create({ name: 'theirs' }, other.token),
        who.create({ name: 'theirs' }, cloud.admin),
        cloud.call('GET', one, other.token),
        cloud.call('GET', who.base, other.token),
        cloud.call('DELETE', one, other.token),
        cloud.call('GET', `${other.base}/${id}`, other.token),
        cloud.call('GET', one, cloud.admin),
      ]),
      [403, 403, 403, 403, 403, 403, 200],
    )
    assert.equal((await cloud.call('DELETE', one, cloud.admin)).status, 204)
  })

  test('they go with the user and with the project', async () => {
    const who = await newcomer()
    const { id, secret } = (await who.create({ name: 'ci' })).json.application_credential
    assert.equal((await cloud.call('DELETE', `/v3/projects/${who.projectId}`, cloud.admin)).status, 204)
    assert.equal((await login({ id, secret })).status, 401)
    assert.equal((await cloud.call('DELETE', `/v3/users/${who.id}`, cloud.admin)).status, 204)
  })

  test('malformed ones are refused by the name of the field', async () => {
    const who = await newcomer()
    for (const [values, field] of [
      [{}, /name/],
      [{ name: '' }, /name/],
      [{ name: 'a', secret: 5 }, /secret/],
      [{ name: 'a', roles: 'member' }, /roles/],
      [{ name: 'a', access_rules: [{ method: 'BREW', path: '/', service: 'tea' }] }, /access_rules/],
      [{ name: 'a', access_rules: [] }, /access_rules/],
    ] as const) {
      const answer = await who.create(values)
      assert.equal(answer.status, 400, answer.text)
      assert.match(answer.json.error.message, field)
    }
  })
})

describe('access rules', () => {
  const rule = { service: 'identity', method: 'GET', path: '/v3/users/*' }

  test('a token is good for the requests that they name, and for no others', async () => {
    const who = await newcomer()
    const made = (await who.create({ name: 'limited', access_rules: [rule] })).json.application_credential
    const [{ id: ruleId, ...shown }] = made.access_rules
    assert.deepEqual(shown, rule)
    const answer = await login(made)
    assert.deepEqual(answer.json.token.application_credential.access_rules, [{ id: ruleId, ...rule }])
    const token = text(answer)
    assert.deepEqual(
      await statuses([
        cloud.call('GET', `/v3/users/${who.id}`, token),
        cloud.call('GET', `/v3/users/${who.id}/groups`, token),
        cloud.call('PATCH', `/v3/users/${who.id}`, token, { user: {} }),
      ]),
      [200, 401, 401],
    )
  })

  test('a service that does not heed them is not told that the token is good', async () => {
    const who = await newcomer()
    const made = (await who.create({ name: 'limited', access_rules: [rule] })).json.application_credential
    const token = text(await login(made))
    const ask = (headers: object) =>
      cloud.call('GET', '/v3/auth/tokens', cloud.admin, undefined, { 'x-subject-token': token, ...headers })
    assert.deepEqual(await statuses([ask({}), ask({ 'openstack-identity-access-rules': '1.0' })]), [404, 200])
  })

  test('a service may carry on what was begun within them', async () => {
    const who = await newcomer()
    const made = (await who.create({ name: 'limited', access_rules: [rule] })).json.application_credential
    const token = text(await login(made))
    const password = plan.servicePassword('nova')
    const service = await cloud.login({ name: 'nova', password, scope: inProject('service') })
    const ask = (headers: Record<string, string>) =>
      cloud.call('GET', `/v3/users/${who.id}/groups`, token, undefined, headers)
    assert.deepEqual(
      await statuses([ask({ 'x-service-token': service }), ask({ 'x-service-token': who.token })]),
      [200, 401],
    )
  })

  test('they are kept by user, shared, and stay while they are in use', async () => {
    const who = await newcomer()
    const create = async (name: string, rules: object[]) =>
      (await who.create({ name, access_rules: rules })).json.application_credential
    const one = await create('one', [rule])
    const id = one.access_rules[0].id
    assert.equal((await create('two', [{ ...rule }])).access_rules[0].id, id)
    assert.equal((await create('three', [{ id }])).access_rules[0].path, rule.path)
    assert.equal((await who.create({ name: 'four', access_rules: [{ id: 'none' }] })).status, 404)
    const other = await newcomer()
    assert.equal((await other.create({ name: 'x', access_rules: [{ id }] })).status, 404)
    const rules = `/v3/users/${who.id}/access_rules`
    const list = async () => (await cloud.call('GET', rules, who.token)).json.access_rules.length
    assert.equal(await list(), 1)
    const { links: _, ...shown } = (await cloud.call('GET', `${rules}/${id}`, who.token)).json.access_rule
    assert.deepEqual(shown, { id, ...rule })
    assert.deepEqual(
      await statuses([
        cloud.call('GET', `${rules}/${id}`, other.token),
        cloud.call('DELETE', `${rules}/${id}`, other.token),
        cloud.call('DELETE', `${rules}/${id}`, who.token),
      ]),
      [403, 403, 403],
    )
    for (const { id: credential } of (await cloud.call('GET', who.base, who.token)).json.application_credentials)
      await cloud.call('DELETE', `${who.base}/${credential}`, who.token)
    assert.equal(await list(), 1)
    assert.equal((await cloud.call('DELETE', `${rules}/${id}`, who.token)).status, 204)
    assert.equal(await list(), 0)
  })
})
