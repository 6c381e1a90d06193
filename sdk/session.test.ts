import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { systemRuntime } from '@strata/toolkit/runtime'
import { ApiError, createSession, type Transport } from './index.ts'

type Asked = Parameters<Transport>[0]

/** A session whose logins are numbered and last an hour; `answer` answers all else. */
function scene(answer: (asked: Asked) => { status: number; body?: unknown }) {
  let now = 0
  let logins = 0
  const asked: Asked[] = []
  const transport: Transport = async request => {
    asked.push(request)
    const login = request.path === '/v3/auth/tokens'
    const body = { token: { expires_at: new Date(now + 3_600_000).toISOString() } }
    const { status, body: words } = login ? { status: 201, body } : answer(request)
    return {
      status,
      headers: login ? { 'x-subject-token': `secret-${++logins}` } : {},
      body: Readable.from([typeof words === 'string' ? words : JSON.stringify(words ?? {})]),
    }
  }
  const credentials = { username: 'u', password: 'p', project: 'demo' }
  const session = createSession({ transport, credentials, runtime: { ...systemRuntime, now: () => now } })
  const pass = (ms: number) => {
    now += ms
  }
  return { session, asked, logins: () => logins, pass }
}

const ports = { service: 'network', method: 'GET', path: '/v2.0/ports' } as const

test('one login serves many calls, and is renewed before the token ends', async () => {
  const { session, logins, pass } = scene(() => ({ status: 200 }))
  await Promise.all([session.call(ports), session.call(ports)])
  assert.equal(logins(), 1)
  pass(3_299_000)
  await session.call(ports)
  assert.equal(logins(), 1)
  pass(2_000)
  await session.call(ports)
  assert.equal(logins(), 2)
})

test('a 401 costs one fresh login, however many calls meet it at once, and a second one is told', async () => {
  const fresh = scene(({ headers }) => ({ status: headers['x-auth-token'] === 'secret-1' ? 401 : 200 }))
  await Promise.all([fresh.session.call(ports), fresh.session.call(ports), fresh.session.call(ports)])
  assert.equal(fresh.logins(), 2)
  const never = scene(() => ({ status: 401 }))
  await assert.rejects(never.session.call(ports), { name: 'ApiError', status: 401 })
  assert.equal(never.logins(), 2)
})

test('the words of a refusal are found in the body of each family', async () => {
  const bodies: [unknown, string][] = [
    [{ itemNotFound: { code: 404, message: 'a' } }, 'a'],
    [{ NeutronError: { type: 'X', message: 'b', detail: '' } }, 'b'],
    [{ error: { code: 404, title: 'Not Found', message: 'c' } }, 'c'],
    [{ message: 'd', code: '404 Not Found', title: 'Not Found' }, 'd'],
    [{ errors: [{ status: 404, title: 'Not Found', detail: 'e' }] }, 'e'],
    ['<html>f</html>', '<html>f</html>'],
    ['', 'network answered 404'],
  ]
  for (const [body, message] of bodies)
    await assert.rejects(scene(() => ({ status: 404, body })).session.call(ports), { message, transient: false })
})

test('what may pass by itself is transient', async () => {
  for (const [status, transient] of [
    [400, false],
    [409, false],
    [429, true],
    [500, false],
    [502, true],
    [503, true],
    [504, true],
  ])
    await assert.rejects(scene(() => ({ status: status as number })).session.call(ports), { transient })
  assert.equal(new ApiError({ service: 'x', status: 0, message: '' }).transient, true)
})

test('neither the token nor the body of a refusal shows in the error', async () => {
  const { session } = scene(({ headers }) => ({ status: 502, body: `bad: ${headers['x-auth-token']}` }))
  const refused: unknown = await session.call(ports).catch(thrown => thrown)
  assert.ok(refused instanceof ApiError)
  assert.equal(refused.message, 'bad: ***')
  const quoted = new ApiError({ service: 'x', status: 409, message: 'm', body: { token: 'secret-1' } })
  assert.deepEqual(quoted.body, { token: 'secret-1' })
  assert.doesNotMatch(`${JSON.stringify({ ...quoted })} ${inspect(quoted)}`, /secret-1/)
})

test('queries are encoded, many values repeated, absent ones left out; accepted statuses and keys pass', async () => {
  const { session, asked } = scene(() => ({ status: 404 }))
  const query = { name: 'a b&c', id: ['1', '2'], limit: 5, none: undefined }
  const answer = await session.call({ ...ports, query, idempotencyKey: 'k:1', accept: [404] })
  assert.equal(answer.status, 404)
  assert.equal(asked.at(-1)!.path, '/v2.0/ports?name=a+b%26c&id=1&id=2&limit=5')
  assert.equal(asked.at(-1)!.headers['idempotency-key'], 'k:1')
})
