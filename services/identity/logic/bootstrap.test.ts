import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { loadConfig } from '@strata/toolkit/config'
import { createServer, mount } from '@strata/toolkit/service'
import { type TestEnvironment, testEnvironment } from '@strata/toolkit/testing'
import { authBody, inProject, plan } from '../harness.test.ts'
import { identity } from '../service.ts'

let state: TestEnvironment
before(() => {
  const overrides = { identity: { password_hash_cost: 4 } }
  state = testEnvironment({ config: loadConfig({ known: identity.config, overrides }) })
})
after(() => state.clean())

/** One life of the service on the same state. */
async function life<T>(bootstrap: typeof plan & { region?: string }, during: (call: Call) => Promise<T>): Promise<T> {
  const { environment } = state
  const service = await identity.build(environment, { bootstrap })
  const server = createServer()
  const { verifyToken } = service
  await mount({ ...environment, server, service, verifyToken, identityUrl: () => 'http://x' })
  try {
    return await during(async (method, path, token, body) => {
      const headers = { 'x-auth-token': token, 'x-subject-token': token, 'content-type': 'application/json' }
      const payload = body === undefined ? undefined : JSON.stringify(body)
      const answer = await server.inject({ method: method as 'GET', url: `/identity${path}`, headers, payload })
      return { status: answer.statusCode, token: String(answer.headers['x-subject-token']), json: answer.json() }
    })
  } finally {
    await server.close()
    await service.stop()
  }
}

type Call = (
  method: string,
  path: string,
  token: string,
  body?: unknown,
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of any shape
) => Promise<{ status: number; token: string; json: any }>

const login = (call: Call, password: string) =>
  call('POST', '/v3/auth/tokens', '', authBody({ name: 'admin', password, scope: inProject('admin') }))

/** Everything that the first run makes, without ids, links and addresses. */
async function snapshot(call: Call, token: string) {
  const names = async (kind: string) =>
    (await call('GET', `/v3/${kind}`, token)).json[kind].map((one: { name: string; id: string }) => one.name)
  const ids = async (kind: string) =>
    (await call('GET', `/v3/${kind}`, token)).json[kind].map((one: { id: string }) => one.id).sort()
  const { role_assignments } = (await call('GET', '/v3/role_assignments?include_names', token)).json
  return {
    names: Object.fromEntries(
      await Promise.all(
        ['domains', 'projects', 'users', 'roles', 'services'].map(async kind => [kind, (await names(kind)).sort()]),
      ),
    ),
    ids: await Promise.all(['projects', 'users', 'roles', 'services', 'endpoints', 'regions'].map(ids)),
    assignments: role_assignments
      .map(
        (one: { user: { name: string }; role: { name: string }; scope: { project?: { name: string } } }) =>
          `${one.user.name} ${one.role.name} ${one.scope.project?.name ?? 'system'}`,
      )
      .sort(),
  }
}

test('the first run makes what a cloud needs; the next ones find it, and tokens outlive them', async () => {
  const first = await life(plan, async call => {
    const { token } = await login(call, plan.adminPassword)
    return { token, made: await snapshot(call, token) }
  })
  assert.deepEqual(first.made.names, {
    domains: ['Default'],
    projects: ['admin', 'demo', 'service'],
    users: ['admin', 'demo', 'keystone', 'nova'],
    roles: ['admin', 'manager', 'member', 'reader', 'service'],
    services: ['keystone', 'nova'],
  })
  assert.deepEqual(first.made.assignments, [
    ...['admin admin admin', 'admin admin system', 'demo member demo', 'keystone admin service'],
    ...['keystone service service', 'nova admin service', 'nova service service'],
  ])
  await life(plan, async call => {
    assert.equal((await call('GET', '/v3/auth/tokens', first.token)).status, 200)
    assert.deepEqual(await snapshot(call, first.token), first.made)
  })
})

test('a changed password and address are taken over, and what operators did stays', async () => {
  const old = await life(plan, async call => {
    const { token } = await login(call, plan.adminPassword)
    const { users } = (await call('GET', '/v3/users?name=demo', token)).json
    await call('PATCH', `/v3/users/${users[0].id}`, token, { user: { email: 'demo@example.org' } })
    return token
  })
  const next = { ...plan, adminPassword: 'next', publicUrl: 'https://new.example' }
  await life(next, async call => {
    assert.equal((await call('GET', '/v3/auth/tokens', old)).status, 401)
    assert.equal((await login(call, plan.adminPassword)).status, 401)
    const { status, token, json } = await login(call, 'next')
    assert.equal(status, 201)
    const urls = json.token.catalog.flatMap((one: { endpoints: { url: string }[] }) =>
      one.endpoints.map(endpoint => endpoint.url),
    )
    assert.deepEqual(
      [...new Set(urls)].sort(),
      ['https://new.example/compute/v2.1', 'https://new.example/identity'].sort(),
    )
    assert.equal(urls.length, 6)
    const { users } = (await call('GET', '/v3/users?name=demo', token)).json
    assert.equal(users[0].email, 'demo@example.org')
  })
})
