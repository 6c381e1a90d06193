import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { type Identity, inProject, plan, startIdentity, statuses } from '../harness.test.ts'

const day = 86_400_000
const refusal = 'The request you have made requires authentication.'
const clouds: Identity[] = []
let count = 0
after(async () => {
  for (const cloud of clouds) await cloud.close()
})

/** A cloud in which time can pass without the administrator's token ending. */
async function start(options: Readonly<Record<string, unknown>> = {}) {
  const cloud = await startIdentity({ token_expiration: 1000 * 86_400, login_failures_per_account: 1000, ...options })
  clouds.push(cloud)
  const [admin] = (await cloud.call('GET', '/v3/users?name=admin', cloud.admin)).json.users
  const exempt = { options: { ignore_user_inactivity: true } }
  await cloud.call('PATCH', `/v3/users/${admin.id}`, cloud.admin, { user: exempt })
  const person = async (values: object = {}) => {
    const user = await cloud.make('user', { name: `person${++count}`, password: 'first1', ...values })
    return { id: user.id as string, password: 'first1', user }
  }
  const change = (id: string, original_password: string, password: string) =>
    cloud.call('POST', `/v3/users/${id}/password`, '', { user: { original_password, password } })
  const patch = (id: string, user: object) => cloud.call('PATCH', `/v3/users/${id}`, cloud.admin, { user })
  const shown = async (id: string) => (await cloud.call('GET', `/v3/users/${id}`, cloud.admin)).json.user
  const login = async (id: string, password: string) => (await cloud.tryLogin({ id, password })).status
  return { ...cloud, person, change, patch, shown, login }
}
const message = (answer: { json: { error: { message: string } } }) => answer.json.error.message

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

describe('lock-out', () => {
  const settings = { lockout_failure_attempts: 3, lockout_duration: 600 }
  const fail = async (cloud: Awaited<ReturnType<typeof start>>, id: string, times: number) => {
    for (let n = 0; n < times; n++) assert.equal(await cloud.login(id, 'wrong'), 401)
  }

  test('after the permitted failures the right password is wrong, in the same words, until time has passed', async () => {
    const cloud = await start(settings)
    const { id, password } = await cloud.person()
    const token = await cloud.login(id, password)
    assert.equal(token, 201)
    await fail(cloud, id, 3)
    // The password is remembered from the login above: that must not help.
    const refused = await cloud.tryLogin({ id, password })
    assert.deepEqual([refused.status, message(refused)], [401, refusal])
    const change = await cloud.change(id, password, 'second2')
    assert.deepEqual([change.status, message(change)], [401, refusal])
    cloud.advance(599_000)
    assert.equal(await cloud.login(id, password), 401)
    cloud.advance(2000)
    assert.equal(await cloud.login(id, password), 201)
    // And it has all its tries again.
    await fail(cloud, id, 2)
    assert.equal(await cloud.login(id, password), 201)
    await fail(cloud, id, 2)
    assert.equal(await cloud.login(id, password), 201)
  })

  test('a lock that was served leaves all tries, also when the first fails again', async () => {
    const cloud = await start(settings)
    const { id, password } = await cloud.person()
    await fail(cloud, id, 5)
    cloud.advance(601_000)
    await fail(cloud, id, 2)
    assert.equal(await cloud.login(id, password), 201)
  })

  test('an administrator ends it by enabling the user, or with a new password', async () => {
    const cloud = await start({ ...settings, lockout_duration: 0 })
    const { id, password } = await cloud.person()
    await fail(cloud, id, 3)
    cloud.advance(100 * day)
    assert.equal(await cloud.login(id, password), 401)
    assert.equal((await cloud.shown(id)).enabled, true)
    await cloud.patch(id, { description: 'locked, we hear' })
    assert.equal(await cloud.login(id, password), 401)
    await cloud.patch(id, { enabled: true })
    assert.equal(await cloud.login(id, password), 201)
    await fail(cloud, id, 3)
    await cloud.patch(id, { password: 'reset2' })
    assert.equal(await cloud.login(id, 'reset2'), 201)
  })

  test('failed changes of the password count, too', async () => {
    const cloud = await start(settings)
    const { id, password } = await cloud.person()
    for (let n = 0; n < 3; n++) assert.equal((await cloud.change(id, 'wrong', 'second2')).status, 401)
    assert.equal(await cloud.login(id, password), 401)
  })

  test('many guesses at the same time are no more than permitted', async () => {
    const cloud = await start(settings)
    const { id, password } = await cloud.person()
    const guesses = Array.from({ length: 12 }, (_, n) => cloud.login(id, n === 11 ? password : `wrong${n}`))
    assert.deepEqual(new Set(await Promise.all(guesses)), new Set([401]))
  })

  test('users that are exempt are never locked; tokens and application credentials go on', async () => {
    const cloud = await start(settings)
    const exempt = await cloud.person({ options: { ignore_lockout_failure_attempts: true } })
    await fail(cloud, exempt.id, 5)
    assert.equal(await cloud.login(exempt.id, exempt.password), 201)
    const { id, password } = await cloud.person()
    const token = String((await cloud.tryLogin({ id, password })).headers['x-subject-token'])
    await fail(cloud, id, 3)
    assert.equal((await cloud.tryLogin({ token })).status, 201)
  })
})

