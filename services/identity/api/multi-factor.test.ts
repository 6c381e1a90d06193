import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Identity, startIdentity, statuses } from '../harness.test.ts'
import { passcode, timeStep } from '../logic/rules/totp.ts'

const seed = Buffer.from('12345678901234567890')
const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const window = 30_000
let cloud: Identity
let count = 0
let ahead = 0
before(async () => {
  cloud = await startIdentity({ token_expiration: 100 * 86_400, login_failures_per_account: 1000 })
})
after(() => cloud.close())

const advance = (ms: number) => {
  ahead += ms
  cloud.advance(ms)
}
/** The passcode of so many windows ago. */
const code = (ago = 0) => passcode(seed, timeStep(Date.now() + ahead) - ago)
/** Into the middle of a window that nobody has used a passcode of. */
const nextWindow = () => {
  const now = Date.now() + ahead
  advance(3 * window - (now % window) + window / 2)
}

interface Person {
  readonly id: string
  readonly password: string
}
async function person(rules?: readonly (readonly string[])[], values: object = {}): Promise<Person> {
  const options = rules && { options: { multi_factor_auth_rules: rules, multi_factor_auth_enabled: true } }
  const user = await cloud.make('user', { name: `guarded${++count}`, password: 'pw', ...options, ...values })
  await cloud.make('credential', { type: 'totp', blob: secret, user_id: user.id })
  return { id: user.id, password: 'pw' }
}

const login = (identity: object, receipt?: string, scope?: object) =>
  cloud.call(
    'POST',
    '/v3/auth/tokens',
    '',
    { auth: { identity, ...(scope && { scope }) } },
    receipt === undefined ? {} : { 'openstack-auth-receipt': receipt },
  )
const byPassword = ({ id, password }: Person) => ({ methods: ['password'], password: { user: { id, password } } })
const byTotp = ({ id }: Person, given = code()) => ({ methods: ['totp'], totp: { user: { id, passcode: given } } })
const byBoth = (who: Person, given = code()) => ({
  ...byPassword(who),
  ...byTotp(who, given),
  methods: ['password', 'totp'],
})
const receiptOf = (answer: { headers: Record<string, unknown> }) => String(answer.headers['openstack-auth-receipt'])
const both = [['password', 'totp']]

describe('passcodes', () => {
  test('one logs in, named by id or by name and domain', async () => {
    nextWindow()
    const who = await person()
    const answer = await login(byTotp(who))
    assert.equal(answer.status, 201, answer.text)
    assert.deepEqual(answer.json.token.methods, ['totp'])
    nextWindow()
    const user = { name: answer.json.token.user.name, domain: { name: 'Default' }, passcode: code() }
    assert.equal((await login({ methods: ['totp'], totp: { user } })).status, 201)
  })

  test('each is good once, and none of before it', async () => {
    nextWindow()
    const who = await person()
    assert.deepEqual(
      [
        (await login(byTotp(who))).status,
        (await login(byTotp(who))).status,
        (await login(byTotp(who, code(1)))).status,
      ],
      [201, 401, 401],
    )
    advance(window)
    assert.equal((await login(byTotp(who))).status, 201)
  })

  test('of many at the same time one is taken', async () => {
    nextWindow()
    const who = await person()
    const seen = await statuses(Array.from({ length: 5 }, () => login(byTotp(who))))
    assert.deepEqual(seen.sort(), [201, 401, 401, 401, 401])
  })

  test('that of the window before is taken, older and later ones are not', async () => {
    nextWindow()
    const who = await person()
    assert.deepEqual(
      [
        (await login(byTotp(who, code(2)))).status,
        (await login(byTotp(who, code(-1)))).status,
        (await login(byTotp(who, code(1)))).status,
      ],
      [401, 401, 201],
    )
  })

  test('any device of the user will do; what is no secret is passed over', async () => {
    nextWindow()
    const who = await person()
    await cloud.make('credential', { type: 'totp', blob: 'not base 32!', user_id: who.id })
    await cloud.make('credential', { type: 'totp', blob: 'MZXW6YTBOI', user_id: who.id })
    const other = passcode(Buffer.from('foobar'), timeStep(Date.now() + ahead))
    assert.deepEqual([(await login(byTotp(who, other))).status, (await login(byTotp(who))).status], [201, 201])
  })

  test('users without a device, disabled ones and unknown ones are refused in the same words', async () => {
    nextWindow()
    const bare = await cloud.make('user', { name: 'bare', password: 'pw' })
    const disabled = await person(undefined, { enabled: false })
    const answers = [
      await login(byTotp(bare)),
      await login(byTotp(disabled)),
      await login(byTotp({ ...bare, id: 'no' })),
    ]
    for (const { status, json } of answers)
      assert.deepEqual([status, json.error.message], [401, 'The request you have made requires authentication.'])
    assert.equal((await login({ methods: ['totp'] })).status, 400)
    assert.equal((await login({ methods: ['totp'], totp: { user: { id: 'x' } } })).status, 400)
  })
})

