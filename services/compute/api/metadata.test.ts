import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { silentLog } from '@strata/toolkit/log'
import { systemRuntime } from '@strata/toolkit/runtime'
import type { MetadataSubject } from '../logic/rules/metadata.ts'
import { createMetadataHandler } from './metadata.ts'

const subject: MetadataSubject = {
  id: 's-1',
  name: 'vm',
  hostname: 'vm',
  projectId: 'p1',
  availabilityZone: 'nova',
  launchIndex: 0,
  reservationId: 'r-1',
  flavorName: 'm1.nano',
  imageId: null,
  seq: 1,
  metadata: {},
  nics: [],
}
const folder = mkdtempSync(join(tmpdir(), 'strata-metadata-'))
const socketPath = join(folder, 'metadata.sock')
const server = createServer(
  createMetadataHandler({
    findSubject: async ({ networkId, address }) => {
      if (networkId === 'broken') throw new Error('no database')
      return networkId === 'net-1' && address === '10.0.0.5' ? subject : undefined
    },
    runtime: systemRuntime,
    log: silentLog,
  }),
)
before(() => new Promise<void>(resolve => server.listen(socketPath, resolve)))
after(async () => {
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
  rmSync(folder, { recursive: true })
})

const guest = { 'x-ovn-network-id': 'net-1', 'x-forwarded-for': '10.0.0.5' }

function ask(path: string, headers: Record<string, string> = guest, method = 'GET') {
  return new Promise<{ status: number; type: string; body: string; allow?: string }>((resolve, reject) => {
    const sent = httpRequest({ socketPath, path, headers, method }, async answer => {
      let body = ''
      for await (const part of answer) body += part
      resolve({
        status: answer.statusCode!,
        type: answer.headers['content-type'] ?? '',
        body,
        allow: answer.headers.allow,
      })
    })
    sent.on('error', reject)
    sent.end(method === 'POST' ? 'secret' : undefined)
  })
}

test('a guest reads its own metadata, with the same seed each time', async () => {
  const first = await ask('/openstack/latest/meta_data.json')
  assert.equal(first.status, 200)
  assert.match(first.type, /^application\/json/)
  assert.equal(JSON.parse(first.body).uuid, 's-1')
  assert.equal(Buffer.from(JSON.parse(first.body).random_seed, 'base64').length, 512)
  assert.equal((await ask('/openstack/latest/meta_data.json')).body, first.body)
  const id = await ask('/latest/meta-data/instance-id')
  assert.match(id.type, /^text\/plain/)
  assert.equal(id.body, 'i-00000001')
  assert.equal((await ask('/latest/meta-data/instance-id', guest, 'HEAD')).body, '')
})

test('who cannot be told apart is refused', async () => {
  assert.equal((await ask('/latest', { 'x-forwarded-for': '10.0.0.5' })).status, 400)
  assert.equal((await ask('/latest', { 'x-ovn-network-id': 'net-1' })).status, 400)
  assert.equal((await ask('/latest', { ...guest, 'x-forwarded-for': "10.0.0.5' or 1" })).status, 400)
  assert.equal((await ask('/latest', { ...guest, 'x-forwarded-for': '10.0.0.6' })).status, 404)
})

test('an address that a guest made up does not count, the one that the proxy saw does', async () => {
  assert.equal((await ask('/latest', { ...guest, 'x-forwarded-for': '10.0.0.5, 10.0.0.6' })).status, 404)
  assert.equal((await ask('/latest', { ...guest, 'x-forwarded-for': '10.0.0.6, 10.0.0.5' })).status, 200)
})

test('what is not there, or not to be done, is refused', async () => {
  assert.equal((await ask('/latest/user-data')).status, 404)
  assert.equal((await ask('/openstack/1999-01-01/meta_data.json')).status, 404)
  const put = await ask('/openstack/latest/meta_data.json', guest, 'DELETE')
  assert.equal(put.status, 405)
  assert.equal(put.allow, 'GET, HEAD')
  assert.equal((await ask('/openstack/latest/password', guest, 'POST')).status, 501)
})

test('a failure inside is told without its cause', async () => {
  const failed = await ask('/latest', { ...guest, 'x-ovn-network-id': 'broken' })
  assert.equal(failed.status, 500)
  assert.doesNotMatch(failed.body, /database/)
})
