/**
 * Secrets stay secret: each that goes in or comes out is marked, everything that can be asked with it is asked, in vain too, and
 * then all that was written is searched: logs at the level where they say most, notifications, errors, the database and what else lies in the state folder.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { createLog } from '@strata/toolkit/log'
import { needsFiles, type TestAnswer, until } from '@strata/toolkit/testing'
import { authBody, type Identity, inProject, type Login, startIdentity } from '../harness.test.ts'

const folder = mkdtempSync(join(tmpdir(), 'strata-test-'))
const logFile = join(folder, 'log')
const log = createLog({ level: 'trace', file: logFile })
/** What must not be found anywhere, by what it is. */
const secrets = new Map<string, string>()
let serial = 0
const secret = (what: string): string => {
  const made = `c4n4ry${++serial}x${what.replace(/\W/g, '')}`
  secrets.set(what, made)
  return made
}
const answers: TestAnswer[] = []
let cloud: Identity
before(async () => {
  cloud = await startIdentity({ notification_opt_out: [] }, { log })
})
after(async () => {
  await cloud.close()
  rmSync(folder, { recursive: true })
})

const call = async (method: string, path: string, as: string, body?: unknown, headers?: Record<string, string>) => {
  const answer = await cloud.call(method, path, as, body, headers)
  answers.push(answer)
  return answer
}
async function login(what: string, who: Login): Promise<string> {
  const answer = await call('POST', '/v3/auth/tokens', '', authBody(who))
  assert.equal(answer.status, 201, answer.text)
  const token = String(answer.headers['x-subject-token'])
  secrets.set(what, token)
  return token
}
const expect = async (status: number, asked: Promise<TestAnswer>): Promise<TestAnswer> => {
  const answer = await asked
  assert.equal(answer.status, status, answer.text)
  return answer
}

async function usePasswords(): Promise<{ id: string; token: string }> {
  const [first, second] = [secret('password'), secret('changed password')]
  const body = { user: { name: 'ann', password: first, domain_id: 'default' } }
  const { json } = await expect(201, call('POST', '/v3/users', cloud.admin, body))
  const { id } = json.user
  await cloud.grant(`domains/default/users/${id}`, cloud.roles.member)
  await cloud.grant(`projects/${(await cloud.make('project', { name: 'p' })).id}/users/${id}`, cloud.roles.member)
  await login('first token', { id, password: first })
  const wrong = secret('wrong password')
  await expect(401, call('POST', '/v3/auth/tokens', '', authBody({ id, password: wrong })))
  const change = (original: string, next: string) =>
    call('POST', `/v3/users/${id}/password`, '', { user: { original_password: original, password: next } })
  await expect(401, change(wrong, secret('refused password')))
  await expect(204, change(first, second))
  await expect(400, call('PATCH', `/v3/users/${id}`, cloud.admin, { user: { password: [secret('no text')] } }))
  await expect(
    400,
    call('POST', '/v3/users', cloud.admin, `{"user": {"password": "${secret('broken JSON')}`, {
      'content-type': 'application/json',
    }),
  )
  // Typed into the wrong box.
  await expect(401, call('POST', '/v3/auth/tokens', '', authBody({ name: secret('name'), password: wrong })))
  return { id, token: await login('token', { id, password: second, scope: inProject('p') }) }
}

async function useTokens(token: string, id: string): Promise<void> {
  await expect(200, call('GET', '/v3/auth/tokens', cloud.admin, undefined, { 'x-subject-token': token }))
  await expect(404, call('GET', '/v3/auth/tokens', cloud.admin, undefined, { 'x-subject-token': secret('no token') }))
  await expect(401, call('GET', '/v3/users', secret('forged token')))
  await expect(404, call('POST', '/v3/auth/tokens', '', authBody({ token: secret('forged login') })))
  const other = await login('token by a token', { token, scope: inProject('p') })
  await expect(204, call('DELETE', '/v3/auth/tokens', cloud.admin, undefined, { 'x-subject-token': other }))
  await expect(403, call('DELETE', `/v3/users/${id}`, token))
}

