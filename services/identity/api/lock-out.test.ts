import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { inProject, plan, statuses } from '../harness.test.ts'
import { closeAll, day, message, refusal, start } from './test-accounts.ts'

after(closeAll)

const status = async (answer: Promise<{ status: number }>) => (await answer).status
const byCredential = (id: string, secret: string) => ({
  auth: { identity: { methods: ['application_credential'], application_credential: { id, secret } } },
})
/** A request to an EC2 API, signed with its version 2. */
function signed({ access, secret }: { access: string; secret: string }, at: number) {
  const params = { AWSAccessKeyId: access, SignatureVersion: '2', Timestamp: new Date(at).toISOString().slice(0, 19) }
  const query = Object.entries({ ...params, SignatureMethod: 'HmacSHA256' })
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  const text = ['GET', 'ec2.example', '/', query.join('&')].join('\n')
  const signature = createHmac('sha256', secret).update(text).digest('base64')
  return {
    access,
    signature,
    host: 'ec2.example',
    verb: 'GET',
    path: '/',
    params: { ...params, SignatureMethod: 'HmacSHA256' },
  }
}

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

  test('an application credential and keys of EC2 end with their user; exempt users go on', async () => {
    const cloud = await start(settings)
    const project = await cloud.make('project', { name: 'works' })
    const equipped = async (values: object) => {
      const { id, password } = await cloud.person(values)
      await cloud.grant(`projects/${project.id}/users/${id}`, cloud.roles.member)
      const as = await cloud.tokenOf({ id, password, scope: { project: { id: project.id } } })
      const credential = { name: 'robot', secret: 'robot-secret' }
      const robot = await cloud.call('POST', `/v3/users/${id}/application_credentials`, as, {
        application_credential: credential,
      })
      const keys = await cloud.call('POST', `/v3/users/${id}/credentials/OS-EC2`, as, { tenant_id: project.id })
      return { id, robot: robot.json.application_credential.id as string, keys: keys.json.credential }
    }
    const people = [await equipped({}), await equipped({ options: { ignore_user_inactivity: true } })]
    const nova = { name: 'nova', password: plan.servicePassword('nova'), scope: inProject('service') }
    const service = await cloud.tokenOf(nova)
    const use = async ({ robot, keys }: (typeof people)[number]) => [
      await status(cloud.call('POST', '/v3/auth/tokens', '', byCredential(robot, 'robot-secret'))),
      await status(cloud.call('POST', '/v3/ec2tokens', service, { credentials: signed(keys, cloud.now()) })),
    ]
    cloud.advance(50 * day)
    assert.deepEqual(await Promise.all(people.map(use)), [
      [201, 200],
      [201, 200],
    ])
    // Programs that go on working do not show that their user is still there.
    cloud.advance(50 * day)
    assert.deepEqual(await Promise.all(people.map(use)), [
      [401, 401],
      [201, 200],
    ])
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
    const guess = () => cloud.call('POST', '/v3/auth/tokens', '', byCredential('none', 'guess'))
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
    assert.deepEqual(await statuses(tries), [404, 404, 404, 404, 404])
  })
})

test('who comes through a proxy of ours is counted by its own address', async () => {
  const cloud = await start({ login_failures_per_account: 2, reverse_proxies: ['127.0.0.1'] })
  const { id, password } = await cloud.person()
  const login = (from: string, given: string) =>
    cloud.call(
      'POST',
      '/v3/auth/tokens',
      '',
      { auth: { identity: { methods: ['password'], password: { user: { id, password: given } } } } },
      { 'x-forwarded-for': from },
    )
  const seen = []
  for (const liar of ['192.0.2.1', '192.0.2.2', '192.0.2.3'])
    seen.push(await status(login(`${liar}, 198.51.100.9`, 'wrong')))
  assert.deepEqual(seen, [401, 401, 429])
  assert.equal(await status(login('198.51.100.10', password)), 201)
})
