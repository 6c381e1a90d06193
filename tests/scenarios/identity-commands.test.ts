/** Every identity command of Debian's `openstack` client, as it names them itself, against a cloud with simulated hosts. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startTestCloud, type TestCloud, whyNoClient } from './cloud.ts'
import { type Listed, type ManyCommands, manyCommands, type OpenStack, type Shown } from './openstack.ts'

let cloud: TestCloud
let many: ManyCommands
let admin: OpenStack
/** Commands that were run. */
const used = new Set<string>()
let known: readonly string[] = []

const wordsOf = (command: string, rest: readonly string[]) => {
  used.add(command)
  return [...command.split(' '), ...rest]
}
const run = (command: string, ...rest: string[]) => admin.run(...wordsOf(command, rest))
const show = (command: string, ...rest: string[]): Promise<Shown> => admin.show(...wordsOf(command, rest))
const list = (command: string, ...rest: string[]): Promise<readonly Listed[]> => admin.list(...wordsOf(command, rest))
const has = async (command: string, name: string, ...rest: string[]) => {
  const rows = await list(command, ...rest)
  assert.ok(
    rows.some(row => Object.values(row).includes(name)),
    `${command}: ${name} is not in ${JSON.stringify(rows)}`,
  )
}
const file = (name: string, content: unknown): string => {
  const path = join(cloud.scratch, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

describe('every identity command of the openstack client', { skip: whyNoClient() }, () => {
  before(async () => {
    cloud = await startTestCloud({ mode: 'simulated' })
    many = manyCommands(cloud)
    admin = many.as('--os-cloud', 'strata')
    const [group] = await admin.list('command', 'list', '--group', 'openstack.identity.v3')
    known = group!['Commands'] as string[]
  })
  after(async () => {
    many?.stop()
    await cloud?.purge()
  })

  test('domains, projects, users, groups', async () => {
    await run('domain create', '--description', 'for tests', 'works')
    await run('domain set', '--description', 'for more tests', 'works')
    assert.equal((await show('domain show', 'works'))['description'], 'for more tests')
    await has('domain list', 'works')
    await run('project create', '--domain', 'works', '--tag', 'blue', 'plant')
    await run('project set', '--domain', 'works', '--description', 'makes things', '--tag', 'red', 'plant')
    assert.deepEqual((await show('project show', '--domain', 'works', 'plant'))['tags'], ['blue', 'red'])
    await has('project list', 'plant', '--domain', 'works', '--tags', 'blue,red')
    await run('user create', '--domain', 'works', '--password', 'one long password', '--email', 'a@b.example', 'ann')
    await run('user set', '--domain', 'works', '--description', 'first of her name', 'ann')
    assert.equal((await show('user show', '--domain', 'works', 'ann'))['email'], 'a@b.example')
    await has('user list', 'ann', '--domain', 'works')
    await run('group create', '--domain', 'works', 'crew')
    await run('group set', '--domain', 'works', '--description', 'on board', 'crew')
    assert.equal((await show('group show', '--domain', 'works', 'crew'))['description'], 'on board')
    await has('group list', 'crew', '--domain', 'works')
    const both = ['--group-domain', 'works', '--user-domain', 'works', 'crew', 'ann']
    await run('group add user', ...both)
    assert.match(await run('group contains user', ...both), /ann in group crew/)
    await run('group remove user', ...both)
    await run(
      'role add',
      '--user',
      'ann',
      '--user-domain',
      'works',
      '--project',
      'plant',
      '--project-domain',
      'works',
      'member',
    )
    const ann = many.as(...passwordLogin({ user: 'ann', password: 'one long password' }))
    used.add('user password set')
    await ann.run(
      'user',
      'password',
      'set',
      '--original-password',
      'one long password',
      '--password',
      'another password',
    )
    assert.match(await ann.refused('token', 'issue'), /401/)
    await many.as(...passwordLogin({ user: 'ann', password: 'another password' })).run('token', 'issue')
  })

  const passwordLogin = (options: { readonly user: string; readonly password: string }) => [
    ...['--os-auth-url', `${cloud.url}/identity`, '--os-identity-api-version', '3'],
    ...['--os-username', options.user, '--os-password', options.password, '--os-user-domain-name', 'works'],
    ...['--os-project-name', 'plant', '--os-project-domain-name', 'works'],
  ]

  test('tokens and the catalog', async () => {
    const token = await show('token issue')
    await run('token revoke', `${token.id}`)
    await has('catalog list', 'identity')
    assert.equal((await show('catalog show', 'identity'))['type'], 'identity')
  })

  test('roles and who has them', async () => {
    await run('role create', 'driver')
    await run('role set', '--description', 'at the wheel', 'driver')
    assert.equal((await show('role show', 'driver'))['description'], 'at the wheel')
    await has('role list', 'driver')
    await run('implied role create', '--implied-role', 'reader', 'driver')
    await has('implied role list', 'driver')
    await run('implied role delete', '--implied-role', 'reader', 'driver')
    const where = ['--user', 'ann', '--user-domain', 'works', '--project', 'plant', '--project-domain', 'works']
    await run('role add', ...where, 'driver')
    const rows = await list('role assignment list', '--names', ...where)
    assert.deepEqual(rows.map(row => row['Role']).sort(), ['driver', 'member'])
    await run('role remove', ...where, 'driver')
    await run('role delete', 'driver')
  })

  test('regions, services, endpoints and what projects see of them', async () => {
    await run('region create', '--description', 'far', 'north')
    await run('region set', '--description', 'very far', 'north')
    assert.equal((await show('region show', 'north'))['description'], 'very far')
    await has('region list', 'north')
    await run('service create', '--name', 'clock', 'time')
    await run('service set', '--description', 'tells it', 'clock')
    assert.equal((await show('service show', 'clock'))['description'], 'tells it')
    await has('service list', 'clock')
    const { id } = await show('endpoint create', '--region', 'north', 'clock', 'public', 'http://clock.example/')
    await run('endpoint set', '--url', 'http://clock.example/v1', id)
    assert.equal((await show('endpoint show', id))['url'], 'http://clock.example/v1')
    await has('endpoint list', id, '--service', 'clock')
    await run('endpoint add project', '--project-domain', 'works', id, 'plant')
    await run('endpoint remove project', '--project-domain', 'works', id, 'plant')
    const group = await show('endpoint group create', 'clocks', file('filters.json', { interface: 'public' }))
    await run('endpoint group set', '--description', 'all of them', group.id)
    assert.equal((await show('endpoint group show', group.id))['name'], 'clocks')
    await has('endpoint group list', group.id)
    await run('endpoint group add project', '--project-domain', 'works', group.id, 'plant')
    await has('endpoint group list', group.id, '--project', 'plant', '--domain', 'works')
    await run('endpoint group remove project', '--project-domain', 'works', group.id, 'plant')
    await run('endpoint group delete', group.id)
  })

  test('limits', async () => {
    const { id } = await show('registered limit create', '--service', 'clock', '--default-limit', '10', 'hands')
    await run('registered limit set', '--default-limit', '12', id)
    assert.equal((await show('registered limit show', id))['default_limit'], 12)
    await has('registered limit list', id)
    const project = (await show('project show', '--domain', 'works', 'plant')).id
    const limit = await show(
      'limit create',
      '--project',
      project,
      '--service',
      'clock',
      '--resource-limit',
      '3',
      'hands',
    )
    await run('limit set', '--resource-limit', '4', limit.id)
    assert.equal((await show('limit show', limit.id))['resource_limit'], 4)
    await has('limit list', limit.id)
    await run('limit delete', limit.id)
    await run('registered limit delete', id)
    const [endpoint] = await list('endpoint list', '--service', 'clock')
    await run('endpoint delete', `${endpoint!['ID']}`)
    await run('service delete', 'clock')
    await run('region delete', 'north')
  })

  test('credentials of all kinds', async () => {
    const credential = await show('credential create', '--type', 'cert', 'admin', file('secret', 'a secret'))
    await run('credential set', '--user', 'admin', '--type', 'cert', '--data', 'another', credential.id)
    assert.equal((await show('credential show', credential.id))['blob'], 'another')
    await has('credential list', credential.id)
    await run('credential delete', credential.id)
    const key = `${(await show('ec2 credentials create'))['access']}`
    assert.equal((await show('ec2 credentials show', key))['access'], key)
    await has('ec2 credentials list', key)
    await run('ec2 credentials delete', key)
    const rules = file('rules.json', [{ service: 'compute', method: 'GET', path: '/v2.1/servers' }])
    const made = await show('application credential create', '--access-rules', rules, '--role', 'reader', 'ci')
    assert.equal((await show('application credential show', 'ci')).id, made.id)
    await has('application credential list', 'ci')
    await run('application credential delete', 'ci')
    const [rule] = await list('access rule list')
    assert.equal((await show('access rule show', `${rule!['ID']}`))['path'], '/v2.1/servers')
    await run('access rule delete', `${rule!['ID']}`)
  })

  test('trusts', async () => {
    const words = ['--project', 'admin', '--role', 'reader', '--trustee-domain', 'works', 'admin', 'ann']
    const { id } = await show('trust create', ...words)
    assert.equal((await show('trust show', id))['impersonation'], false)
    await has('trust list', id)
    await run('trust delete', id)
  })

  test('consumers of OAuth', async () => {
    const consumer = await show('consumer create', '--description', 'an app')
    const of = ['--consumer-key', consumer.id, '--consumer-secret', `${consumer['secret']}`]
    await run('consumer set', '--description', 'the app', consumer.id)
    assert.equal((await show('consumer show', consumer.id))['description'], 'the app')
    await has('consumer list', consumer.id)
    const asked = await show('request token create', ...of, '--project', 'admin')
    const request = ['--request-key', `${asked.id ?? asked['key']}`]
    const allowed = await show('request token authorize', ...request, '--role', 'reader')
    const verifier = `${allowed['oauth_verifier']}`
    const secret = ['--request-secret', `${asked['secret']}`, '--verifier', verifier]
    assert.ok((await show('access token create', ...of, ...request, ...secret))['secret'])
    await run('consumer delete', consumer.id)
  })

  test('federation', async () => {
    const rules = [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'REMOTE_USER' }] }]
    await run('mapping create', '--rules', file('mapping.json', rules), 'plain')
    await run('mapping set', '--rules', file('mapping.json', rules), 'plain')
    assert.equal((await show('mapping show', 'plain')).id, 'plain')
    await has('mapping list', 'plain')
    await run('identity provider create', '--remote-id', 'https://idp.example', 'corp')
    await run('identity provider set', '--description', 'of the company', 'corp')
    assert.equal((await show('identity provider show', 'corp'))['description'], 'of the company')
    await has('identity provider list', 'corp')
    await run('federation protocol create', '--identity-provider', 'corp', '--mapping', 'plain', 'openid')
    await run('federation protocol set', '--identity-provider', 'corp', '--mapping', 'plain', 'openid')
    assert.equal((await show('federation protocol show', '--identity-provider', 'corp', 'openid'))['mapping'], 'plain')
    await has('federation protocol list', 'openid', '--identity-provider', 'corp')
    const urls = ['--auth-url', 'https://sp.example/auth', '--service-provider-url', 'https://sp.example/acs']
    await run('service provider create', ...urls, 'partner')
    await run('service provider set', '--description', 'a friend', 'partner')
    assert.equal((await show('service provider show', 'partner'))['description'], 'a friend')
    await has('service provider list', 'partner')
    await list('federation project list')
    await list('federation domain list')
    await run('service provider delete', 'partner')
    await run('federation protocol delete', '--identity-provider', 'corp', 'openid')
    await run('identity provider delete', 'corp')
    await run('mapping delete', 'plain')
  })

  test('policies, and what goes at the end', async () => {
    const { id } = await show('policy create', '--type', 'application/json', file('policy.json', '{"a": "role:b"}'))
    await run('policy set', '--type', 'text/plain', id)
    assert.equal((await show('policy show', id))['type'], 'text/plain')
    await has('policy list', id)
    await run('policy delete', id)
    await run('group delete', '--domain', 'works', 'crew')
    await run('user delete', '--domain', 'works', 'ann')
    await run('project delete', '--domain', 'works', 'plant')
    await run('domain set', '--disable', 'works')
    await run('domain delete', 'works')
  })

  test('no command was left out', () => {
    assert.ok(known.length > 100, `the client names ${known.length} commands`)
    assert.deepEqual(
      known.filter(command => !used.has(command)),
      [],
    )
  })
})
