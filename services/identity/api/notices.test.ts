/** Notifications: what is told of whom, in which form, and that nothing is lost or told twice. */
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Envelope, notificationsTopic } from '@strata/toolkit/notifications'
import { until } from '@strata/toolkit/testing'
import { type Identity, inProject, plan, startIdentity } from '../harness.test.ts'

/** Hears what is told from now on. */
function listen(cloud: Identity) {
  const heard: Envelope[] = []
  cloud.service.environment.bus.subscribe(notificationsTopic, payload => void heard.push(payload as Envelope))
  return {
    heard,
    /** The next of this type; resolves once it is there. */
    next: (type: string) =>
      until(`${type} is told`, () => {
        const at = heard.findIndex(one => one.event_type === type)
        return at >= 0 && heard.splice(at, 1)[0]!
      }),
  }
}
// biome-ignore lint/suspicious/noExplicitAny: payloads have many shapes
type Payload = any

describe('notifications in the form of CADF', () => {
  let cloud: Identity
  let ear: ReturnType<typeof listen>
  before(async () => {
    cloud = await startIdentity()
    ear = listen(cloud)
  })
  after(() => cloud.close())

  test('what was made says who made it, in which request', async () => {
    const answer = await cloud.call(
      'POST',
      '/v3/users',
      cloud.admin,
      { user: { name: 'ann', password: 'pw' } },
      {
        'user-agent': 'tests/1',
      },
    )
    const { event_type, publisher_id, priority, timestamp, payload } = await ear.next('identity.user.created')
    assert.deepEqual([event_type, priority], ['identity.user.created', 'INFO'])
    assert.match(publisher_id, /^identity\../)
    assert.match(timestamp, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/)
    const { initiator, target, observer, eventTime, id, ...rest } = payload as Payload
    assert.deepEqual(rest, {
      typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
      ...{ eventType: 'activity', action: 'created.user', outcome: 'success', resource_info: answer.json.user.id },
    })
    assert.match(eventTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0000$/)
    assert.deepEqual(target, { typeURI: 'data/security/account/user', id: answer.json.user.id })
    assert.equal(observer.typeURI, 'service/security')
    const { json } = await cloud.show(cloud.admin)
    assert.deepEqual(initiator, {
      ...{ id: json.token.user.id, user_id: json.token.user.id, name: 'admin', username: 'admin' },
      ...{ typeURI: 'service/security/account/user', project_id: json.token.project.id },
      ...{ request_id: answer.headers['x-openstack-request-id'], host: { address: '127.0.0.1', agent: 'tests/1' } },
    })
  })

  test('each resource is told of when it is made, changed, disabled and removed', async () => {
    const made: Record<string, string> = {}
    const bodies = {
      domain: { name: 'told' },
      group: { name: 'told' },
      role: { name: 'told' },
      region: { id: 'told' },
      service: { type: 'told' },
    }
    for (const [kind, body] of Object.entries(bodies)) made[kind] = (await cloud.make(kind, body)).id
    const project = await cloud.make('project', { name: 'told', domain_id: made['domain'] })
    made['project'] = project.id
    for (const [kind, id] of Object.entries(made)) {
      assert.equal((await ear.next(`identity.${kind}.created`)).payload['resource_info'], id)
      const body = kind === 'project' || kind === 'domain' ? { enabled: false } : { description: 'new' }
      assert.equal((await cloud.call('PATCH', `/v3/${kind}s/${id}`, cloud.admin, { [kind]: body })).status, 200)
      await ear.next(`identity.${kind}.updated`)
      if ('enabled' in body) assert.equal((await ear.next(`identity.${kind}.disabled`)).payload['resource_info'], id)
    }
    for (const kind of ['project', 'group', 'role', 'region', 'service', 'domain']) {
      assert.equal((await cloud.call('DELETE', `/v3/${kind}s/${made[kind]}`, cloud.admin)).status, 204)
      assert.equal((await ear.next(`identity.${kind}.deleted`)).payload['resource_info'], made[kind])
    }
  })

  test('assignments and memberships are told of with whom and what they join', async () => {
    const user = await cloud.make('user', { name: 'joiner' })
    const group = await cloud.make('group', { name: 'joined' })
    const path = `/v3/OS-INHERIT/domains/default/users/${user.id}/roles/${cloud.roles.reader}/inherited_to_projects`
    for (const [method, verb] of [
      ['PUT', 'created'],
      ['DELETE', 'deleted'],
    ] as const) {
      assert.equal((await cloud.call(method, path, cloud.admin)).status, 204)
      const { payload } = await ear.next(`identity.role_assignment.${verb}`)
      const { action, domain, user: who, role, inherited_to_projects: inherited } = payload as Payload
      assert.deepEqual(
        [action, domain, who, role, inherited],
        [`${verb}.role_assignment`, 'default', user.id, cloud.roles.reader, true],
      )
    }
    await cloud.call('PUT', `/v3/groups/${group.id}/users/${user.id}`, cloud.admin)
    const { payload } = await ear.next('identity.group.updated')
    assert.deepEqual(
      [payload['resource_info'], payload['actor_id'], payload['actor_operation']],
      [group.id, user.id, 'added'],
    )
  })

  test('a login that failed is told of, with the user that it was about; one that did not is not, unless asked for', async () => {
    await cloud.tryLogin({ name: 'admin', password: 'wrong' })
    const { payload } = await ear.next('identity.authenticate')
    const { outcome, initiator, reason } = payload as Payload
    assert.deepEqual([outcome, initiator.name, reason.reasonCode], ['failure', 'admin', '401'])
    await cloud.tryLogin({ name: 'swordfish', password: 'wrong' })
    assert.equal(JSON.stringify(await ear.next('identity.authenticate')).includes('swordfish'), false)
    await cloud.login({ name: 'admin', password: plan.adminPassword, scope: inProject('admin') })
    await cloud.make('user', { name: 'after' })
    await ear.next('identity.user.created')
    assert.equal(ear.heard.filter(one => one.event_type === 'identity.authenticate').length, 0)
  })

  test('logins by other ways are told of, too', async () => {
    const body = { grant_type: 'client_credentials', client_id: 'none', client_secret: 'wrong' }
    assert.equal(
      (
        await cloud.call('POST', '/v3/OS-OAUTH2/token', '', new URLSearchParams(body).toString(), {
          'content-type': 'application/x-www-form-urlencoded',
        })
      ).status,
      401,
    )
    assert.equal((await ear.next('identity.authenticate')).payload['outcome'], 'failure')
  })

  test('delegations, by what was made of them', async () => {
    const { json } = await cloud.show(cloud.admin)
    const path = `/v3/users/${json.token.user.id}/application_credentials`
    const made = await cloud.make('application_credential', { name: 'told' }, path)
    assert.equal((await ear.next('identity.application_credential.created')).payload['resource_info'], made.id)
    await cloud.call('DELETE', `${path}/${made.id}`, cloud.admin)
    assert.equal((await ear.next('identity.application_credential.deleted')).payload['resource_info'], made.id)
  })

  test('what was refused or failed is not told of', async () => {
    ear.heard.length = 0
    assert.equal((await cloud.call('DELETE', '/v3/users/none', cloud.admin)).status, 404)
    assert.equal((await cloud.call('POST', '/v3/users', cloud.admin, { user: { name: 'admin' } })).status, 409)
    await cloud.make('user', { name: 'last' })
    await ear.next('identity.user.created')
    assert.deepEqual(ear.heard, [])
  })

  test('the log in the state folder holds the same, a line each, for its owner alone', async () => {
    const path = join(cloud.service.environment.stateDir('identity'), 'notifications.jsonl')
    await cloud.make('user', { name: 'logged' })
    await ear.next('identity.user.created')
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    const types = lines.map(line => (JSON.parse(line) as Envelope).event_type)
    assert.ok(types.includes('identity.role_assignment.deleted'))
    const ids = lines.map(line => (JSON.parse(line) as Envelope).message_id)
    assert.equal(new Set(ids).size, ids.length)
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })
})

test('the basic form names the resource and the request, and no more', async () => {
  const cloud = await startIdentity({
    notification_format: 'basic',
    notification_opt_out: ['identity.region.created'],
    default_publisher_id: 'here',
    notification_log_megabytes: 0,
  })
  try {
    const ear = listen(cloud)
    await cloud.make('region', { id: 'silent' })
    const answer = await cloud.call('POST', '/v3/groups', cloud.admin, { group: { name: 'basic' } })
    const { payload, publisher_id } = await ear.next('identity.group.created')
    assert.equal(publisher_id, 'identity.here')
    assert.deepEqual(payload, {
      resource_info: answer.json.group.id,
      request_id: answer.headers['x-openstack-request-id'],
    })
    // The administrator's login, with which the test began, may be told of before or after it began to listen.
    assert.deepEqual(
      ear.heard.filter(one => one.event_type !== 'identity.authenticate'),
      [],
    )
  } finally {
    await cloud.close()
  }
})
