import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { needsFiles } from '@strata/toolkit/testing'
import { type Identity, inProject, plan, startIdentity, statuses } from '../harness.test.ts'

let cloud: Identity
let count = 0
before(async () => {
  cloud = await startIdentity()
})
after(() => cloud.close())

async function newcomer() {
  const name = `holder${++count}`
  const project = await cloud.make('project', { name })
  const user = await cloud.make('user', { name, password: 'pw' })
  await cloud.grant(`projects/${project.id}/users/${user.id}`, cloud.roles.member)
  const token = await cloud.login({ id: user.id, password: 'pw', scope: { project: { id: project.id } } })
  const create = (values: object, as = token) => cloud.call('POST', '/v3/credentials', as, { credential: values })
  return { id: user.id as string, projectId: project.id as string, token, create }
}
const show = (id: string, as: string) => cloud.call('GET', `/v3/credentials/${id}`, as)

describe('credentials', () => {
  test('one is made, shown, changed and deleted by its user', async () => {
    const who = await newcomer()
    const made = await who.create({ type: 'totp', blob: 'GEZDGNBV' })
    assert.equal(made.status, 201, made.text)
    const { id, links, ...rest } = made.json.credential
    assert.deepEqual(rest, { type: 'totp', blob: 'GEZDGNBV', user_id: who.id, project_id: null })
    assert.match(links.self, new RegExp(`/v3/credentials/${id}$`))
    const change = (values: object) => cloud.call('PATCH', `/v3/credentials/${id}`, who.token, { credential: values })
    assert.equal((await change({ blob: 'MZXW6YTB', type: 'totp', user_id: who.id })).json.credential.blob, 'MZXW6YTB')
    assert.equal((await show(id, who.token)).json.credential.blob, 'MZXW6YTB')
    assert.deepEqual(await statuses([change({ type: 'cert' }), change({ user_id: 'other' })]), [400, 400])
    assert.equal((await cloud.call('DELETE', `/v3/credentials/${id}`, who.token)).status, 204)
    assert.equal((await show(id, who.token)).status, 403)
    assert.equal((await show(id, cloud.admin)).status, 404)
  })

  test('those of others are neither listed, shown, changed nor made', async () => {
    const [who, other] = [await newcomer(), await newcomer()]
    const { id } = (await who.create({ type: 'cert', blob: 'x' })).json.credential
    const list = async (as: string, query = '') =>
      (await cloud.call('GET', `/v3/credentials${query}`, as)).json.credentials.map((one: { id: string }) => one.id)
    assert.deepEqual(await list(who.token), [id])
    assert.deepEqual(await list(other.token), [])
    assert.deepEqual(await list(other.token, `?user_id=${who.id}`), [])
    assert.ok((await list(cloud.admin)).includes(id))
    assert.deepEqual(await list(cloud.admin, `?user_id=${who.id}&type=totp`), [])
    assert.deepEqual(
      await statuses([
        show(id, other.token),
        cloud.call('PATCH', `/v3/credentials/${id}`, other.token, { credential: { blob: 'y' } }),
        cloud.call('DELETE', `/v3/credentials/${id}`, other.token),
        other.create({ type: 'cert', blob: 'x', user_id: who.id }),
        who.create({ type: 'cert', blob: 'x', user_id: other.id }, cloud.admin),
      ]),
      [403, 403, 403, 403, 201],
    )
  })

  test('keys of EC2 need a project and a blob that can be read, and keep their access key', async () => {
    const who = await newcomer()
    const blob = JSON.stringify({ access: 'AK', secret: 'SK' })
    const ec2 = { type: 'ec2', project_id: who.projectId }
    assert.deepEqual(
      await statuses([
        who.create({ type: 'ec2', blob }),
        who.create({ ...ec2, blob: 'text' }),
        who.create({ ...ec2, blob: '{"access":"AK"}' }),
        who.create({ ...ec2, project_id: 'none', blob }),
      ]),
      [400, 400, 400, 404],
    )
    assert.equal((await who.create({ ...ec2, blob })).status, 201)
    assert.equal((await who.create({ ...ec2, blob })).status, 409)
    const [{ id }] = (await cloud.call('GET', '/v3/credentials?type=ec2', who.token)).json.credentials
    const change = (values: object) =>
      cloud.call('PATCH', `/v3/credentials/${id}`, who.token, { credential: { blob: JSON.stringify(values) } })
    assert.deepEqual(
      await statuses([
        change({ access: 'AK', secret: 'other' }),
        change({ access: 'other', secret: 'SK' }),
        change({ access: 'AK', secret: 'SK', app_cred_id: 'x' }),
      ]),
      [200, 400, 400],
    )
  })

  test('what is secret is not in the database', { skip: needsFiles }, async () => {
    const who = await newcomer()
    await who.create({ type: 'cert', blob: 'VERY-SECRET-INDEED' })
    const file = cloud.service.environment.databaseUrl('identity').replace(/^sqlite:/, '')
    for (const name of [file, `${file}-wal`])
      assert.equal(readFileSync(name, 'latin1').includes('VERY-SECRET-INDEED'), false)
  })
})