async function useCredentials(token: string, id: string): Promise<void> {
  const credential = { user_id: id, type: 'totp', blob: secret('seed') }
  const { json } = await expect(201, call('POST', '/v3/credentials', cloud.admin, { credential }))
  await expect(
    400,
    call('POST', '/v3/credentials', cloud.admin, {
      credential: { user_id: id, type: 'ec2', blob: `{"secret": "${secret('EC2 without a project')}"}` },
    }),
  )
  await expect(204, call('DELETE', `/v3/credentials/${json.credential.id}`, cloud.admin))
  const project = (await cloud.show(token)).json.token.project.id
  const keys = await expect(201, call('POST', `/v3/users/${id}/credentials/OS-EC2`, token, { tenant_id: project }))
  secrets.set('EC2 secret', keys.json.credential.secret)
  const application = `/v3/users/${id}/application_credentials`
  const own = { name: 'ci', secret: secret('application secret') }
  const made = await expect(201, call('POST', application, token, { application_credential: own }))
  await expect(409, call('POST', application, token, { application_credential: own }))
  const by = (text: string) => ({
    auth: {
      identity: {
        methods: ['application_credential'],
        application_credential: { id: made.json.application_credential.id, secret: text },
      },
    },
  })
  const issued = await expect(201, call('POST', '/v3/auth/tokens', '', by(own.secret)))
  secrets.set('token of an application', String(issued.headers['x-subject-token']))
  await expect(401, call('POST', '/v3/auth/tokens', '', by(secret('wrong secret'))))
  const consumer = await expect(201, call('POST', '/v3/OS-OAUTH1/consumers', cloud.admin, { consumer: {} }))
  secrets.set('OAuth secret', consumer.json.consumer.secret)
}

async function useDomainConfig(): Promise<void> {
  const domain = await cloud.make('domain', { name: 'elsewhere' })
  const config = { identity: { driver: 'ldap' }, ldap: { url: 'ldap://127.0.0.1:1', password: secret('bind') } }
  await expect(201, call('PUT', `/v3/domains/${domain.id}/config`, cloud.admin, { config }))
  const who = { name: 'bob', domain: domain.id, password: secret('password for a directory') }
  const { status } = await call('POST', '/v3/auth/tokens', '', authBody(who))
  assert.ok(status >= 400)
  await expect(204, call('DELETE', `/v3/domains/${domain.id}/config`, cloud.admin))
}

/** A defect is logged in full: the login finds the table of passwords gone. */
async function failForGood(id: string): Promise<void> {
  const database = new DatabaseSync(cloud.service.environment.databaseUrl('identity').replace('sqlite:', ''))
  database.exec('alter table user_passwords rename to away')
  await expect(500, call('POST', '/v3/auth/tokens', '', authBody({ id, password: secret('of a defect') })))
  database.exec('alter table away rename to user_passwords')
  database.close()
}

test('no log, notification, error or file holds a secret', { skip: needsFiles }, async () => {
  const { id, token } = await usePasswords()
  await useTokens(token, id)
  await useCredentials(token, id)
  await useDomainConfig()
  await failForGood(id)
  const { environment } = cloud.service
  const state = environment.stateDir('identity')
  const database = environment.databaseUrl('identity').replace('sqlite:', '')
  const places = () => ({
    log: readFileSync(logFile, 'latin1'),
    notifications: readFileSync(join(state, 'notifications.jsonl'), 'latin1'),
    errors: answers
      .filter(one => one.status >= 400)
      .map(one => `${JSON.stringify(one.headers)} ${one.text}`)
      .join('\n'),
    database: ['', '-wal'].map(end => readFileSync(`${database}${end}`, 'latin1')).join(''),
    'state folder': readdirSync(state, { recursive: true, withFileTypes: true })
      .filter(one => one.isFile())
      .map(one => readFileSync(join(one.parentPath, one.name), 'latin1'))
      .join('\n'),
  })
  // The search finds what is there, and everything was written that should have been.
  log.info({ note: 'canary' }, 'marked')
  await until('the log is written', () => readFileSync(logFile, 'latin1').includes('marked'))
  const written = places()
  assert.ok(written.log.includes('canary') && written.log.includes('"level":"debug"'))
  assert.ok(/no such table.*request failed/.test(written.log))
  assert.ok(
    written.notifications.includes('"outcome":"failure"') && written.notifications.includes('"outcome":"success"'),
  )
  assert.ok(written.errors.includes('requires authentication') && written.database.includes('default'))
  const found = [...secrets].flatMap(([what, text]) =>
    Object.entries(written)
      .filter(([, content]) => content.includes(text))
      .map(([place]) => `${what} in the ${place}`),
  )
  assert.deepEqual(found, [])
})
