/** Every operation of identity × every caller, against the field's default rules as a second reader understands them. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Identity, startIdentity } from '../harness.test.ts'
import { defaultRules } from './test-policy-rules.ts'
import { casesOf, walk } from './test-policy-walk.ts'
import { createWorld, type World } from './test-policy-world.ts'

/** Operations that no rule stands for, and why. */
const ruleless: Readonly<Record<string, string>> = {
  'GET /': 'discovery: asks for no token',
  'GET /v3': 'discovery: asks for no token',
  'POST /v3/auth/tokens': 'login: the caller has no token yet',
  'GET /v3/OS-FEDERATION/projects': 'what the caller’s own token reaches, as /v3/auth/projects',
  'GET /v3/OS-FEDERATION/domains': 'what the caller’s own token reaches, as /v3/auth/domains',
  'GET /v3/OS-FEDERATION/identity_providers/{}/protocols/{}/auth': 'login: the caller has no token yet',
  'POST /v3/OS-FEDERATION/identity_providers/{}/protocols/{}/auth': 'login: the caller has no token yet',
  'POST /v3/OS-OAUTH1/request_token': 'the signature says who asks',
  'POST /v3/OS-OAUTH1/access_token': 'the signature says who asks',
  ...Object.fromEntries(
    ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].map(method => [
      `${method} /v3/OS-OAUTH2/token`,
      'login: the client has no token yet; only POST does something',
    ]),
  ),
  'GET /v3/OS-SIMPLE-CERT/ca': 'gone, whoever asks',
  'GET /v3/OS-SIMPLE-CERT/certificates': 'gone, whoever asks',
  ...Object.fromEntries(
    ['identity_providers/{}/protocols/{}/websso', 'identity_providers/{}/protocol/{}/websso', 'websso/{}'].flatMap(
      path =>
        ['GET', 'POST'].map(method => [
          `${method} /v3/auth/OS-FEDERATION/${path}`,
          'login: the caller has no token yet',
        ]),
    ),
  ),
  'POST /v3/auth/OS-FEDERATION/saml2': 'the caller shows a token in the body, and is told of itself',
  'POST /v3/auth/OS-FEDERATION/saml2/ecp': 'the caller shows a token in the body, and is told of itself',
  'GET /v3/OS-FEDERATION/saml2/metadata': 'public: what other clouds must know to believe this one',
  'GET /v3/OS-FEDERATION/identity_providers/{}/protocols/{}/saml2/metadata':
    'public: what identity providers must know to send users here',
  'POST /v3/users/{}/password': 'whoever knows the password may change it, also when it has expired',
}

describe('policy of every operation', () => {
  let cloud: Identity
  let world: World
  before(async () => {
    cloud = await startIdentity()
    world = await createWorld(cloud)
  })
  after(() => cloud.close())
  const known = () => casesOf(cloud.service.instance.operations, defaultRules)

  test('each operation has a rule of the field, or a reason to have none', () => {
    const { without } = known()
    assert.deepEqual(
      without.filter(key => ruleless[key] === undefined),
      [],
    )
    assert.deepEqual(
      Object.keys(ruleless).filter(key => !without.includes(key)),
      [],
    )
  })

  test('each rule that the service declares is one of the field', () => {
    const names = new Set(defaultRules.map(one => one.rule))
    const strange = cloud.service.instance.policy.rules().filter(({ name }) => !names.has(name))
    assert.deepEqual(
      strange.map(one => one.name),
      [],
    )
  })

  test('whoever the rules let pass passes, and nobody else', async () => {
    assert.deepEqual(await walk({ cloud, world, cases: known().cases, rules: defaultRules }), [])
  })
})

test('a rule that lets in too many or too few is found', async () => {
  const planted = {
    'identity:get_user': '@',
    'identity:list_regions': 'rule:admin_required',
    'identity:delete_group': 'role:manager and not domain_id:%(target.group.domain_id)s',
  }
  const cloud = await startIdentity({}, { policyOverrides: () => planted })
  try {
    const world = await createWorld(cloud)
    const { cases } = casesOf(cloud.service.instance.operations, defaultRules)
    const some = cases.filter(one => one.rule in planted || one.rule === 'identity:list_users')
    const wrong = await walk({ cloud, world, cases: some, rules: defaultRules })
    const rules = new Set(wrong.map(words => /identity:\w+/.exec(words)![0]))
    assert.deepEqual([...rules].sort(), Object.keys(planted).sort())
    assert.ok(wrong.some(words => words.includes('nobody: should be refused')))
    assert.ok(wrong.some(words => words.includes('manager of acme: should pass')))
  } finally {
    await cloud.close()
  }
})
