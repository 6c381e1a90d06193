import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { connectQmp, connectUnix, QmpError, QmpGone } from './qmp.ts'

const folder = mkdtempSync(join(tmpdir(), 'qmp-'))
const servers: Server[] = []
after(() => {
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true })
})

type Request = { execute: string; id: number; arguments?: unknown }

/** A monitor that greets and answers each command as `answer` says; nothing when it returns undefined. */
async function monitor(
  answer: (request: Request, socket: Socket) => object | undefined,
  path = join(folder, `${servers.length}.sock`),
  greets = true,
) {
  const server = createServer(socket => {
    if (greets) socket.write('{"QMP": {"version": {}, "capabilities": []}}\r\n')
    let unread = ''
    socket.on('error', () => {})
    socket.on('data', data => {
      const lines = (unread + data).split('\n')
      unread = lines.pop()!
      for (const line of lines) {
        const request = JSON.parse(line) as Request
        const reply = request.execute === 'qmp_capabilities' ? { return: {} } : answer(request, socket)
        if (reply) socket.write(`${JSON.stringify({ id: request.id, ...reply })}\r\n`)
      }
    })
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(path, resolve))
  return path
}

describe('the QMP client', () => {
  it('matches replies that come out of order and in pieces', async () => {
    const held: (() => void)[] = []
    const path = await monitor(({ execute, id }, socket) => {
      const text = `${JSON.stringify({ id, return: { execute } })}\r\n`
      held.push(() => {
        socket.write(text.slice(0, 7))
        setImmediate(() => socket.write(text.slice(7)))
      })
      if (held.length === 2) {
        held[1]!()
        setTimeout(held[0]!, 20)
      }
      return undefined
    })
    const qmp = await connectQmp(path)
    assert.deepEqual(await Promise.all([qmp.execute('first'), qmp.execute('second')]), [
      { execute: 'first' },
      { execute: 'second' },
    ])
    qmp.close()
  })

  it('tells a refusal by its class and words', async () => {
    const qmp = await connectQmp(
      await monitor(() => ({ error: { class: 'DeviceNotFound', desc: 'Device x not found' } })),
    )
    await assert.rejects(qmp.execute('device_del', { id: 'x' }), error => {
      return (
        error instanceof QmpError &&
        error.reason === 'DeviceNotFound' &&
        error.message === 'device_del: Device x not found'
      )
    })
    qmp.close()
  })

  it('gives up on a command that is not answered, and goes on', async () => {
    const qmp = await connectQmp(await monitor(({ execute }) => (execute === 'hang' ? undefined : { return: 1 })))
    await assert.rejects(qmp.execute('hang', {}, 20), QmpGone)
    assert.equal(await qmp.execute('work'), 1)
    qmp.close()
  })

  it('passes on events, and waits for one', async () => {
    const path = await monitor((_, socket) => {
      socket.write(
        '{"event": "STOP"}\r\n{"event": "DEVICE_DELETED", "data": {"device": "a"}}\r\n{"event": "DEVICE_DELETED", "data": {"device": "b"}}\r\n',
      )
      return { return: {} }
    })
    const qmp = await connectQmp(path)
    const seen: string[] = []
    const stop = qmp.onEvent(({ event }) => seen.push(event))
    const deleted = qmp.until(({ data }) => data['device'] === 'b', 5000)
    await qmp.execute('go')
    assert.equal((await deleted).event, 'DEVICE_DELETED')
    assert.deepEqual(seen, ['STOP', 'DEVICE_DELETED', 'DEVICE_DELETED'])
    stop()
    await assert.rejects(
      qmp.until(() => false, 10),
      QmpGone,
    )
    await assert.rejects(
      qmp.until(() => true, 5000, AbortSignal.abort()),
      QmpGone,
    )
    await qmp.execute('go')
    assert.equal(seen.length, 3)
    qmp.close()
  })

  it('fails what is under way when the monitor goes away', async () => {
    const qmp = await connectQmp(await monitor((_, socket) => void socket.destroy()))
    const waiting = assert.rejects(
      qmp.until(() => true, 5000),
      QmpGone,
    )
    await assert.rejects(qmp.execute('die'), QmpGone)
    await Promise.all([qmp.closed, waiting])
    await assert.rejects(qmp.execute('again'), QmpGone)
  })

  it('says so when nobody greets, speaks nonsense or listens', async () => {
    const silent = await monitor(() => undefined, undefined, false)
    await assert.rejects(connectQmp(silent, 30), /no greeting/)
    await assert.rejects(connectQmp(join(folder, 'absent.sock')), QmpGone)
    const nonsense = createServer(socket => void socket.on('error', () => {}).end('hello\n')).listen(
      join(folder, 'nonsense.sock'),
    )
    servers.push(nonsense)
    await assert.rejects(connectQmp(join(folder, 'nonsense.sock'), 5000), QmpGone)
  })

  it('reaches a socket whose path is longer than the kernel takes', async () => {
    const path = join(folder, 'x'.repeat(60), 'y'.repeat(60), 'long.sock')
    mkdirSync(dirname(path), { recursive: true })
    const listening = createServer(socket => socket.end('hello'))
    servers.push(listening)
    const cwd = process.cwd()
    process.chdir(dirname(path))
    await new Promise<void>(resolve => listening.listen('long.sock', resolve))
    process.chdir(cwd)
    const text = await new Promise(resolve => connectUnix(path).setEncoding('utf8').once('data', resolve))
    assert.equal(text, 'hello')
  })
})
