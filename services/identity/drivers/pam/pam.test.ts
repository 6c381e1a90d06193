import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Fault } from '@strata/toolkit/fault'
import { directoryContract } from '../directory-contract.ts'
import { pamDriver } from './index.ts'
import { askSaslauthd } from './saslauthd.ts'
import { noPam, startPam } from './test-pam.ts'

directoryContract('PAM', {
  skip: noPam,
  async make() {
    const host = await startPam()
    const { socket, service, user, password, group } = host
    return {
      directory: pamDriver({ socket, service, minimum_uid: 1000 })({}, { domainId: 'd' }),
      user: { id: user, name: user, password },
      group: { id: group, name: group },
      writable: false,
      end: host.close,
    }
  },
})

describe('saslauthd', () => {
  /** One that answers so to whatever it is asked. */
  const answering = async <T>(answer: Buffer, ask: (socket: string) => Promise<T>) => {
    const folder = mkdtempSync(join(tmpdir(), 'strata-sasl-'))
    const socket = join(folder, 'mux')
    const asked: Buffer[] = []
    const server = createServer(one => {
      one.on('data', chunk => {
        asked.push(chunk)
        one.end(answer)
      })
    })
    await new Promise<void>(resolve => server.listen(socket, resolve))
    try {
      return { result: await ask(socket), asked: Buffer.concat(asked) }
    } finally {
      server.close()
      rmSync(folder, { recursive: true, force: true })
    }
  }
  const said = (text: string) => Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)])
  const about = { service: 'strata', name: 'ann', password: 'pw' }

  test('is asked with name, password, service and realm, and believed for OK alone', async () => {
    const yes = await answering(said('OK Success'), socket => askSaslauthd({ socket, ...about }))
    assert.equal(yes.result, true)
    assert.equal(yes.asked.toString('latin1'), '\0\x03ann\0\x02pw\0\x06strata\0\0')
    assert.equal((await answering(said('NO'), socket => askSaslauthd({ socket, ...about }))).result, false)
    for (const answer of [said('what'), Buffer.from([0, 9, 79, 75]), Buffer.alloc(0)])
      await assert.rejects(() => answering(answer, socket => askSaslauthd({ socket, ...about })))
  })

  test('is not asked what does not fit its words', async () => {
    const socket = '/nonexistent/mux'
    assert.equal(await askSaslauthd({ socket, ...about, password: 'x'.repeat(256) }), false)
    assert.equal(await askSaslauthd({ socket, ...about, name: 'a\0b' }), false)
    await assert.rejects(() => askSaslauthd({ socket, ...about }))
  })

  test('that is away makes the directory one that does not answer', async () => {
    const directory = pamDriver({ socket: '/nonexistent/mux', service: 'x', minimum_uid: 1000 })({}, { domainId: 'd' })
    await assert.rejects(
      () => directory.authenticate({ name: 'ann' }, 'pw'),
      (thrown: unknown) => thrown instanceof Fault && thrown.status === 503,
    )
  })
})

test('accounts of the system are neither seen nor let in', async () => {
  const directory = pamDriver({ socket: '/nonexistent/mux', service: 'x', minimum_uid: 1000 })({}, { domainId: 'd' })
  for (const name of ['root', 'daemon', 'nobody']) assert.equal(await directory.findUser(name), undefined)
  assert.equal(await directory.findGroup('root'), undefined)
  const users = await directory.listUsers({ names: [], limit: 1000 })
  assert.ok(users.every(one => one.name !== 'root'))
})
