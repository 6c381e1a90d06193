/** Logins that are made again and again: each gets a token of its own, and none outlives what it rested on. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Identity, inProject, startIdentity } from '../harness.test.ts'

let cloud: Identity
before(async () => {
  cloud = await startIdentity()
})
after(() => cloud.close())

let count = 0
async function newcomer() {
  const name = `again${++count}`
  const project = await cloud.make('project', { name })
  const user = await cloud.make('user', { name, password: 'pw' })
  await cloud.grant(`projects/${project.id}/users/${user.id}`, cloud.roles.member)
  const again = () => cloud.tryLogin({ name, password: 'pw', scope: inProject(name) })
  return { name, id: user.id as string, project: project.id as string, again }
}
const rolesIn = (answer: { json: { token: { roles: { name: string }[] } } }) =>
  answer.json.token.roles.map(role => role.name).sort()

describe('the same login again', () => {
  test('gets a token of its own, with its own time, and ending it ends no other', async () => {
    const { again } = await newcomer()
    const first = await again()
    cloud.advance(1500)
    const second = await again()
    assert.equal(second.status, 201)
    const [one, other] = [first.headers['x-subject-token'] as string, second.headers['x-subject-token'] as string]
    assert.notEqual(one, other)
    assert.notEqual(first.json.token.audit_ids[0], second.json.token.audit_ids[0])
    assert.ok(second.json.token.expires_at > first.json.token.expires_at)
    const { audit_ids: _, expires_at: __, issued_at: ___, ...common } = first.json.token
    const { audit_ids: ____, expires_at: _____, issued_at: ______, ...same } = second.json.token
    assert.deepEqual(same, common)
    assert.deepEqual((await cloud.show(other)).json, second.json)
    await cloud.call('DELETE', '/v3/auth/tokens', cloud.admin, undefined, { 'x-subject-token': one })
    assert.equal((await cloud.show(one)).status, 404)
    assert.equal((await cloud.show(other)).status, 200)
  })

  test('has the roles of now', async () => {
    const { again, id, project } = await newcomer()
    assert.deepEqual(rolesIn(await again()), ['member', 'reader'])
    await cloud.grant(`projects/${project}/users/${id}`, cloud.roles.manager)
    assert.deepEqual(rolesIn(await again()), ['manager', 'member', 'reader'])
  })

  test('is refused as soon as what it rests on is gone', async () => {
    const ways: [string, (who: { id: string; project: string }) => Promise<unknown>][] = [
      [
        'another password',
        ({ id }) => cloud.call('PATCH', `/v3/users/${id}`, cloud.admin, { user: { password: 'new' } }),
      ],
      ['user disabled', ({ id }) => cloud.call('PATCH', `/v3/users/${id}`, cloud.admin, { user: { enabled: false } })],
      ['user deleted', ({ id }) => cloud.call('DELETE', `/v3/users/${id}`, cloud.admin)],
      [
        'no role',
        who =>
          cloud.call('DELETE', `/v3/projects/${who.project}/users/${who.id}/roles/${cloud.roles.member}`, cloud.admin),
      ],
      [
        'project disabled',
        ({ project }) => cloud.call('PATCH', `/v3/projects/${project}`, cloud.admin, { project: { enabled: false } }),
      ],
    ]
    for (const [name, end] of ways) {
      const who = await newcomer()
      for (let n = 0; n < 2; n++) assert.equal((await who.again()).status, 201, name)
      await end(who)
      assert.equal((await who.again()).status, 401, name)
    }
  })

  test('is refused with another password, however often the right one was given', async () => {
    const { again, name } = await newcomer()
    for (let n = 0; n < 3; n++) await again()
    assert.equal((await cloud.tryLogin({ name, password: 'pw2', scope: inProject(name) })).status, 401)
  })

  test('from a token ends when that does, and when that is revoked', async () => {
    const { again, name } = await newcomer()
    const token = String((await again()).headers['x-subject-token'])
    const from = () => cloud.tryLogin({ token, scope: inProject(name) })
    const [first, second] = [await from(), await from()]
    assert.equal(second.json.token.expires_at, first.json.token.expires_at)
    assert.equal(second.json.token.audit_ids[1], first.json.token.audit_ids[1])
    await cloud.call('DELETE', '/v3/auth/tokens', cloud.admin, undefined, { 'x-subject-token': token })
    assert.notEqual((await from()).status, 201)
  })
})

test('where failures lock accounts, each login is looked at', async () => {
  const strict = await startIdentity({ lockout_failure_attempts: 2, lockout_duration: 60 })
  try {
    const user = await strict.make('user', { name: 'ann', password: 'pw' })
    const right = () => strict.tryLogin({ id: user.id, password: 'pw' })
    assert.equal((await right()).status, 201)
    for (let n = 0; n < 2; n++) await strict.tryLogin({ id: user.id, password: 'wrong' })
    assert.equal((await right()).status, 401)
  } finally {
    await strict.close()
  }
})
