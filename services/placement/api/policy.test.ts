import assert from 'node:assert/strict'
import { test } from 'node:test'
import { persona } from '@strata/toolkit/testing'
import { policies } from '../contract/policies.ts'
import { usePlacement } from './fixture.test.ts'

const fixture = usePlacement()
const headers = { 'openstack-api-version': 'placement 1.39' }

const everybody = {
  admin: persona({ roles: ['admin'] }),
  service: persona({ roles: ['service'] }),
  manager: persona({ roles: ['manager'] }),
  member: persona({ roles: ['member'] }),
  reader: persona({ roles: ['reader'] }),
  'system admin': persona({ roles: ['admin'], system: true }),
  unscoped: persona({ roles: [], project: null }),
}
type Name = keyof typeof everybody

/** Who else than administrators and services may ask; what is not here is theirs. */
const exceptions: Readonly<Record<string, readonly Name[]>> = {
  'placement:reshaper:reshape': ['service'],
}

test('every operation is open to those that its rule names, and to nobody else', async () => {
  const seen = new Set<string>()
  for (const operation of fixture.service.instance.operations) {
    if (operation.policy === undefined) continue
    seen.add(operation.policy)
    const minor = operation.until ?? 39
    const path = operation.path.replace(/:\w+/g, '00000000-0000-4000-8000-00000000000f')
    for (const [name, as] of Object.entries(everybody)) {
      const body = operation.method === 'GET' || operation.method === 'DELETE' ? undefined : { nonsense: true }
      const { status } = await fixture.service.request(operation.method, path, {
        as,
        body,
        headers: { 'openstack-api-version': `placement 1.${minor}` },
      })
      const open = (exceptions[operation.policy] ?? ['admin', 'service']).includes(name as Name)
      assert.equal(status !== 403, open, `${operation.method} ${path} as ${name}: ${status}`)
    }
  }
  // Its target is the project asked for, so its handler enforces it: api/usage.test.ts.
  seen.add('placement:usages')
  assert.deepEqual(
    [...seen].sort(),
    policies
      .map(rule => rule.name)
      .filter(name => name.startsWith('placement:'))
      .sort(),
  )
})

test('usages of a foreign project are open to administrators and services alone', async () => {
  for (const [name, as] of Object.entries(everybody)) {
    const { status } = await fixture.service.request('GET', '/usages?project_id=foreign', { as, headers })
    assert.equal(status, name === 'admin' || name === 'service' ? 200 : 403, name)
  }
})

test('without a token only the versions are told', async () => {
  const root = await fixture.service.request('GET', '/', { as: '' })
  assert.equal(root.status, 200)
  const [version] = root.json.versions
  assert.deepEqual([version.id, version.min_version, version.max_version], ['v1.0', '1.0', '1.39'])
  assert.equal((await fixture.service.request('GET', '/resource_providers', { as: '', headers })).status, 401)
})

test('versions are negotiated, and refusals tell the range', async () => {
  const get = (version: string) =>
    fixture.service.request('GET', '/resource_providers', {
      as: everybody.admin,
      headers: { 'openstack-api-version': version },
    })
  assert.equal((await get('placement latest')).headers['openstack-api-version'], 'placement 1.39')
  assert.equal((await get('compute 2.1')).headers['openstack-api-version'], 'placement 1.0')
  assert.equal((await get('placement cow')).status, 400)
  const refusal = await get('placement 1.40')
  assert.equal(refusal.status, 406)
  const [error] = refusal.json.errors
  assert.deepEqual([error.min_version, error.max_version, error.code], ['1.0', '1.39', undefined])
})

test('only JSON is spoken', async () => {
  const ask = (method: string, more: Record<string, string>, body?: unknown) =>
    fixture.service.request(method, '/resource_providers', {
      as: everybody.admin,
      body,
      headers: { ...headers, ...more },
    })
  assert.equal((await ask('GET', { accept: 'text/html' })).status, 406)
  assert.equal((await ask('GET', { accept: 'text/html, */*;q=0.1' })).status, 200)
  assert.equal((await ask('POST', { 'content-type': 'text/plain' }, 'name')).status, 415)
  assert.equal((await ask('POST', { 'content-type': 'text/plain' }, '{"name": "x"}')).status, 415)
  assert.equal((await ask('POST', { 'content-type': 'application/json' }, '{"name": ')).status, 400)
  assert.equal((await ask('PATCH', {}, {})).status, 405)
})
