import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { after, before, test } from 'node:test'
import { idOf, persona } from '@strata/toolkit/testing'
import { sshLine } from '../logic/rules/public-key.ts'
import { keypairOperations } from './keypairs.ts'
import { type Small, startSmall } from './small.test.ts'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me'
const certificate = `-----BEGIN CERTIFICATE-----
MIIBZDCCAQugAwIBAgIUE0Qd
-----END CERTIFICATE-----`
const admin = persona({ roles: ['admin'], user: 'root' })
const ann = persona({ user: 'ann' })
const bob = persona({ user: 'bob', roles: ['manager'] })
let small: Small
before(async () => {
  small = await startSmall(keypairOperations, { quota_key_pairs: 3 })
})
after(() => small.close())

const path = '/v2.1/os-keypairs'
const make = (keypair: object, at = 1, as = ann) => small.call('POST', path, { as, body: { keypair }, at })

test('a key is imported, shown by version, and deleted', async () => {
  const old = await make({ name: 'one', public_key: key })
  assert.equal(old.status, 200)
  assert.deepEqual(Object.keys(old.json.keypair).sort(), ['fingerprint', 'name', 'public_key', 'user_id'])
  assert.match(old.json.keypair.fingerprint, /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/)
  const made = await make({ name: 'two', public_key: key, type: 'ssh' }, 2)
  assert.equal(made.status, 201)
  assert.equal(made.json.keypair.type, 'ssh')
  const shown = await small.call('GET', `${path}/two`, { as: ann, at: 2 })
  assert.deepEqual(Object.keys(shown.json.keypair).sort(), [
    'created_at',
    'deleted',
    'deleted_at',
    'fingerprint',
    'id',
    'name',
    'public_key',
    'type',
    'updated_at',
    'user_id',
  ])
  assert.equal(shown.json.keypair.user_id, idOf('ann'))
  assert.match(shown.json.keypair.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/)
  assert.equal((await make({ name: 'two', public_key: key }, 2)).status, 409)
  assert.equal((await small.call('DELETE', `${path}/one`, { as: ann, at: 1 })).status, 202)
  assert.equal((await small.call('DELETE', `${path}/two`, { as: ann, at: 2 })).status, 204)
  assert.equal((await small.call('DELETE', `${path}/two`, { as: ann, at: 2 })).status, 404)
  assert.equal((await small.call('GET', `${path}/two`, { as: ann })).status, 404)
})

test('a key is made, and the private one fits it', async () => {
  const { keypair } = (await make({ name: 'made' })).json
  assert.match(keypair.private_key, /^-----BEGIN RSA PRIVATE KEY-----/)
  assert.equal(
    sshLine(createPublicKey(createPrivateKey(keypair.private_key)), 'Generated-by-Strata'),
    keypair.public_key,
  )
  assert.equal((await small.call('GET', `${path}/made`, { as: ann })).json.keypair.private_key, undefined)
  const since292 = await make({ name: 'made2' }, 92)
  assert.equal(since292.status, 400)
  assert.match(since292.json.badRequest.message, /public_key/)
  assert.equal((await small.call('DELETE', `${path}/made`, { as: ann })).status, 202)
})

test('bad input names the field', async () => {
  const cases: [object, number, RegExp][] = [
    [{ public_key: key }, 1, /name/],
    [{ name: 'a/b', public_key: key }, 1, /name/],
    [{ name: ' a', public_key: key }, 1, /name/],
    [{ name: 'a@b', public_key: key }, 91, /name/],
    [{ name: 'a', public_key: 'ssh-rsa nonsense' }, 1, /public_key/],
    [{ name: 'a', public_key: '' }, 1, /public_key/],
    [{ name: 'a', public_key: key, type: 'ssh' }, 1, /type/],
    [{ name: 'a', public_key: key, type: 'pgp' }, 2, /type/],
    [{ name: 'a', public_key: key, user_id: 'u' }, 9, /user_id/],
    [{ name: 'a', public_key: certificate, type: 'x509' }, 2, /certificate/],
    [{ name: 'a', type: 'x509' }, 2, /public_key/],
  ]
  for (const [keypair, at, message] of cases) {
    const answer = await make(keypair, at)
    assert.equal(answer.status, 400, JSON.stringify(keypair))
    assert.match(answer.json.badRequest.message, message)
  }
  assert.equal((await small.call('GET', `${path}?limit=x`, { at: 35 })).status, 400)
  assert.equal((await small.call('GET', `${path}?marker=x`, { at: 35 })).status, 400)
  assert.equal((await small.call('GET', `${path}?colour=x`, { at: 75 })).status, 400)
})

test('names with a dot and an at sign are taken since 2.92', async () => {
  assert.equal((await make({ name: 'bob@b.c', public_key: key }, 92, bob)).status, 201)
  assert.equal((await small.call('DELETE', `${path}/bob@b.c`, { as: bob, at: 92 })).status, 204)
})

test('lists are paged since 2.35, and a user may have so many', async () => {
  for (const name of ['c', 'a', 'b']) assert.equal((await make({ name, public_key: key }, 2)).status, 201)
  const fourth = await make({ name: 'd', public_key: key }, 2)
  assert.equal(fourth.status, 403)
  assert.match(fourth.json.forbidden.message, /Quota exceeded, too many key pairs/)
  const names = async (query: string, at: number) =>
    (await small.call('GET', `${path}${query}`, { as: ann, at })).json.keypairs.map(
      (one: { keypair: { name: string } }) => one.keypair.name,
    )
  assert.deepEqual(await names('?limit=1', 34), ['a', 'b', 'c'])
  assert.deepEqual(await names('?limit=1&marker=a', 35), ['b'])
  const first = await small.call('GET', `${path}?limit=2`, { as: ann, at: 35 })
  assert.match(first.json.keypairs_links[0].href, /marker=b/)
  assert.deepEqual(Object.keys(first.json.keypairs[0].keypair), ['name', 'public_key', 'fingerprint', 'type'])
})

test("another user's key pairs are for administrators, since 2.10", async () => {
  const ofAnn = `user_id=${idOf('ann')}`
  const count = async (as: string, at: number) =>
    (await small.call('GET', `${path}?${ofAnn}`, { as, at })).json.keypairs?.length
  assert.equal(await count(admin, 10), 3)
  assert.equal(await count(admin, 9), 0)
  assert.equal((await small.call('GET', `${path}?${ofAnn}`, { as: bob, at: 10 })).status, 403)
  assert.equal((await small.call('GET', `${path}/a?${ofAnn}`, { as: bob, at: 10 })).status, 403)
  assert.equal((await small.call('DELETE', `${path}/a?${ofAnn}`, { as: bob, at: 10 })).status, 403)
  assert.equal((await make({ name: 'x', public_key: key, user_id: idOf('ann') }, 10, bob)).status, 403)
  assert.equal((await small.call('GET', `${path}/a`, { as: bob })).status, 404)
  assert.equal((await small.call('GET', `${path}/a?${ofAnn}`, { as: admin, at: 10 })).status, 200)
  assert.equal((await small.call('DELETE', `${path}/a?${ofAnn}`, { as: admin, at: 10 })).status, 204)
  assert.equal((await make({ name: 'a', public_key: key, user_id: idOf('ann') }, 10, admin)).status, 201)
})