describe('EC2 keys', () => {
  const sign = (secret: string, access: string, at = new Date()) => {
    const params: Record<string, string> = {
      AWSAccessKeyId: access,
      Action: 'DescribeInstances',
      SignatureMethod: 'HmacSHA256',
      SignatureVersion: '2',
      Timestamp: at.toISOString().slice(0, 19),
    }
    const query = Object.entries(params).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    const text = ['GET', 'ec2.example', '/services/Cloud/', query.join('&')].join('\n')
    const signature = createHmac('sha256', secret).update(text).digest('base64')
    return { access, signature, host: 'ec2.example', verb: 'GET', path: '/services/Cloud/', params }
  }
  const serviceToken = () =>
    cloud.login({ name: 'nova', password: plan.servicePassword('nova'), scope: inProject('service') })
  const make = async (who: { id: string; projectId: string; token: string }, as = who.token) =>
    cloud.call('POST', `/v3/users/${who.id}/credentials/OS-EC2`, as, { tenant_id: who.projectId })
  const tokenFor = async (credentials: object, as?: string) =>
    cloud.call('POST', '/v3/ec2tokens', as ?? (await serviceToken()), { credentials })

  test('a pair is made, listed, shown and deleted', async () => {
    const who = await newcomer()
    const made = await make(who)
    assert.equal(made.status, 201, made.text)
    const keys = made.json.credential
    assert.deepEqual([keys.user_id, keys.tenant_id, keys.trust_id], [who.id, who.projectId, null])
    const all = `/v3/users/${who.id}/credentials/OS-EC2`
    const one = `${all}/${keys.access}`
    assert.deepEqual((await cloud.call('GET', all, who.token)).json.credentials, [keys])
    assert.deepEqual((await cloud.call('GET', one, who.token)).json.credential, keys)
    const other = await newcomer()
    assert.deepEqual(
      await statuses([
        make(who, other.token),
        cloud.call('GET', all, other.token),
        cloud.call('GET', one, other.token),
        cloud.call('GET', `/v3/users/${other.id}/credentials/OS-EC2/${keys.access}`, other.token),
        cloud.call('DELETE', one, other.token),
      ]),
      [403, 403, 403, 403, 403],
    )
    assert.equal((await cloud.call('DELETE', one, who.token)).status, 204)
    assert.equal((await cloud.call('GET', one, who.token)).status, 404)
  })

  test('a request that was signed with them has a token of their owner', async () => {
    const who = await newcomer()
    const { access, secret } = (await make(who)).json.credential
    const answer = await tokenFor(sign(secret, access))
    assert.equal(answer.status, 200, answer.text)
    assert.deepEqual(answer.json.token.methods, ['ec2credential'])
    assert.equal(answer.json.token.project.id, who.projectId)
    const token = String(answer.headers['x-subject-token'])
    assert.equal((await cloud.show(token)).json.token.user.id, who.id)
  })

  test('one that was signed otherwise, long ago, or is shown by a stranger has none', async () => {
    const who = await newcomer()
    const { access, secret } = (await make(who)).json.credential
    const old = new Date(Date.now() - 16 * 60_000)
    assert.deepEqual(
      await statuses([
        tokenFor(sign('wrong', access)),
        tokenFor(sign(secret, 'unknown')),
        tokenFor(sign(secret, access, old)),
        tokenFor({ ...sign(secret, access), params: {} }),
        tokenFor(sign(secret, access), who.token),
      ]),
      [401, 401, 401, 400, 403],
    )
  })

  test('keys made with an application credential are bound to it', async () => {
    const who = await newcomer()
    const path = `/v3/users/${who.id}/application_credentials`
    const use = async (unrestricted: boolean) => {
      const values = { name: `k${unrestricted}`, unrestricted }
      const { id, secret } = (await cloud.call('POST', path, who.token, { application_credential: values })).json
        .application_credential
      const identity = { methods: ['application_credential'], application_credential: { id, secret } }
      const answer = await cloud.call('POST', '/v3/auth/tokens', '', { auth: { identity } })
      return { id, made: await make(who, String(answer.headers['x-subject-token'])) }
    }
    assert.equal((await use(false)).made.status, 403)
    const { id, made } = await use(true)
    const { access, secret } = made.json.credential
    assert.equal((await tokenFor(sign(secret, access))).json.token.application_credential.id, id)
    await cloud.call('DELETE', `${path}/${id}`, who.token)
    assert.equal((await tokenFor(sign(secret, access))).status, 401)
  })

  test('S3 hands on what was signed', async () => {
    const who = await newcomer()
    const { access, secret } = (await make(who)).json.credential
    const token = Buffer.from('GET\n\n\nnow\n/bucket/object').toString('base64url')
    const signature = createHmac('sha1', secret).update('GET\n\n\nnow\n/bucket/object').digest('base64')
    const ask = async (given: object) =>
      cloud.call('POST', '/v3/s3tokens', await serviceToken(), { credentials: { access, token, ...given } })
    assert.deepEqual(await statuses([ask({ signature }), ask({ signature: 'wrong' })]), [200, 401])
  })
})
