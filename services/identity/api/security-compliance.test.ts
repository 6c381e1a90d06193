import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { inProject, plan, startIdentity, statuses } from '../harness.test.ts'
import { closeAll, day, message, refusal, start } from './test-accounts.ts'

after(closeAll)
let count = 0

describe('options of users', () => {
  test('each is kept and shown, and null takes it away', async () => {
    const cloud = await start()
    const options = {
      ignore_change_password_upon_first_use: true,
      ignore_password_expiry: true,
      ignore_lockout_failure_attempts: false,
      ignore_user_inactivity: true,
      lock_password: false,
      multi_factor_auth_enabled: false,
      multi_factor_auth_rules: [['password', 'totp'], ['password']],
    }
    const { id, user } = await cloud.person({ options: { ...options, lock_password: null } })
    const { lock_password: _, ...rest } = options
    assert.deepEqual(user.options, rest)
    assert.deepEqual((await cloud.patch(id, { options: { lock_password: false } })).json.user.options, options)
    const without = await cloud.patch(id, { options: { multi_factor_auth_rules: null, ignore_password_expiry: null } })
    assert.deepEqual(Object.keys(without.json.user.options).sort(), [
      'ignore_change_password_upon_first_use',
      'ignore_lockout_failure_attempts',
      'ignore_user_inactivity',
      'lock_password',
      'multi_factor_auth_enabled',
    ])
    assert.deepEqual((await cloud.shown(id)).options, without.json.user.options)
  })

  test('unknown ones, and those of another form, are refused', async () => {
    const cloud = await start()
    const { id } = await cloud.person()
    for (const options of [
      { unknown: true },
      { lock_password: 'yes' },
      { multi_factor_auth_enabled: 1 },
      { multi_factor_auth_rules: 'password' },
      { multi_factor_auth_rules: ['password'] },
      { multi_factor_auth_rules: [[]] },
      { multi_factor_auth_rules: [['password', 'password']] },
      { multi_factor_auth_rules: [['password'], ['password']] },
      { multi_factor_auth_rules: [[1]] },
    ]) {
      assert.equal((await cloud.patch(id, { options })).status, 400, JSON.stringify(options))
      const body = { user: { name: `odd${++count}`, options } }
      assert.equal((await cloud.call('POST', '/v3/users', cloud.admin, body)).status, 400, JSON.stringify(options))
    }
    assert.deepEqual((await cloud.shown(id)).options, {})
  })

  test('lock_password keeps the user from changing its password, and an administrator not', async () => {
    const cloud = await start()
    const { id, password } = await cloud.person({ options: { lock_password: true } })
    const refused = await cloud.change(id, password, 'second2')
    assert.equal(refused.status, 400)
    assert.match(message(refused), /due to password policy disallowing password changes/)
    assert.equal((await cloud.patch(id, { password: 'second2' })).status, 200)
    assert.equal(await cloud.login(id, 'second2'), 201)
  })
})

describe('strength of passwords', () => {
  const settings = { password_regex: '^(?=.*\\d)(?=.*[a-z]).{6,}$', password_regex_description: 'six with a digit' }

  test('each new one must be as password_regex asks, whoever sets it', async () => {
    const cloud = await start(settings)
    const body = { user: { name: 'weak', password: 'weak' } }
    const refused = await cloud.call('POST', '/v3/users', cloud.admin, body)
    assert.equal(refused.status, 400)
    assert.equal(message(refused), 'The password does not match the requirements: six with a digit.')
    const { id, password } = await cloud.person()
    assert.deepEqual(
      await statuses([cloud.patch(id, { password: 'weak' }), cloud.change(id, password, 'weaker')]),
      [400, 400],
    )
    assert.equal((await cloud.change(id, password, 'better2')).status, 204)
    assert.equal((await cloud.patch(id, { password: null })).status, 200)
    assert.equal(await cloud.login(id, 'better2'), 401)
  })

  test('who does not know the present one is not told what is wrong with the next', async () => {
    const cloud = await start(settings)
    const { id } = await cloud.person()
    const refused = await cloud.change(id, 'wrong1', 'weak')
    assert.deepEqual([refused.status, message(refused)], [401, refusal])
  })

  test('a service does not start with a pattern that is none', async () => {
    await assert.rejects(startIdentity({ password_regex: '(' }), /identity\.password_regex is no regular expression/)
  })
})

describe('history of passwords', () => {
  test('the last ones are refused to the user, and not to an administrator', async () => {
    const cloud = await start({ unique_last_password_count: 2 })
    const { id, password } = await cloud.person()
    const same = await cloud.change(id, password, password)
    assert.equal(same.status, 400)
    assert.match(message(same), /The new password cannot be identical to a previous password\..* unique is 2\./)
    assert.equal((await cloud.change(id, password, 'second2')).status, 204)
    assert.equal((await cloud.change(id, 'second2', password)).status, 400)
    assert.equal((await cloud.change(id, 'second2', 'third3')).status, 204)
    assert.equal((await cloud.change(id, 'third3', 'second2')).status, 400)
    assert.equal((await cloud.change(id, 'third3', password)).status, 204)
    assert.equal((await cloud.patch(id, { password: 'third3' })).status, 200)
    assert.deepEqual([await cloud.login(id, 'third3'), await cloud.login(id, password)], [201, 401])
  })

  test('without it any will do', async () => {
    const cloud = await start()
    const { id, password } = await cloud.person()
    assert.equal((await cloud.change(id, password, password)).status, 204)
  })
})

