import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { inProject, plan, publicUrl } from '../harness.test.ts'
import { readIdpMetadata } from '../logic/federation/saml/metadata.ts'
import { type Federated, startFederated } from './test-federation.ts'

const identity = `${publicUrl}/identity`
const there = '/v3/OS-FEDERATION/identity_providers/home/protocols/saml2/auth'
const rules = [
  {
    local: [{ user: { name: '{0}' } }, { projects: [{ name: 'visitors', roles: [{ name: 'reader' }] }] }],
    remote: [
      { type: 'openstack_user' },
      { type: 'openstack_user_domain', any_one_of: ['Default'] },
      { type: 'openstack_project', any_one_of: ['admin'] },
      { type: 'openstack_project_domain', any_one_of: ['Default'] },
      { type: 'openstack_roles', any_one_of: ['admin'] },
      { type: 'openstack_groups', any_one_of: ['JSON:{"name":"ops & co","domain":{"name":"Default"}}'] },
    ],
  },
]

describe('from one cloud to another (Keystone to Keystone)', () => {
  let home: Federated
  let abroad: Federated
  let metadata: string
  before(async () => {
    home = await startFederated({
      saml: {
        idp_organization_name: 'home',
        idp_organization_display_name: 'Home & co',
        idp_organization_url: 'https://home.example',
        idp_contact_email: 'ops@home.example',
      },
    })
    metadata = (await home.get('/v3/OS-FEDERATION/saml2/metadata')).text
    const saml = { metadata, keystone: true }
    abroad = await startFederated({ federation: { providers: { home: { saml2: { saml } } } } })
    await abroad.register('home', 'saml2', rules)
    for (const [id, enabled] of [
      ['abroad', true],
      ['closed', false],
    ] as const)
      await home.put(`service_providers/${id}`, {
        service_provider: { auth_url: identity + there, sp_url: identity + there, enabled },
      })
    const group = await home.make('group', { name: 'ops & co' })
    const { json } = await home.call('GET', '/v3/users?name=admin', home.admin)
    assert.equal((await home.call('PUT', `/v3/groups/${group.id}/users/${json.users[0].id}`, home.admin)).status, 204)
  })
  after(async () => {
    await home.close()
    await abroad.close()
  })

  const ask = (token: string, serviceProvider = 'abroad', path = '/v3/auth/OS-FEDERATION/saml2/ecp') =>
    home.call('POST', path, '', {
      auth: {
        identity: { methods: ['token'], token: { id: token } },
        scope: { service_provider: { id: serviceProvider } },
      },
    })
  const bring = (envelope: string) =>
    abroad.call('POST', there, '', envelope, { 'content-type': 'application/vnd.paos+xml' })

  test('a token becomes an assertion, and that a token there, once', async () => {
    const made = await ask(home.admin)
    assert.equal(made.status, 200, made.text)
    assert.match(String(made.headers['content-type']), /^text\/xml/)
    assert.deepEqual([made.headers['x-sp-url'], made.headers['x-auth-url']], [identity + there, identity + there])
    assert.match(made.text, /<ecp:RelayState[^>]*>ss:mem:[0-9a-f]{32}</)
    assert.ok(!made.text.includes(home.admin))
    const token = await bring(made.text)
    assert.equal(token.status, 201, token.text)
    assert.equal(token.json.token.user.name, 'admin')
    const scoped = await abroad.tryLogin({
      token: String(token.headers['x-subject-token']),
      scope: { project: { name: 'visitors', domain: { id: token.json.token.user.domain.id } } },
    })
    assert.equal(scoped.status, 201, scoped.text)
    assert.deepEqual(
      scoped.json.token.roles.map((role: { name: string }) => role.name),
      ['reader'],
    )
    assert.equal((await bring(made.text)).status, 401)
  })

  test('the bare response is the same without its envelope', async () => {
    const made = await ask(home.admin, 'abroad', '/v3/auth/OS-FEDERATION/saml2')
    assert.match(made.text, /^<samlp:Response /)
    const names = [...made.text.matchAll(/<saml:Attribute Name="([^"]*)"/g)].map(([, name]) => name)
    assert.deepEqual(names.sort(), [
      'openstack_groups',
      'openstack_project',
      'openstack_project_domain',
      'openstack_roles',
      'openstack_user',
      'openstack_user_domain',
    ])
  })

  test('is refused to tokens without a project, and for clouds that are not known or disabled', async () => {
    const unscoped = await home.login({ name: 'admin', password: plan.adminPassword, scope: 'unscoped' })
    assert.equal((await ask(unscoped)).status, 403)
    assert.equal((await ask('x')).status, 404)
    assert.equal((await ask(home.admin, 'none')).status, 404)
    assert.equal((await ask(home.admin, 'closed')).status, 403)
    for (const body of [{}, { auth: {} }, { auth: { identity: { methods: ['token'] }, scope: {} } }])
      assert.equal((await home.call('POST', '/v3/auth/OS-FEDERATION/saml2', '', body)).status, 400)
    const demo = await home.login({ name: 'demo', password: plan.demoPassword, scope: inProject('demo') })
    const refused = await bring((await ask(demo)).text)
    assert.equal(refused.status, 401, 'the mapping there is for others')
  })

  test('a token that is good for some requests alone becomes no assertion', async () => {
    const { json } = await home.show(home.admin)
    const credential = await home.make(
      'application_credential',
      { name: 'ci', access_rules: [{ service: 'compute', method: 'GET', path: '/v2.1/servers' }] },
      `/v3/users/${json.token.user.id}/application_credentials`,
    )
    const identityOf = { methods: ['application_credential'], application_credential: credential }
    const answer = await home.call('POST', '/v3/auth/tokens', '', { auth: { identity: identityOf } })
    assert.equal(answer.status, 201, answer.text)
    assert.equal((await ask(String(answer.headers['x-subject-token']))).status, 403)
  })

  test('nor does one that was got by a trust', async () => {
    const { token } = (await home.show(home.admin)).json
    const trust = await home.make(
      'trust',
      {
        trustor_user_id: token.user.id,
        trustee_user_id: token.user.id,
        project_id: token.project.id,
        roles: [{ name: 'reader' }],
        impersonation: true,
      },
      '/v3/OS-TRUST/trusts',
    )
    const scope = { 'OS-TRUST:trust': { id: trust.id } }
    const trusted = await home.login({ name: 'admin', password: plan.adminPassword, scope })
    assert.equal((await ask(trusted)).status, 403)
  })

  test('metadata say who signs, and who runs it', async () => {
    const read = readIdpMetadata(metadata)
    assert.deepEqual([read.entityId, read.certificates.length], [`${identity}/v3/OS-FEDERATION/saml2/idp`, 1])
    assert.match(metadata, /<md:OrganizationDisplayName xml:lang="en">Home &amp; co</)
    assert.match(metadata, /<md:ContactPerson contactType="other"><md:EmailAddress>ops@home\.example</)
  })

  test('an assertion ends with its token, and within its own time', async () => {
    const made = await ask(home.admin)
    const { json } = await home.show(home.admin)
    const end = /SubjectConfirmationData NotOnOrAfter="([^"]*)"/.exec(made.text)![1]!
    assert.equal(Date.parse(end), Date.parse(json.token.expires_at))
    abroad.advance(2 * 3600_000)
    assert.equal((await bring(made.text)).status, 401)
  })
})
