/** A company whose people are in an LDAP server, in a cloud with simulated hosts, by the unmodified client. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { company, companyOptions, noSlapd, type Slapd, startSlapd } from '@strata/identity/drivers/ldap/test-slapd'
import { run, startTestCloud, type TestCloud, whyNoClient } from './cloud.ts'
import { logIn } from './http.ts'
import { type Listed, type OpenStack, openstack } from './openstack.ts'

const sorted = (rows: readonly Listed[], column: string) => rows.map(row => String(row[column])).sort()

describe('people of an LDAP server', { skip: whyNoClient() || noSlapd }, () => {
  let cloud: TestCloud
  let slapd: Slapd
  let admin: OpenStack

  before(async () => {
    slapd = await startSlapd(company)
    cloud = await startTestCloud({ mode: 'simulated' })
    admin = openstack(cloud, 'strata')
  })
  after(async () => {
    await cloud?.purge()
    await slapd?.close()
  })

  /** The client as somebody of the company, who works in the project `web`. */
  const as = (name: string, ...words: string[]) => {
    const place = { OS_PROJECT_NAME: 'web', OS_PROJECT_DOMAIN_NAME: 'company', OS_USER_DOMAIN_NAME: 'company' }
    const who = { OS_USERNAME: name, OS_PASSWORD: `${name}-secret`, OS_IDENTITY_API_VERSION: '3' }
    const env = { ...cloud.env, ...place, ...who, OS_AUTH_URL: `${cloud.url}/identity/v3` }
    return run({ program: '/usr/bin/openstack', words: [...words, '-f', 'json'], env })
  }

  test('are listed, work where their groups have roles, and come no further', async () => {
    const domain = await admin.show('domain', 'create', 'company')
    await admin.run('project', 'create', '--domain', 'company', 'web')
    const api = await logIn(cloud, 'strata')
    const config = { identity: { driver: 'ldap' }, ldap: companyOptions(slapd.url) }
    const set = await api.call('PUT', `/identity/v3/domains/${domain.id}/config`, { body: { config } })
    assert.equal(set.status, 201, set.text)

    assert.deepEqual(sorted(await admin.list('user', 'list', '--domain', 'company'), 'Name'), [
      'ann',
      'bob',
      'cid',
      'dora',
    ])
    assert.deepEqual(sorted(await admin.list('group', 'list', '--domain', 'company'), 'Name'), ['makers', 'staff'])
    assert.deepEqual(sorted(await admin.list('user', 'list', '--group', 'staff', '--domain', 'company'), 'Name'), [
      'ann',
      'bob',
    ])
    const place = ['--project', 'web', '--project-domain', 'company']
    await admin.run('role', 'add', '--group', 'makers', '--group-domain', 'company', ...place, 'member')
    const assigned = await admin.list('role', 'assignment', 'list', '--names', '--effective', ...place)
    assert.deepEqual(sorted(assigned, 'User'), ['bob@company', 'bob@company'])

    const token = await as('bob', 'token', 'issue')
    assert.equal(token.code, 0, token.stderr)
    const bob = await admin.show('user', 'show', '--domain', 'company', 'bob')
    assert.equal(JSON.parse(token.stdout).user_id, bob.id)
    // Another service believes it, too.
    const servers = await as('bob', 'server', 'list')
    assert.deepEqual([servers.code, JSON.parse(servers.stdout)], [0, []])
    for (const name of ['ann', 'cid', 'nobody'])
      assert.match((await as(name, 'token', 'issue')).stderr, /HTTP 401/, name)
    assert.match(await admin.refused('user', 'create', '--domain', 'company', 'eve'), /HTTP 403/)
  })

  test('wait while it is away, and nobody else does', async () => {
    await slapd.stop()
    try {
      assert.match((await as('bob', 'token', 'issue')).stderr, /HTTP 503/)
      await openstack(cloud, 'strata-demo').run('token', 'issue')
    } finally {
      await slapd.start()
    }
    const token = await as('bob', 'token', 'issue')
    assert.equal(token.code, 0, token.stderr)
  })
})