describe('least age of passwords', () => {
  test('one that its user chose is kept for so long, one of an administrator may go at once', async () => {
    const cloud = await start({ minimum_password_age: 2 })
    const { id, password } = await cloud.person()
    assert.equal((await cloud.change(id, password, 'second2')).status, 204)
    cloud.advance(day)
    const refused = await cloud.change(id, 'second2', 'third3')
    assert.equal(refused.status, 400)
    assert.match(
      message(refused),
      /must be used for 2 day\(s\) before it can be changed\. Please try again in 1 day\(s\)/,
    )
    assert.equal((await cloud.patch(id, { password: 'reset4' })).status, 200)
    assert.equal((await cloud.change(id, 'reset4', 'fifth5')).status, 204)
    cloud.advance(2 * day)
    assert.equal((await cloud.change(id, 'fifth5', 'sixth6')).status, 204)
  })
})

describe('expiry of passwords', () => {
  test('an expired one is good for nothing but changing it', async () => {
    const cloud = await start({ password_expires_days: 30 })
    const { id, password, user } = await cloud.person()
    assert.match(user.password_expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000$/)
    const token = (await cloud.tryLogin({ id, password })).json.token
    assert.equal(token.user.password_expires_at, user.password_expires_at)
    cloud.advance(31 * day)
    const refused = await cloud.tryLogin({ id, password })
    assert.equal(refused.status, 401)
    assert.equal(message(refused), `The password is expired and needs to be changed for user: ${id}.`)
    // Only who knows it is told.
    assert.equal(message(await cloud.tryLogin({ id, password: 'wrong' })), refusal)
    assert.equal((await cloud.change(id, 'wrong', 'second2')).status, 401)
    assert.equal((await cloud.change(id, password, 'second2')).status, 204)
    assert.equal(await cloud.login(id, 'second2'), 201)
    assert.ok((await cloud.shown(id)).password_expires_at > user.password_expires_at)
  })

  test('a password that is remembered expires like any other', async () => {
    const cloud = await start({ password_expires_days: 1, password_cache_seconds: 10 * 86_400 })
    const { id, password } = await cloud.person()
    assert.deepEqual([await cloud.login(id, password), await cloud.login(id, password)], [201, 201])
    cloud.advance(day)
    assert.equal(await cloud.login(id, password), 401)
  })

  test('users that are exempt keep theirs, and those of the first run have no end', async () => {
    const cloud = await start({ password_expires_days: 1 })
    const exempt = await cloud.person({ options: { ignore_password_expiry: true } })
    const later = await cloud.person()
    assert.equal(exempt.user.password_expires_at, null)
    await cloud.patch(later.id, { options: { ignore_password_expiry: true } })
    cloud.advance(2 * day)
    assert.deepEqual([await cloud.login(exempt.id, 'first1'), await cloud.login(later.id, 'first1')], [201, 201])
    const admin = { name: 'admin', password: plan.adminPassword, scope: inProject('admin') }
    assert.equal((await cloud.tryLogin(admin)).status, 201)
  })

  test('lists of users and of members of a group are filtered by it', async () => {
    const cloud = await start({ password_expires_days: 10 })
    const group = await cloud.make('group', { name: 'readers' })
    const early = await cloud.person()
    cloud.advance(5 * day)
    const late = await cloud.person()
    for (const { id } of [early, late]) await cloud.call('PUT', `/v3/groups/${group.id}/users/${id}`, cloud.admin)
    const between = new Date(Date.parse(`${early.user.password_expires_at}Z`) + day).toISOString()
    for (const path of ['/v3/users', `/v3/groups/${group.id}/users`]) {
      const ids = async (filter: string) => {
        const answer = await cloud.call('GET', `${path}?password_expires_at=${filter}`, cloud.admin)
        return answer.json.users.map((one: { id: string }) => one.id)
      }
      assert.deepEqual(await ids(`lt:${between}`), [early.id], path)
      assert.deepEqual(await ids(`gte:${between}`), [late.id], path)
      assert.deepEqual(await ids(`${early.user.password_expires_at.slice(0, 19)}Z`), [early.id], path)
      assert.deepEqual(await ids(`neq:${early.user.password_expires_at.slice(0, 19)}Z`), [late.id], path)
      for (const bad of ['lt:soon', 'before:2026-01-01T00:00:00Z', 'xx:2026-01-01T00:00:00Z'])
        assert.equal((await cloud.call('GET', `${path}?password_expires_at=${bad}`, cloud.admin)).status, 400)
    }
  })
})

describe('change at first use', () => {
  test('what an administrator gave must be changed before a login', async () => {
    const cloud = await start({ change_password_upon_first_use: true })
    const { id, password } = await cloud.person()
    const refused = await cloud.tryLogin({ id, password })
    assert.deepEqual(
      [refused.status, message(refused)],
      [401, `The password is expired and needs to be changed for user: ${id}.`],
    )
    assert.equal((await cloud.change(id, password, 'second2')).status, 204)
    assert.equal(await cloud.login(id, 'second2'), 201)
    await cloud.patch(id, { password: 'reset3' })
    assert.equal(await cloud.login(id, 'reset3'), 401)
    assert.equal((await cloud.change(id, 'reset3', 'fourth4')).status, 204)
    assert.equal(await cloud.login(id, 'fourth4'), 201)
  })

  test('users that are exempt log in at once', async () => {
    const cloud = await start({ change_password_upon_first_use: true })
    const { id, password } = await cloud.person({ options: { ignore_change_password_upon_first_use: true } })
    assert.equal(await cloud.login(id, password), 201)
  })
})
