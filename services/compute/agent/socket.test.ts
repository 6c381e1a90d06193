import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { listenOnSocket } from './socket.ts'

const folder = mkdtempSync(join(tmpdir(), 'strata-socket-'))
after(() => rmSync(folder, { recursive: true }))

test('a socket answers in place of what an earlier process left, and is closed to strangers', async () => {
  const path = join(folder, 'metadata.sock')
  writeFileSync(path, '')
  const server = await listenOnSocket(path, 'no such group', (_, response) => response.end('yes'))
  const answer = await new Promise<string>((resolve, reject) => {
    get({ socketPath: path, path: '/' }, response => response.setEncoding('utf8').once('data', resolve)).once(
      'error',
      reject,
    )
  })
  assert.equal(answer, 'yes')
  assert.equal(statSync(path).mode & 0o007, 0)
  await server.close()
})
