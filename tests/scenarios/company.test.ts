/**
 * The life of a company in a cloud, told with Debian's own `openstack` client: its domain and who runs it, its people and
 * projects, programs that act for it, a colleague who stands in, staff of a partner who log in from a cloud of their own, and
 * how all of that ends for somebody who leaves.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually, startTestCloud, type TestCloud, whyNoClient } from './cloud.ts'
import { type Listed, type ManyCommands, manyCommands, type OpenStack, openstack } from './openstack.ts'

const federation = '/identity/v3/OS-FEDERATION'
const word = (name: string) => `the long word of ${name}`
const column = (rows: readonly Listed[], name: string) => rows.map(row => row[name])

describe('a company', { skip: whyNoClient() }, () => {
  let cloud: TestCloud
  let partner: TestCloud
  let many: ManyCommands
  let operator: OpenStack

  /** Somebody of the company, by password; `scope` as the client has it, by default the project `shop`. */
  const person = (name: string, ...scope: string[]): OpenStack =>
    many.as(
      ...['--os-auth-url', `${cloud.url}/identity/v3`, '--os-username', name, '--os-password', word(name)],
      ...['--os-user-domain-name', 'acme'],
      ...(scope.length > 0 ? scope : ['--os-project-name', 'shop', '--os-project-domain-name', 'acme']),
    )
  const ada = () => person('ada', '--os-domain-name', 'acme')
  const inAcme = ['--user-domain', 'acme', '--project-domain', 'acme'] as const
  const file = (name: string, content: unknown): string => {
    const path = join(cloud.scratch, name)
    writeFileSync(path, JSON.stringify(content))
    return path
  }
  const program = (credential: { readonly id: string; readonly secret: string }) =>
    many.as(
      ...['--os-auth-type', 'v3applicationcredential', '--os-auth-url', `${cloud.url}/identity/v3`],
      ...['--os-application-credential-id', credential.id, '--os-application-credential-secret', credential.secret],
    )
  const made: { ci?: { id: string; secret: string }; trust?: string } = {}

  before(async () => {
    partner = await startTestCloud({ mode: 'simulated' })
    const metadata = await (await fetch(`${partner.url}${federation}/saml2/metadata`)).text()
    const providers = { partner: { saml2: { saml: { metadata, keystone: true } } } }
    cloud = await startTestCloud({ mode: 'simulated', settings: { federation: { providers } } })
    many = manyCommands(cloud)
    operator = many.as('--os-cloud', 'strata')
  })
  after(async () => {
    many?.stop()
    await cloud?.purge()
    await partner?.purge()
  })

  test('gets a domain, and somebody of its own who manages it', async () => {
    await operator.run('domain', 'create', 'acme')
    await operator.run('user', 'create', '--domain', 'acme', '--password', word('ada'), 'ada')
    await operator.run('role', 'add', '--user', 'ada', '--user-domain', 'acme', '--domain', 'acme', 'manager')
    await ada().run('token', 'issue')
    await person('ada').refused('token', 'issue')
  })

  test('makes its projects, people and groups without the operator', async () => {
    await ada().run('project', 'create', '--domain', 'acme', 'shop')
    await ada().run('project', 'create', '--domain', 'acme', '--parent', 'shop', 'staging')
    for (const name of ['bob', 'carol', 'dave'])
      await ada().run('user', 'create', '--domain', 'acme', '--password', word(name), name)
    await ada().run('group', 'create', '--domain', 'acme', 'developers')
    for (const name of ['bob', 'carol', 'dave'])
      await ada().run('group', 'add', 'user', '--group-domain', 'acme', '--user-domain', 'acme', 'developers', name)
    const developers = ['--group', 'developers', '--group-domain', 'acme', '--project-domain', 'acme']
    await ada().run('role', 'add', ...developers, '--project', 'shop', 'member')
    await ada().run('role', 'add', ...developers, '--inherited', '--project', 'shop', 'reader')
    const rows = await ada().list('role', 'assignment', 'list', '--names', '--effective', '--user', 'bob', ...inAcme)
    const seen = rows.map(row => `${row['Role']} on ${row['Project']}`)
    assert.ok(seen.includes('member on shop@acme'), `${seen}`)
    assert.ok(seen.includes('reader on staging@acme'), `${seen}`)
    assert.ok(!seen.includes('member on staging@acme'), `${seen}`)
  })

  test('stays within its domain', async () => {
    assert.match(await ada().refused('domain', 'create', 'rivals'), /403/)
    assert.match(await ada().refused('user', 'create', '--domain', 'default', 'spy'), /403|No domain/)
    assert.match(await ada().refused('user', 'set', '--password', 'mine now', 'admin', '--domain', 'default'), /403|No/)
    const self = ['--user', 'ada', '--user-domain', 'acme', '--domain', 'acme']
    assert.match(await ada().refused('role', 'add', ...self, 'admin'), /403/)
    assert.match(await person('bob').refused('user', 'create', '--domain', 'acme', 'friend'), /403/)
    const people = column(await ada().list('user', 'list', '--domain', 'acme'), 'Name')
    assert.deepEqual([...people].sort(), ['ada', 'bob', 'carol', 'dave'])
  })

  test('lets a program do one thing', async () => {
    const rules = file('rules.json', [{ service: 'compute', method: 'GET', path: '/v2.1/servers/detail' }])
    const words = ['--role', 'reader', '--access-rules', rules, 'ci']
    const credential = await person('bob').show('application', 'credential', 'create', ...words)
    made.ci = { id: credential.id, secret: `${credential['secret']}` }
    assert.deepEqual(await program(made.ci).list('server', 'list', '--no-name-lookup'), [])
    assert.match(await program(made.ci).refused('network', 'list'), /401/)
    assert.match(await program(made.ci).refused('application', 'credential', 'create', 'another'), /40[13]/)
    assert.match(await program({ ...made.ci, secret: 'guess' }).refused('server', 'list'), /401/)
  })

  test('lets somebody stand in for a while', async () => {
    const end = new Date(Date.now() + 15_000).toISOString().slice(0, 19)
    // Who may not look people and projects up has to know their ids.
    const idOf = async (what: string, name: string) => (await ada().show(what, 'show', '--domain', 'acme', name)).id
    const both = [await idOf('user', 'bob'), await idOf('user', 'dave')]
    const member = (await operator.show('role', 'show', 'member')).id
    const words = ['--project', await idOf('project', 'shop'), '--role', member, '--impersonate', ...both]
    const brief = (await person('bob').show('trust', 'create', '--expiration', end, ...words)).id
    const standIn = (trust: string) => person('dave', '--os-trust-id', trust)
    const token = await standIn(brief).show('token', 'issue')
    assert.equal(token['user_id'], both[0], 'it acts as who trusted it')
    await eventually('the trust has ended', () => standIn(brief).refused('token', 'issue'), 40_000)
    made.trust = (await person('bob').show('trust', 'create', ...words)).id
    await standIn(made.trust).run('token', 'issue')
    assert.match(await person('carol').refused('trust', 'delete', made.trust), /403|No trust|404/)
  })

  test('lets the staff of a partner in, from a cloud of their own', async () => {
    const guests = { group: { name: 'guests', domain: { name: 'acme' } } }
    const remote = [{ type: 'openstack_user' }, { type: 'openstack_project', any_one_of: ['demo'] }]
    const rules = file('mapping.json', [{ local: [{ user: { name: '{0}' } }, guests], remote }])
    await ada().run('group', 'create', '--domain', 'acme', 'guests')
    const where = ['--group', 'guests', '--group-domain', 'acme', '--project', 'shop', '--project-domain', 'acme']
    await ada().run('role', 'add', ...where, 'reader')
    await operator.run('identity', 'provider', 'create', 'partner')
    await operator.run('mapping', 'create', '--rules', rules, 'partner')
    await operator.run(
      'federation',
      'protocol',
      'create',
      '--identity-provider',
      'partner',
      '--mapping',
      'partner',
      'saml2',
    )
    const url = `${cloud.url}${federation}/identity_providers/partner/protocols/saml2/auth`
    const root = openstack(partner, 'strata')
    await root.run('service', 'provider', 'create', '--auth-url', url, '--service-provider-url', url, 'acme')
    const abroad = ['--os-service-provider', 'acme', '--os-remote-project-name', 'shop']
    const words = [...abroad, '--os-remote-project-domain-name', 'acme']
    const token = await openstack(partner, 'strata-demo').show(...words, 'token', 'issue')
    assert.equal(token['project_id'], (await ada().show('project', 'show', '--domain', 'acme', 'shop')).id)
    assert.match(await root.refused(...words, 'token', 'issue'), /401/)
    await operator.run('identity', 'provider', 'set', '--disable', 'partner')
    await openstack(partner, 'strata-demo').refused(...words, 'token', 'issue')
  })

  test('sees somebody off: whatever rested on them ends at once', async () => {
    const token = `${(await person('bob').show('token', 'issue')).id}`
    const asBob = (path: string) => fetch(`${cloud.url}${path}`, { headers: { 'x-auth-token': token } })
    assert.equal((await asBob('/compute/v2.1/servers')).status, 200)
    await ada().run('user', 'set', '--domain', 'acme', '--disable', 'bob')
    for (const path of [
      '/compute/v2.1/servers',
      '/network/v2.0/networks',
      '/image/v2/images',
      '/identity/v3/auth/projects',
    ])
      assert.equal((await asBob(path)).status, 401, path)
    await person('bob').refused('token', 'issue')
    await program(made.ci!).refused('server', 'list')
    await person('dave', '--os-trust-id', made.trust!).refused('token', 'issue')
    await ada().run('user', 'delete', '--domain', 'acme', 'bob')
    await person('carol').run('token', 'issue')
    const left = JSON.stringify(await operator.list('role', 'assignment', 'list', '--names'))
    assert.ok(!left.includes('bob@'), left)
    assert.ok(!column(await operator.list('trust', 'list'), 'ID').includes(made.trust))
  })

  test('goes, and leaves nothing', async () => {
    assert.match(await operator.refused('domain', 'delete', 'acme'), /403/)
    await operator.run('domain', 'set', '--disable', 'acme')
    await ada().refused('token', 'issue')
    await person('carol').refused('token', 'issue')
    await operator.run('domain', 'delete', 'acme')
    for (const what of ['project', 'user', 'group'])
      assert.ok(!JSON.stringify(await operator.list(what, 'list', '--long')).includes('acme'), what)
  })
})