describe('inactivity', () => {
  const settings = { disable_user_account_days_inactive: 90 }

  test('who has not logged in for so long counts as disabled, until an administrator enables it', async () => {
    const cloud = await start(settings)
    const { id, password } = await cloud.person()
    const token = String((await cloud.tryLogin({ id, password })).headers['x-subject-token'])
    cloud.advance(89 * day)
    assert.deepEqual([(await cloud.show(token)).status, (await cloud.shown(id)).enabled], [200, true])
    cloud.advance(day)
    assert.deepEqual([(await cloud.show(token)).status, (await cloud.shown(id)).enabled], [404, false])
    const refused = await cloud.tryLogin({ id, password })
    assert.deepEqual([refused.status, message(refused)], [401, refusal])
    assert.equal((await cloud.change(id, password, 'second2')).status, 401)
    const enabled = await cloud.patch(id, { enabled: true })
    assert.deepEqual([enabled.status, enabled.json.user.enabled], [200, true])
    assert.equal(await cloud.login(id, password), 201)
  })

  test('each login counts, of whatever was made before; a new user has as long', async () => {
    const cloud = await start(settings)
    const [regular, newcomer] = [await cloud.person(), await cloud.person()]
    cloud.advance(60 * day)
    assert.equal(await cloud.login(regular.id, 'first1'), 201)
    cloud.advance(60 * day)
    assert.deepEqual([await cloud.login(regular.id, 'first1'), await cloud.login(newcomer.id, 'first1')], [201, 401])
  })

  test('an application credential ends with its user, and so do keys of EC2; exempt users go on', async () => {
    const cloud = await start(settings)
    const project = await cloud.make('project', { name: 'works' })
    const [away, exempt] = [await cloud.person(), await cloud.person({ options: { ignore_user_inactivity: true } })]
    const credentials = []
    for (const { id, password } of [away, exempt]) {
      await cloud.grant(`projects/${project.id}/users/${id}`, cloud.roles.member)
      const as = String(
        (await cloud.tryLogin({ id, password, scope: { project: { id: project.id } } })).headers['x-subject-token'],
      )
      const answer = await cloud.call('POST', `/v3/users/${id}/application_credentials`, as, {
        application_credential: { name: 'robot', secret: 'robot-secret' },
      })
      credentials.push(answer.json.application_credential)
    }
    const use = ({ id }: { id: string }) =>
      cloud.call('POST', '/v3/auth/tokens', '', {
        auth: {
          identity: { methods: ['application_credential'], application_credential: { id, secret: 'robot-secret' } },
        },
      })
    cloud.advance(50 * day)
    assert.deepEqual(await statuses(credentials.map(use)), [201, 201])
    // Programs that go on working do not show that their user is still there.
    cloud.advance(50 * day)
    assert.deepEqual(await statuses(credentials.map(use)), [401, 201])
    assert.equal(await cloud.login(exempt.id, exempt.password), 201)
  })
})

describe('guessing', () => {
  const body = (user: object) => ({ auth: { identity: { methods: ['password'], password: { user } } } })

  test('is refused after the permitted failures, in the same way whether the user is there or not', async () => {
    const cloud = await start({ login_failures_per_account: 4 })
    const { id, user, password } = await cloud.person()
    const answers: (readonly unknown[])[] = []
    for (const who of [
      { id },
      { id: 'nobody' },
      { name: user.name, domain: { id: 'default' } },
      { name: 'nobody', domain: { id: 'default' } },
      { name: 'nobody', domain: { name: 'nowhere' } },
    ]) {
      const seen: unknown[] = []
      for (let n = 0; n < 6; n++) {
        const answer = await cloud.call('POST', '/v3/auth/tokens', '', body({ ...who, password: 'wrong' }))
        seen.push(answer.status, message(answer))
      }
      answers.push(seen)
    }
    for (const seen of answers) assert.deepEqual(seen, answers[0])
    assert.deepEqual(
      answers[0]?.filter(one => typeof one === 'number'),
      [401, 401, 401, 401, 429, 429],
    )
    const refused = await cloud.call('POST', '/v3/auth/tokens', '', body({ id, password }))
    assert.equal(refused.status, 429)
    assert.match(String(refused.headers['retry-after']), /^\d+$/)
    assert.equal(refused.json.error.title, 'Too Many Requests')
    cloud.advance(60_000)
    assert.equal(await cloud.login(id, password), 201)
  })

  test('secrets of application credentials and original passwords are guarded, too', async () => {
    const cloud = await start({ login_failures_per_account: 2 })
    const { id } = await cloud.person()
    const credential = { id: 'none', secret: 'guess' }
    const guess = () =>
      cloud.call('POST', '/v3/auth/tokens', '', {
        auth: { identity: { methods: ['application_credential'], application_credential: credential } },
      })
    const seen = []
    for (let n = 0; n < 3; n++) seen.push((await guess()).status, (await cloud.change(id, 'wrong', 'second2')).status)
    assert.deepEqual(seen, [401, 401, 401, 401, 429, 429])
  })

  test('that one account is guessed at does not keep others out, and a token is no guess', async () => {
    const cloud = await start({ login_failures_per_account: 2 })
    const [victim, other] = [await cloud.person(), await cloud.person()]
    for (let n = 0; n < 5; n++) await cloud.login(victim.id, 'wrong')
    assert.equal(await cloud.login(victim.id, victim.password), 429)
    assert.equal(await cloud.login(other.id, other.password), 201)
    const tries = Array.from({ length: 5 }, () => cloud.tryLogin({ token: 'no token' }))
    assert.deepEqual(await statuses(tries), [401, 401, 401, 401, 401])
  })
})
