/** From one cloud with simulated hosts to another (Keystone to Keystone), by the unmodified client. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startTestCloud, type TestCloud, whyNoClient } from './cloud.ts'
import { type OpenStack, openstack } from './openstack.ts'

const guests = { group: { name: 'guests', domain: { name: 'Default' } } }
const federation = '/identity/v3/OS-FEDERATION'

describe('two clouds', { skip: whyNoClient() }, () => {
  let home: TestCloud
  let abroad: TestCloud
  let admin: OpenStack

  before(async () => {
    home = await startTestCloud({ mode: 'simulated' })
    const metadata = await (await fetch(`${home.url}${federation}/saml2/metadata`)).text()
    const providers = { home: { saml2: { saml: { metadata, keystone: true } } } }
    abroad = await startTestCloud({ mode: 'simulated', settings: { federation: { providers } } })
    admin = openstack(abroad, 'strata')
  })
  after(async () => {
    await home?.purge()
    await abroad?.purge()
  })

  test('who has a token in one comes to the other, as its mapping has it', async () => {
    await admin.run('project', 'create', 'visitors')
    await admin.run('group', 'create', 'guests')
    await admin.run('role', 'add', '--group', 'guests', '--project', 'visitors', 'member')
    const rules = join(abroad.scratch, 'rules.json')
    const remote = [{ type: 'openstack_user' }, { type: 'openstack_project', any_one_of: ['demo'] }]
    writeFileSync(rules, JSON.stringify([{ local: [{ user: { name: '{0}' } }, guests], remote }]))
    await admin.run('identity', 'provider', 'create', 'home')
    await admin.run('mapping', 'create', '--rules', rules, 'home')
    await admin.run('federation', 'protocol', 'create', '--identity-provider', 'home', '--mapping', 'home', 'saml2')
    const url = `${abroad.url}${federation}/identity_providers/home/protocols/saml2/auth`
    const addresses = ['--auth-url', url, '--service-provider-url', url]
    await openstack(home, 'strata').run('service', 'provider', 'create', 'abroad', ...addresses)

    const place = ['--os-remote-project-name', 'visitors', '--os-remote-project-domain-name', 'Default']
    const there = (login: 'strata' | 'strata-demo', ...words: string[]) =>
      [openstack(home, login), ['--os-service-provider', 'abroad', ...place, ...words]] as const
    const [demo, issue] = there('strata-demo', 'token', 'issue')
    const token = await demo.show(...issue)
    assert.equal(token['project_id'], (await admin.show('project', 'show', 'visitors')).id)
    assert.equal((await admin.show('user', 'show', `${token['user_id']}`)).name, 'demo')
    const [root, same] = there('strata', 'token', 'issue')
    assert.match(await root.refused(...same), /HTTP 401/, 'the mapping lets those of one project in alone')
  })
})
