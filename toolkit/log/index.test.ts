import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createContext } from '../context/index.ts'
import { compilePolicy } from '../policy/index.ts'
import { until } from '../testing/index.ts'
import { createLog, type Log } from './index.ts'

/** The lines that `write` logs, as text. */
async function logged(write: (log: Log) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-log-'))
  const file = join(folder, 'deep/er.log')
  const log = createLog({ file })
  write(log)
  log.info('the end')
  const text = await until('all is written', () => {
    const have = existsSync(file) ? readFileSync(file, 'utf8') : ''
    return have.includes('the end') ? have : undefined
  })
  rmSync(folder, { recursive: true })
  return text
}

test('secrets never appear, at any depth, in errors, in children, under any spelling', async () => {
  const secret = 'correct-horse'
  const names = [
    'password',
    'original_password',
    'adminPass',
    'admin_pass',
    'secret',
    'client_secret',
    'token',
    'tokenText',
  ]
  const headers = ['X-Auth-Token', 'x-subject-token', 'authorization', 'cookie', 'user_data', 'private_key', 'secrets']
  const text = await logged(log => {
    for (const name of [...names, ...headers]) {
      log.info({ [name]: secret }, name)
      log.info({ a: { b: [{ [name]: { value: secret } }] } }, name)
      log.error({ err: Object.assign(new Error('failed'), { details: { [name]: secret } }) }, name)
      log.error({ why: Object.assign(new Error('failed'), { [name]: secret }) }, name)
      log.child({ [name]: secret }).info(name)
    }
    log.error(Object.assign(new Error('bare'), { token: secret }))
  })
  assert.doesNotMatch(text, /correct-horse/)
  assert.equal(text.trim().split('\n').length, 15 * 5 + 2)
})

test('what is no secret is logged as it is, errors with their causes and stacks', async () => {
  const text = await logged(log => {
    log.warn({ port: 5000, when: new Date(0), none: null, token_count: 3, list: [1, { a: 'b' }] }, 'plain')
    log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed')
  })
  const [plain, failed] = text.split('\n').map(line => line && JSON.parse(line))
  const { time, ...rest } = plain
  assert.match(time, /^\d{4}-.*Z$/)
  assert.deepEqual(rest, {
    level: 'warn',
    port: 5000,
    when: '1970-01-01T00:00:00.000Z',
    none: null,
    token_count: 3,
    list: [1, { a: 'b' }],
    msg: 'plain',
  })
  assert.match(failed.err.stack, /outer[\s\S]*inner/)
  assert.equal(failed.err.type, 'Error')
})

test('an object that contains itself is cut off, not followed for ever', async () => {
  const loop: Record<string, unknown> = { name: 'loop' }
  loop['self'] = loop
  assert.match(await logged(log => log.info({ loop })), /"name":"loop"/)
})

test("a request's own lines carry its ids", async () => {
  const text = await logged(log => {
    const policy = compilePolicy([])
    const globalRequestId = 'req-11111111-2222-3333-4444-555555555555'
    createContext({ requestId: 'req-own', globalRequestId, policy, log }).log.info('hello')
  })
  const line = JSON.parse(text.split('\n')[0]!)
  assert.deepEqual([line.request_id, line.global_request_id], ['req-own', 'req-11111111-2222-3333-4444-555555555555'])
})
