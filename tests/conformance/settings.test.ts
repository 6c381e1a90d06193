import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CloudFacts } from './look.ts'
import { settingsFor, toIni } from './settings.ts'

const identity = { type: 'identity', url: 'http://cloud/identity/v3' }
const bare: CloudFacts = {
  services: { keystone: identity },
  region: 'RegionOne',
  applicationCredentials: true,
  accessRules: true,
}
const login = {
  authUrl: 'http://cloud/identity/v3',
  username: 'admin',
  password: 'secret',
  project: 'admin',
  userDomain: 'Default',
  projectDomain: 'Default',
  region: 'RegionOne',
}
const settings = (facts: CloudFacts, scope?: string) =>
  settingsFor({
    ...{ login, domainId: 'default', facts, scope, folder: '/tmp/x' },
    imageUrl: 'http://127.0.0.1/image',
    ...{ buildTimeoutSeconds: 60, compliant: false },
  })

test('services that the cloud lacks are not there for the tests', () => {
  const found = settings(bare)
  assert.equal(found['service_available']!['nova'], false)
  assert.equal(found['auth']!['create_isolated_networks'], false)
  assert.equal(found['compute'], undefined)
})

test('tests of who may do what are run by an administrator of the system', () => {
  assert.equal(settings(bare)['auth']!['admin_project_name'], 'admin')
  const scoped = settings(bare, 'keystone')
  assert.deepEqual(
    [scoped['auth']!['admin_system'], scoped['enforce_scope']!['keystone'], scoped['enforce_scope']!['nova']],
    ['all', true, false],
  )
})

test('what a service is set to adds to its type and region', () => {
  const network = { extensions: ['router', 'port-security'], external: { id: 'n1', name: 'public' } }
  const found = settings({ ...bare, services: { ...bare.services, neutron: { type: 'network', url: 'x' } }, network })
  assert.equal(found['network']!['catalog_type'], 'network')
  assert.equal(found['network']!['public_network_id'], 'n1')
  assert.equal(found['network-feature-enabled']!['floating_ips'], true)
  assert.equal(found['auth']!['create_isolated_networks'], true)
  assert.equal(found['auth']!['admin_username'], 'admin')
})

test('the file has lists with commas, and nothing of what is not known', () => {
  assert.equal(toIni({ a: { list: ['x', 'y'], no: undefined, on: true } }), '[a]\nlist = x,y\non = true\n')
})
