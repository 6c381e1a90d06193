import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Identity, inProject, plan, startIdentity, statuses } from '../harness.test.ts'

let cloud: Identity
let endpoint: { id: string; service_id: string }
before(async () => {
  cloud = await startIdentity()
  ;[endpoint] = (await cloud.call('GET', '/v3/endpoints?interface=public', cloud.admin)).json.endpoints
})
after(() => cloud.close())

const ask = (method: string, path: string, body?: object, as = cloud.admin) =>
  cloud.call(method, `/v3/${path}`, as, body)
const make = async (blob: string) =>
  (await ask('POST', 'policies', { policy: { type: 'application/json', blob } })).json.policy

test('a policy is kept as it came, listed by type, changed and deleted', async () => {
  const { id, links, ...rest } = await make('{"a": "role:b"}')
  assert.deepEqual(rest, { type: 'application/json', blob: '{"a": "role:b"}' })
  assert.match(links.self, new RegExp(`/v3/policies/${id}$`))
  const changed = await ask('PATCH', `policies/${id}`, { policy: { type: 'text/plain' } })
  assert.deepEqual([changed.status, changed.json.policy.type, changed.json.policy.blob], [200, 'text/plain', rest.blob])
  assert.equal((await ask('GET', 'policies?type=text/plain')).json.policies.length, 1)
  assert.equal((await ask('POST', 'policies', { policy: { type: 'x' } })).status, 400)
  const demo = await cloud.login({ name: 'demo', password: plan.demoPassword, scope: inProject('demo') })
  assert.equal((await ask('GET', 'policies', undefined, demo)).status, 403)
  assert.equal((await ask('DELETE', `policies/${id}`)).status, 204)
  assert.equal((await ask('GET', `policies/${id}`)).status, 404)
})

test('a policy can be fetched beside its associations', async () => {
  const { id, blob } = await make('fetched')
  const found = await ask('GET', `policies/${id}/OS-ENDPOINT-POLICY/policy`)
  assert.deepEqual([found.status, found.json.policy.id, found.json.policy.blob], [200, id, blob])
  assert.equal((await ask('HEAD', `policies/${id}/OS-ENDPOINT-POLICY/policy`)).status, 200)
  assert.equal((await ask('GET', 'policies/none/OS-ENDPOINT-POLICY/policy')).status, 404)
})

test('the nearest association says which policy an endpoint has', async () => {
  const [wide, near, own] = [await make('wide'), await make('near'), await make('own')]
  const of = (policy: { id: string }, target: string) => `policies/${policy.id}/OS-ENDPOINT-POLICY/${target}`
  const effective = `endpoints/${endpoint.id}/OS-ENDPOINT-POLICY/policy`
  assert.equal((await ask('GET', effective)).status, 404)
  for (const [policy, target] of [
    [wide, `services/${endpoint.service_id}`],
    [near, `services/${endpoint.service_id}/regions/RegionOne`],
    [own, `endpoints/${endpoint.id}`],
  ] as const) {
    const path = of(policy, target)
    assert.equal((await ask('GET', path)).status, 404)
    assert.equal((await ask('PUT', path)).status, 204)
    assert.deepEqual(await statuses([ask('GET', path), ask('HEAD', path)]), [204, 204])
    assert.equal((await ask('GET', effective)).json.policy.blob, policy.blob)
  }
  const listed = async (policy: { id: string }) =>
    (await ask('GET', of(policy, 'endpoints'))).json.endpoints.map((one: { id: string }) => one.id)
  assert.deepEqual(await listed(own), [endpoint.id])
  assert.equal((await listed(near)).includes(endpoint.id), false)
  assert.equal((await ask('DELETE', of(own, `endpoints/${endpoint.id}`))).status, 204)
  assert.equal((await ask('GET', effective)).json.policy.blob, 'near')
  const other = await make('other')
  await ask('PUT', of(other, `services/${endpoint.service_id}/regions/RegionOne`))
  assert.equal((await ask('GET', effective)).json.policy.blob, 'other')
  await ask('DELETE', `policies/${other.id}`)
  assert.equal((await ask('GET', effective)).json.policy.blob, 'wide')
})

test('only what exists is associated', async () => {
  const { id } = await make('x')
  assert.deepEqual(
    await statuses([
      ask('PUT', `policies/none/OS-ENDPOINT-POLICY/endpoints/${endpoint.id}`),
      ask('PUT', `policies/${id}/OS-ENDPOINT-POLICY/endpoints/none`),
      ask('PUT', `policies/${id}/OS-ENDPOINT-POLICY/services/none`),
      ask('PUT', `policies/${id}/OS-ENDPOINT-POLICY/services/${endpoint.service_id}/regions/none`),
      ask('DELETE', `policies/${id}/OS-ENDPOINT-POLICY/endpoints/${endpoint.id}`),
    ]),
    [404, 404, 404, 404, 404],
  )
})
