import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Identity, root, startIdentity, statuses } from '../harness.test.ts'

const base = '/v3/OS-FEDERATION'
const rules = [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'REMOTE_USER' }] }]

describe('identity providers, protocols, mappings and service providers', () => {
  let cloud: Identity
  let reader: string
  before(async () => {
    cloud = await startIdentity()
    reader = await cloud.login({ name: 'admin', password: 'admin-secret', scope: { system: { all: true } } })
  })
  after(() => cloud.close())
  const put = (path: string, body: object, as = cloud.admin) => cloud.call('PUT', `${base}/${path}`, as, body)
  const get = (path: string, as = cloud.admin) => cloud.call('GET', `${base}/${path}`, as)
  const patch = (path: string, body: object) => cloud.call('PATCH', `${base}/${path}`, cloud.admin, body)
  const remove = (path: string) => cloud.call('DELETE', `${base}/${path}`, cloud.admin)

  test('an identity provider has a domain of its own, unless it is given one', async () => {
    const made = await put('identity_providers/acme', {
      identity_provider: { remote_ids: ['urn:b', 'urn:a'], description: 'ACME', authorization_ttl: 5 },
    })
    assert.equal(made.status, 201, made.text)
    const { domain_id: domainId, ...shown } = made.json.identity_provider
    const self = `${root}/OS-FEDERATION/identity_providers/acme`
    assert.deepEqual(shown, {
      id: 'acme',
      enabled: false,
      description: 'ACME',
      authorization_ttl: 5,
      remote_ids: ['urn:a', 'urn:b'],
      links: { self, protocols: `${self}/protocols` },
    })
    const domain = await cloud.call('GET', `/v3/domains/${domainId}`, cloud.admin)
    assert.equal(domain.json.domain.name, domainId)
    assert.equal((await put('identity_providers/other', { identity_provider: { domain_id: 'default' } })).status, 201)
    assert.equal((await get('identity_providers/other')).json.identity_provider.domain_id, 'default')
    assert.equal((await put('identity_providers/third', { identity_provider: { domain_id: 'none' } })).status, 404)
    assert.equal((await get('identity_providers/third')).status, 404)
  })

  test('it is changed, listed by id and state, and goes', async () => {
    const changed = await patch('identity_providers/acme', {
      identity_provider: { enabled: true, remote_ids: ['urn:c'] },
    })
    assert.equal(changed.status, 200, changed.text)
    assert.deepEqual(changed.json.identity_provider.remote_ids, ['urn:c'])
    const ids = async (query: string) =>
      (await get(`identity_providers${query}`)).json.identity_providers.map((one: { id: string }) => one.id)
    assert.deepEqual(await ids(''), ['acme', 'other'])
    assert.deepEqual(await ids('?enabled=true'), ['acme'])
    assert.deepEqual(await ids('?id=other'), ['other'])
    assert.deepEqual(await ids('?limit=1'), ['acme'])
    assert.equal((await patch('identity_providers/acme', { identity_provider: { domain_id: 'default' } })).status, 400)
    assert.equal((await patch('identity_providers/none', { identity_provider: { enabled: true } })).status, 404)
    assert.equal((await remove('identity_providers/other')).status, 204)
    const missing = await remove('identity_providers/other')
    assert.equal(missing.status, 404)
    assert.equal(missing.json.error.message, 'Could not find Identity Provider: other.')
  })

  test('ids and remote ids are taken once', async () => {
    const again = await put('identity_providers/acme', { identity_provider: {} })
    assert.equal(again.status, 409, again.text)
    const taken = await put('identity_providers/twin', { identity_provider: { remote_ids: ['urn:c'] } })
    assert.equal(taken.status, 409)
    assert.match(taken.json.error.message, /Duplicate remote ID: urn:c/)
    assert.equal((await get('identity_providers/twin')).status, 404)
    const { json } = await cloud.call('GET', '/v3/domains', cloud.admin)
    assert.equal(json.domains.filter((one: { name: string }) => /^[0-9a-f]{32}$/.test(one.name)).length, 1)
    const twice = { identity_provider: { remote_ids: ['x', 'x'] } }
    assert.equal((await put('identity_providers/twin', twice)).status, 400)
  })

  test('a mapping is made with the schema of its version', async () => {
    const made = await put('mappings/first', { mapping: { rules } })
    assert.equal(made.status, 201, made.text)
    assert.deepEqual(made.json.mapping, {
      id: 'first',
      schema_version: '1.0',
      rules,
      links: { self: `${root}/OS-FEDERATION/mappings/first` },
    })
    const project = { name: 'p', roles: [{ name: 'member' }], domain: { id: 'default' } }
    const withDomain = [{ local: [{ user: { name: 'x' }, projects: [project] }], remote: [{ type: 'REMOTE_USER' }] }]
    assert.equal((await put('mappings/second', { mapping: { rules: withDomain } })).status, 400)
    const second = await put('mappings/second', { mapping: { rules: withDomain, schema_version: '2.0' } })
    assert.equal(second.status, 201, second.text)
    assert.equal((await put('mappings/third', { mapping: { rules, schema_version: '9.0' } })).status, 400)
    const changed = await patch('mappings/second', { mapping: { rules } })
    assert.deepEqual([changed.status, changed.json.mapping.schema_version], [200, '2.0'])
    assert.equal((await put('mappings/first', { mapping: { rules } })).status, 409)
    assert.deepEqual(
      (await get('mappings')).json.mappings.map((one: { id: string }) => one.id),
      ['first', 'second'],
    )
    assert.deepEqual(await statuses([remove('mappings/second'), remove('mappings/none')]), [204, 404])
  })

  const user = { user: { name: 'x' } }
  const wrong: readonly (readonly [string, unknown])[] = [
    ['no rules', []],
    ['no local part', [{ remote: [{ type: 'a' }] }]],
    ['no remote part', [{ local: [user] }]],
    ['an empty remote part', [{ local: [user], remote: [] }]],
    ['a remote without a type', [{ local: [user], remote: [{ any_one_of: ['x'] }] }]],
    ['two conditions in one', [{ local: [user], remote: [{ type: 'a', any_one_of: ['x'], not_any_of: ['y'] }] }]],
    ['a word that is not known', [{ local: [user], remote: [{ type: 'a', some_of: ['x'] }] }]],
    ['a group by name without its domain', [{ local: [{ group: { name: 'g' } }], remote: [{ type: 'a' }] }]],
    ['a kind of user that is not known', [{ local: [{ user: { type: 'ghost' } }], remote: [{ type: 'a' }] }]],
    ['a project without roles', [{ local: [{ projects: [{ name: 'p' }] }], remote: [{ type: 'a' }] }]],
    ['no regular expression', [{ local: [user], remote: [{ type: 'a', any_one_of: ['('], regex: true }] }]],
    ['more in a rule', [{ local: [user], remote: [{ type: 'a' }], also: 1 }]],
  ]
  for (const [what, given] of wrong)
    test(`a mapping is refused: ${what}`, async () => {
      const answer = await put('mappings/wrong', { mapping: { rules: given } })
      assert.equal(answer.status, 400, answer.text)
      assert.equal((await get('mappings/wrong')).status, 404)
    })

  test('a protocol names a mapping', async () => {
    const path = 'identity_providers/acme/protocols/saml2'
    assert.equal((await put(path, { protocol: { mapping_id: 'none' } })).status, 400)
    assert.equal((await put(path, { protocol: {} })).status, 400)
    const made = await put(path, { protocol: { mapping_id: 'first' } })
    assert.equal(made.status, 201, made.text)
    const provider = `${root}/OS-FEDERATION/identity_providers/acme`
    const shown = {
      id: 'saml2',
      idp_id: 'acme',
      mapping_id: 'first',
      remote_id_attribute: null,
      links: { self: `${provider}/protocols/saml2`, identity_provider: provider },
    }
    assert.deepEqual(made.json.protocol, shown)
    assert.deepEqual((await get(path)).json.protocol, shown)
    assert.deepEqual((await get('identity_providers/acme/protocols')).json.protocols, [shown])
    assert.equal((await put(path, { protocol: { mapping_id: 'first' } })).status, 409)
    assert.equal((await put('identity_providers/none/protocols/x', { protocol: { mapping_id: 'first' } })).status, 404)
    const changed = await patch(path, { protocol: { mapping_id: 'first', remote_id_attribute: 'ISS' } })
    assert.equal(changed.json.protocol.remote_id_attribute, 'ISS')
    const missing = await get('identity_providers/acme/protocols/none')
    assert.match(missing.json.error.message, /Could not find federated protocol none for Identity Provider: acme/)
    assert.equal((await remove(path)).status, 204)
    assert.equal((await remove(path)).status, 404)
  })

  test('tokens list the service providers that are enabled', async () => {
    const urls = { auth_url: 'https://b.example/v3', sp_url: 'https://b.example/ecp' }
    const made = await put('service_providers/beta', { service_provider: urls })
    assert.equal(made.status, 201, made.text)
    assert.deepEqual(made.json.service_provider, {
      id: 'beta',
      ...urls,
      enabled: false,
      description: null,
      relay_state_prefix: 'ss:mem:',
      links: { self: `${root}/OS-FEDERATION/service_providers/beta` },
    })
    const listed = async () => (await cloud.show(cloud.admin)).json.token.service_providers
    assert.equal(await listed(), undefined)
    assert.equal((await patch('service_providers/beta', { service_provider: { enabled: true } })).status, 200)
    assert.deepEqual(await listed(), [{ id: 'beta', ...urls }])
    assert.equal((await put('service_providers/gamma', { service_provider: { ...urls, sp_url: 'no' } })).status, 400)
    assert.equal((await put('service_providers/gamma', { service_provider: { auth_url: 'a:b' } })).status, 400)
    assert.equal((await get('service_providers?enabled=false')).json.service_providers.length, 0)
    assert.equal((await remove('service_providers/beta')).status, 204)
    assert.equal(await listed(), undefined)
  })

  test('administrators change them, readers of the system see them, others neither', async () => {
    const demo = await cloud.login({
      name: 'demo',
      password: 'demo-secret',
      scope: { project: { name: 'demo', domain: { id: 'default' } } },
    })
    const kinds = ['identity_providers', 'mappings', 'service_providers', 'identity_providers/acme/protocols']
    assert.deepEqual(await statuses(kinds.map(kind => get(kind, demo))), [403, 403, 403, 403])
    assert.deepEqual(await statuses(kinds.map(kind => get(kind, reader))), [200, 200, 200, 200])
    assert.deepEqual(
      await statuses([
        put('identity_providers/x', { identity_provider: {} }, demo),
        put('mappings/x', { mapping: { rules } }, demo),
        put('service_providers/x', { service_provider: { auth_url: 'a:b', sp_url: 'a:b' } }, demo),
        put('identity_providers/acme/protocols/x', { protocol: { mapping_id: 'first' } }, demo),
      ]),
      [403, 403, 403, 403],
    )
  })
})