describe('rules of several methods', () => {
  test('all methods at once make a token', async () => {
    nextWindow()
    const who = await person(both)
    const answer = await login(byBoth(who))
    assert.equal(answer.status, 201, answer.text)
    assert.deepEqual([...answer.json.token.methods].sort(), ['password', 'totp'])
  })

  test('one of them makes a receipt, and with it the others make a token', async () => {
    nextWindow()
    const who = await person([['password', 'totp'], ['totp', 'token'], ['unheard']])
    const first = await login(byPassword(who))
    assert.equal(first.status, 401)
    assert.equal(first.headers['x-subject-token'], undefined)
    const { receipt, required_auth_methods: required } = first.json
    assert.deepEqual(required, [['password', 'totp']])
    assert.deepEqual(
      [receipt.methods, receipt.user.id, receipt.user.domain],
      [['password'], who.id, { id: 'default', name: 'Default' }],
    )
    assert.equal(Date.parse(receipt.expires_at) - Date.parse(receipt.issued_at), 300_000)
    assert.match(receipt.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    const second = await login(byTotp(who), receiptOf(first))
    assert.equal(second.status, 201, second.text)
    assert.deepEqual([...second.json.token.methods].sort(), ['password', 'totp'])
  })

  test('the other way round, too', async () => {
    nextWindow()
    const who = await person(both)
    const first = await login(byTotp(who))
    assert.deepEqual([first.status, first.json.receipt.methods], [401, ['totp']])
    assert.equal((await login(byPassword(who), receiptOf(first))).status, 201)
  })

  test('a receipt ends soon, is its user’s alone, and with a change of its password', async () => {
    nextWindow()
    const [who, other] = [await person(both), await person(both)]
    const late = receiptOf(await login(byPassword(who)))
    advance(300_000)
    nextWindow()
    assert.equal((await login(byTotp(who), late)).status, 401)
    nextWindow()
    const mine = receiptOf(await login(byPassword(who)))
    assert.equal((await login(byTotp(other), mine)).status, 401)
    for (const bad of ['gibberish', `${mine.slice(0, -4)}AAAA`, cloud.admin])
      assert.equal((await login(byPassword(other), bad)).status, 401)
    await cloud.call('PATCH', `/v3/users/${who.id}`, cloud.admin, { user: { password: 'changed' } })
    nextWindow()
    assert.equal((await login(byTotp(who), mine)).status, 401)
  })

  test('a receipt is no token, and a wrong second factor gets none', async () => {
    nextWindow()
    const who = await person(both)
    const receipt = receiptOf(await login(byPassword(who)))
    assert.equal((await cloud.call('GET', '/v3/auth/projects', receipt)).status, 401)
    assert.equal((await cloud.show(receipt)).status, 404)
    const wrong = await login(byBoth(who, '000000' === code() ? '000001' : '000000'))
    assert.deepEqual([wrong.status, wrong.headers['openstack-auth-receipt']], [401, undefined])
    assert.equal((await login({ methods: ['token'], token: { id: receipt } })).status, 404)
  })

  test('switched off, or naming no method that there is, they ask for nothing', async () => {
    const off = await person(undefined, {
      options: { multi_factor_auth_rules: both, multi_factor_auth_enabled: false },
    })
    const odd = await person([['unheard'], ['of']])
    assert.deepEqual(await statuses([login(byPassword(off)), login(byPassword(odd))]), [201, 201])
  })

  test('a token that was got by them is scoped elsewhere without them, and one of before only with them', async () => {
    nextWindow()
    const who = await person()
    const project = await cloud.make('project', { name: `vault${count}` })
    await cloud.grant(`projects/${project.id}/users/${who.id}`, cloud.roles.member)
    const scope = { project: { id: project.id } }
    const before = String((await login(byPassword(who))).headers['x-subject-token'])
    await cloud.call('PATCH', `/v3/users/${who.id}`, cloud.admin, {
      user: { options: { multi_factor_auth_rules: both } },
    })
    const rescope = (id: string) => login({ methods: ['token'], token: { id } }, undefined, scope)
    const refused = await rescope(before)
    assert.deepEqual([refused.status, refused.json.required_auth_methods], [401, both])
    nextWindow()
    const full = await login(byBoth(who))
    const rescoped = await rescope(String(full.headers['x-subject-token']))
    assert.equal(rescoped.status, 201, rescoped.text)
    assert.deepEqual([...rescoped.json.token.methods].sort(), ['password', 'token', 'totp'])
    nextWindow()
    assert.equal((await login(byTotp(who), receiptOf(refused), scope)).status, 201)
  })

  test('they hold for application credentials, unless a rule names these', async () => {
    const who = await person()
    const project = await cloud.make('project', { name: `works${count}` })
    await cloud.grant(`projects/${project.id}/users/${who.id}`, cloud.roles.member)
    const as = String(
      (await login(byPassword(who), undefined, { project: { id: project.id } })).headers['x-subject-token'],
    )
    const { json } = await cloud.call('POST', `/v3/users/${who.id}/application_credentials`, as, {
      application_credential: { name: 'robot', secret: 'robot-secret' },
    })
    const { id } = json.application_credential
    const use = () =>
      login({ methods: ['application_credential'], application_credential: { id, secret: 'robot-secret' } })
    const require = (rules: readonly (readonly string[])[]) =>
      cloud.call('PATCH', `/v3/users/${who.id}`, cloud.admin, { user: { options: { multi_factor_auth_rules: rules } } })
    assert.equal((await use()).status, 201)
    await require(both)
    assert.deepEqual([(await use()).status, (await use()).json.required_auth_methods], [401, []])
    await require([...both, ['application_credential']])
    assert.equal((await use()).status, 201)
  })
})

test('wrong passcodes lock an account like wrong passwords, and a lock holds for both', async () => {
  const locking = await startIdentity({ lockout_failure_attempts: 2, login_failures_per_account: 100 })
  try {
    const user = await locking.make('user', { name: 'locked', password: 'pw' })
    await locking.make('credential', { type: 'totp', blob: secret, user_id: user.id })
    const totp = (given: string) =>
      locking.call('POST', '/v3/auth/tokens', '', { auth: { identity: byTotp(user, given) } })
    const now = timeStep(Date.now())
    const right = [passcode(seed, now), passcode(seed, now - 1), passcode(seed, now + 1)]
    const wrong = ['000000', '111111', '222222', '333333'].find(one => !right.includes(one))!
    assert.deepEqual([(await totp(wrong)).status, (await totp(wrong)).status], [401, 401])
    assert.equal((await totp(passcode(seed, timeStep(Date.now())))).status, 401)
    assert.equal((await locking.tryLogin({ id: user.id, password: 'pw' })).status, 401)
  } finally {
    await locking.close()
  }
})

test('replicas take each passcode once between them, know each other’s receipts, and count failures together', async () => {
  const settings = { lockout_failure_attempts: 2, lockout_duration: 3600 }
  const one = await startIdentity(settings)
  const { databaseUrl, stateDir } = one.service.environment
  const other = await startIdentity(settings, { databaseUrl, stateDir })
  try {
    const options = { multi_factor_auth_rules: both }
    const user = await one.make('user', { name: 'everywhere', password: 'pw', options })
    await one.make('credential', { type: 'totp', blob: secret, user_id: user.id })
    const who = { id: user.id as string, password: 'pw' }
    const ask = (where: Identity, identity: object, receipt: object = {}) =>
      where.call('POST', '/v3/auth/tokens', '', { auth: { identity } }, receipt as Record<string, string>)
    const totp = byTotp(who, passcode(seed, timeStep(Date.now())))
    const first = await ask(one, byPassword(who))
    const second = await ask(other, totp, { 'openstack-auth-receipt': receiptOf(first) })
    assert.equal(second.status, 201, second.text)
    assert.deepEqual([(await ask(one, totp)).status, (await ask(other, totp)).status], [401, 401])
    assert.equal((await ask(one, byPassword(who))).headers['openstack-auth-receipt'], undefined)
  } finally {
    await other.close()
    await one.close()
  }
})
