/** Data over real sockets: large, cut off, lying, concurrent, and after a process was killed. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { loadConfig } from '@strata/toolkit/config'
import { createServer, mount, type ServiceEnvironment, type ServiceInstance } from '@strata/toolkit/service'
import { persona, testEnvironment, until } from '@strata/toolkit/testing'
import { imageConfig } from '../contract/config.ts'
import { createFileStore } from '../drivers/file/index.ts'
import type { ImageStore } from '../logic/ports.ts'
import { image } from '../service.ts'

const MIB = 1024 * 1024
const OCTETS = { 'content-type': 'application/octet-stream' }
const alpha = persona({ project: 'alpha' })

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly data: Buffer
  // biome-ignore lint/suspicious/noExplicitAny: bodies of any shape
  readonly json: any
}

/** A service that listens, on an environment that may be used again after it. */
async function listen(environment: ServiceEnvironment, blobs?: ImageStore) {
  const instance: ServiceInstance = await image.build(environment, { blobs })
  const server = createServer()
  await mount({ server, service: instance, ...environment, identityUrl: () => 'http://localhost/identity' })
  await server.listen({ port: 0, host: '127.0.0.1' })
  await instance.start?.()
  const { port } = server.server.address() as AddressInfo
  const agent = new Agent({ keepAlive: false })
  const open = (method: string, path: string, headers: Record<string, string> = {}): ClientRequest =>
    httpRequest({
      host: '127.0.0.1',
      port,
      agent,
      method,
      path: `/image${path}`,
      headers: { 'x-auth-token': alpha, ...headers },
    })
  const call = async (
    method: string,
    path: string,
    body?: Readable | string | object,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const json = body !== undefined && typeof body !== 'string' && !(body instanceof Readable)
    const request = open(method, path, { ...(json ? { 'content-type': 'application/json' } : {}), ...headers })
    const answered = once(request, 'response')
    if (body instanceof Readable) body.pipe(request)
    else request.end(json ? JSON.stringify(body) : body)
    return read((await answered)[0] as IncomingMessage)
  }
  return {
    instance,
    open,
    call,
    async create(body: object = {}): Promise<string> {
      const answer = await call('POST', '/v2/images', { disk_format: 'raw', container_format: 'bare', ...body })
      assert.equal(answer.status, 201, answer.data.toString())
      return answer.json.id
    },
    show: async (id: string) => (await call('GET', `/v2/images/${id}`)).json,
    async close() {
      await server.close()
      await instance.stop()
    },
  }
}

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const data = Buffer.concat(chunks)
  const text = data.length < MIB ? data.toString() : ''
  return {
    status: response.statusCode!,
    headers: response.headers,
    data,
    json: text.startsWith('{') ? JSON.parse(text) : undefined,
  }
}

const environmentWith = (options: object = {}) =>
  testEnvironment({
    config: loadConfig({ known: [imageConfig], overrides: { image: { file_store_reserve: 0, ...options } } }),
  })

/** A body of `size` bytes, and what it is in the end. */
function generated(size: number) {
  const chunk = Buffer.alloc(64 * 1024, 'strata image data ')
  const hash = createHash('md5')
  const body = Readable.from(
    (function* () {
      for (let left = size; left > 0; left -= chunk.length) {
        const part = chunk.subarray(0, Math.min(left, chunk.length))
        hash.update(part)
        yield part
      }
    })(),
  )
  return { body, md5: () => hash.digest('hex') }
}

describe('data on files', () => {
  const { environment, clean } = environmentWith({ max_image_size: 8 * MIB })
  const folder = join(environment.stateDir('image'), 'images')
  let service: Awaited<ReturnType<typeof listen>>
  before(async () => {
    service = await listen(environment)
  })
  after(async () => {
    await service.close()
    clean()
  })
  const files = () => readdirSync(folder)
  const queuedAgain = async (id: string, before: readonly string[]) => {
    const shown = await until('the image is queued again', async () => {
      const found = await service.show(id)
      return found.status === 'queued' && found
    })
    assert.equal(shown.size, null)
    await until('nothing of the data is left', () => files().length === before.length)
    assert.equal((await service.call('GET', `/v2/images/${id}/file`)).status, 204)
  }

  test('what goes up comes down, whole or in part', async () => {
    const id = await service.create()
    const { body, md5 } = generated(3 * MIB + 17)
    assert.equal((await service.call('PUT', `/v2/images/${id}/file`, body, OCTETS)).status, 204)
    const shown = await service.show(id)
    assert.equal(shown.status, 'active')
    assert.equal(shown.size, 3 * MIB + 17)
    assert.equal(shown.checksum, md5())
    const whole = await service.call('GET', `/v2/images/${id}/file`)
    assert.equal(whole.status, 200)
    assert.equal(whole.headers['content-length'], String(3 * MIB + 17))
    assert.equal(whole.headers['content-md5'], shown.checksum)
    assert.equal(createHash('sha512').update(whole.data).digest('hex'), shown.os_hash_value)
    const part = await service.call('GET', `/v2/images/${id}/file`, undefined, { range: 'bytes=5-9' })
    assert.equal(part.status, 206)
    assert.equal(part.headers['content-range'], `bytes 5-9/${3 * MIB + 17}`)
    assert.deepEqual(part.data, whole.data.subarray(5, 10))
    assert.equal(
      (await service.call('GET', `/v2/images/${id}/file`, undefined, { range: 'bytes=9999999-' })).status,
      416,
    )
    assert.equal((await service.call('PUT', `/v2/images/${id}/file`, 'again', OCTETS)).status, 409)
  })

  test('a sender that goes away leaves no half image', async () => {
    const id = await service.create()
    const before = files()
    for (const headers of [OCTETS, { ...OCTETS, 'content-length': '500000' }]) {
      const request = service.open('PUT', `/v2/images/${id}/file`, headers)
      request.on('error', () => {})
      request.write(Buffer.alloc(100_000))
      await until('it is being saved', async () => (await service.show(id)).status === 'saving')
      assert.equal((await service.call('GET', `/v2/images/${id}/file`)).status, 204)
      request.destroy()
      await queuedAgain(id, before)
    }
    assert.equal((await service.call('PUT', `/v2/images/${id}/file`, 'whole', OCTETS)).status, 204)
    assert.equal((await service.show(id)).status, 'active')
  })

  test('one upload at a time', async () => {
    const id = await service.create()
    const request = service.open('PUT', `/v2/images/${id}/file`, OCTETS)
    const answered = once(request, 'response')
    request.write('first ')
    await until('it is being saved', async () => (await service.show(id)).status === 'saving')
    const second = await service.call('PUT', `/v2/images/${id}/file`, 'second', OCTETS)
    assert.equal(second.status, 409)
    assert.match(second.json.message, /Image status transition from saving to saving is not allowed/)
    assert.equal((await service.call('PUT', `/v2/images/${id}/stage`, 'third', OCTETS)).status, 409)
    request.end('and only')
    assert.equal((await read((await answered)[0] as IncomingMessage)).status, 204)
    assert.equal((await service.call('GET', `/v2/images/${id}/file`)).data.toString(), 'first and only')
  })

  test('an image that is deleted in mid-upload takes its data along, and the sender hears of it', async () => {
    const id = await service.create()
    const before = files()
    const request = service.open('PUT', `/v2/images/${id}/file`, OCTETS)
    const answered = once(request, 'response')
    request.write('some')
    await until('it is being saved', async () => (await service.show(id)).status === 'saving')
    assert.equal((await service.call('DELETE', `/v2/images/${id}`)).status, 204)
    request.end('more')
    assert.equal((await read((await answered)[0] as IncomingMessage)).status, 410)
    assert.deepEqual(files(), before)
  })

  test('a lie is refused with its reason, even when more of it is still to come', async () => {
    const id = await service.create({ disk_format: 'qcow2' })
    const before = files()
    const refused = await service.call('PUT', `/v2/images/${id}/file`, generated(2 * MIB).body, OCTETS)
    assert.equal(refused.status, 415)
    assert.match(refused.json.message, /disk_format is qcow2, the content is of no known format/)
    await queuedAgain(id, before)
    const backed = Buffer.alloc(1000)
    backed.set(Buffer.from('514649fb000000030000000000000100', 'hex'))
    const unsafe = await service.call('PUT', `/v2/images/${id}/file`, Readable.from([backed]), OCTETS)
    assert.equal(unsafe.status, 415)
    assert.match(unsafe.json.message, /the qcow2 file has a backing file/)
    await queuedAgain(id, before)
  })

  test('more than the limit is refused: before it is read when its size is known, else as soon as it is past', async () => {
    const id = await service.create()
    const before = files()
    const announced = service.open('PUT', `/v2/images/${id}/file`, { ...OCTETS, 'content-length': String(9 * MIB) })
    announced.on('error', () => {})
    const answered = once(announced, 'response')
    announced.flushHeaders()
    assert.equal((await read((await answered)[0] as IncomingMessage)).status, 413)
    announced.destroy()
    const chunked = await service.call('PUT', `/v2/images/${id}/file`, generated(9 * MIB).body, OCTETS)
    assert.equal(chunked.status, 413)
    assert.match(chunked.json.message, /the limit is 8388608 bytes/)
    await queuedAgain(id, before)
  })

  test('a size that was announced must be the size of the data', async () => {
    const id = await service.create()
    const send = (size: string) =>
      service.call('PUT', `/v2/images/${id}/file`, generated(100).body, { ...OCTETS, 'x-openstack-image-size': size })
    const refused = await send('99')
    assert.equal(refused.status, 400)
    assert.match(refused.json.message, /The size of the data is 100 bytes, not 99/)
    assert.equal((await send('many')).status, 400)
    assert.equal((await send('100')).status, 204)
  })

  test('what is announced otherwise than as octets is refused', async () => {
    const id = await service.create()
    for (const type of ['text/plain', 'application/json', 'multipart/form-data; boundary=x'])
      assert.equal(
        (await service.call('PUT', `/v2/images/${id}/file`, '"x"', { 'content-type': type })).status,
        415,
        type,
      )
    assert.equal((await service.show(id)).status, 'queued')
  })

  test('formats must be set before the data come', async () => {
    const id = await service.create({ disk_format: null, container_format: null })
    const refused = await service.call('PUT', `/v2/images/${id}/file`, 'x', OCTETS)
    assert.equal(refused.status, 400)
    assert.match(refused.json.message, /Properties disk_format, container_format must be set prior to saving data/)
  })

  test('an empty raw image is an image', async () => {
    const id = await service.create()
    assert.equal(
      (await service.call('PUT', `/v2/images/${id}/file`, '', { ...OCTETS, 'content-length': '0' })).status,
      204,
    )
    assert.equal((await service.show(id)).size, 0)
    const empty = await service.call('GET', `/v2/images/${id}/file`)
    assert.equal(empty.status, 200)
    assert.equal(empty.data.length, 0)
  })

  test('reading goes on while the image is deleted', async () => {
    const id = await service.create()
    await service.call('PUT', `/v2/images/${id}/file`, generated(6 * MIB).body, OCTETS)
    const request = service.open('GET', `/v2/images/${id}/file`)
    request.end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.pause()
    assert.equal((await service.call('DELETE', `/v2/images/${id}`)).status, 204)
    assert.equal((await service.call('GET', `/v2/images/${id}/file`)).status, 404)
    assert.equal((await read(response)).data.length, 6 * MIB)
  })

  test('what was staged can be imported, and its task tells so', async () => {
    const id = await service.create()
    const begin = () => service.call('POST', `/v2/images/${id}/import`, { method: { name: 'glance-direct' } })
    assert.equal((await begin()).status, 409)
    assert.equal((await service.call('PUT', `/v2/images/${id}/stage`, 'staged', OCTETS)).status, 204)
    assert.equal((await service.show(id)).status, 'uploading')
    assert.equal((await service.call('GET', `/v2/images/${id}/file`)).status, 204)
    assert.equal((await begin()).status, 202)
    await until('it is active', async () => (await service.show(id)).status === 'active')
    assert.equal((await service.call('GET', `/v2/images/${id}/file`)).data.toString(), 'staged')
    const { tasks } = (await service.call('GET', `/v2/images/${id}/tasks`)).json
    assert.deepEqual(
      tasks.map((task: { status: string; image_id: string }) => [task.status, task.image_id]),
      [['success', id]],
    )
    assert.equal((await begin()).status, 409)
  })

  test('an import of a lie fails, says why, and leaves nothing', async () => {
    const id = await service.create({ disk_format: 'vmdk' })
    const before = files()
    await service.call('PUT', `/v2/images/${id}/stage`, 'not a disk', OCTETS)
    await service.call('POST', `/v2/images/${id}/import`, { method: { name: 'glance-direct' } })
    await queuedAgain(id, before)
    const task = await until('the task has ended', async () => {
      const [found] = (await service.call('GET', `/v2/images/${id}/tasks`)).json.tasks
      return found.status === 'failure' && found
    })
    assert.match(task.message, /disk_format is vmdk/)
  })

  test('a process that is killed leaves nothing that the next one does not put right', async () => {
    const saving = await service.create()
    const staging = await service.create()
    const importing = await service.create()
    await service.call('PUT', `/v2/images/${importing}/stage`, 'import me', OCTETS)
    for (const [id, verb] of [
      [saving, 'file'],
      [staging, 'stage'],
    ]) {
      const request = service.open('PUT', `/v2/images/${id}/${verb}`, OCTETS)
      request.on('error', () => {})
      request.write('half')
      await until('it is under way', async () => (await service.show(id!)).status !== 'queued')
    }
    // A second process on the same state starts as after a crash of the first: nothing of it was closed or undone.
    writeFileSync(join(folder, '11111111-2222-4333-8444-555555555555.part'), 'left over')
    writeFileSync(join(folder, 'not-a-blob'), 'of somebody else')
    const next = await listen(environment)
    try {
      assert.equal((await next.show(saving)).status, 'queued')
      assert.equal((await next.show(staging)).status, 'queued')
      assert.deepEqual(
        files().filter(name => name.endsWith('.part')),
        [],
      )
      assert.ok(files().includes('not-a-blob'))
      assert.equal((await next.show(importing)).status, 'uploading')
      await next.call('POST', `/v2/images/${importing}/import`, { method: { name: 'glance-direct' } })
      await until('the import went on', async () => (await next.show(importing)).status === 'active')
      assert.equal((await next.call('PUT', `/v2/images/${saving}/file`, 'anew', OCTETS)).status, 204)
    } finally {
      await next.close()
    }
  })
})

test('an import that was cut off is carried on, and its late first process harms nothing', async () => {
  const { environment, clean } = environmentWith()
  const files = createFileStore({ folder: join(environment.stateDir('image'), 'images'), fsync: false, reserve: 0 })
  const { promise: never, reject: fail } = Promise.withResolvers<Readable>()
  const removed: string[] = []
  const hanging: ImageStore = { ...files, read: () => never, remove: async blob => void removed.push(blob) }
  const first = await listen(environment, hanging)
  const id = await first.create()
  await first.call('PUT', `/v2/images/${id}/stage`, 'import me', OCTETS)
  const begun = await first.call('POST', `/v2/images/${id}/import`, { method: { name: 'glance-direct' } })
  assert.equal(begun.status, 202)
  const second = await listen(environment, files)
  try {
    await until('it is active', async () => (await second.show(id)).status === 'active')
    const task = async () => (await second.call('GET', `/v2/images/${id}/tasks`)).json.tasks[0]
    assert.equal((await task()).status, 'success')
    fail(new Error('too late'))
    // What it would undo it does on the database that it also answers from.
    for (let turn = 0; turn < 5; turn++) assert.equal((await first.show(id)).status, 'active')
    assert.deepEqual(removed, [])
    assert.equal((await task()).status, 'success')
    assert.equal((await second.call('GET', `/v2/images/${id}/file`)).data.toString(), 'import me')
  } finally {
    await first.close()
    await second.close()
    clean()
  }
})

test('200 MiB go through without being held', async () => {
  const { environment, clean } = environmentWith()
  let bytes = 0
  const discarding: ImageStore = {
    id: 'nowhere',
    type: 'nowhere',
    description: 'Forgets what it is given',
    write: async () => ({
      write: async chunk => {
        bytes += chunk.length
      },
      commit: async () => {},
      abort: async () => {},
    }),
    read: async () => generated(200 * MIB).body,
    remove: async () => {},
    list: async () => [],
    problems: async () => [],
    details: () => ({}),
  }
  const service = await listen(environment, discarding)
  try {
    const id = await service.create()
    const start = process.memoryUsage().rss
    let peak = start
    const sampler = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss)
    }, 10)
    const { body, md5 } = generated(200 * MIB)
    assert.equal((await service.call('PUT', `/v2/images/${id}/file`, body, OCTETS)).status, 204)
    assert.equal(bytes, 200 * MIB)
    assert.equal((await service.show(id)).checksum, md5())
    const request = service.open('GET', `/v2/images/${id}/file`)
    request.end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    let back = 0
    for await (const chunk of response) back += chunk.length
    clearInterval(sampler)
    assert.equal(back, 200 * MIB)
    assert.ok(peak - start < 100 * MIB, `memory grew by ${Math.round((peak - start) / MIB)} MiB`)
  } finally {
    await service.close()
    clean()
  }
})

test('a sender that stalls is given up', async () => {
  let ticks: (() => void)[] = []
  let clock = 0
  const { environment, clean } = environmentWith({ upload_idle_seconds: 30 })
  const runtime = {
    ...environment.runtime,
    monotonic: () => clock,
    timer: (_ms: number, fn: () => void) => {
      ticks.push(fn)
      return () => {
        ticks = ticks.filter(one => one !== fn)
      }
    },
  }
  const service = await listen({ ...environment, runtime })
  try {
    const id = await service.create()
    const request = service.open('PUT', `/v2/images/${id}/file`, OCTETS)
    const failed = once(request, 'error')
    request.write('some')
    await until('it is being saved', async () => (await service.show(id)).status === 'saving')
    const tick = () => {
      const due = ticks
      ticks = []
      for (const fn of due) fn()
    }
    // One timer is the upload's, one the reconciler's.
    await until('the upload is watched', () => ticks.length === 2)
    clock = 29_000
    tick()
    await until('the lease was prolonged', () => ticks.length === 2)
    assert.equal((await service.show(id)).status, 'saving')
    clock = 31_000
    tick()
    await failed
    await until('the image is queued again', async () => (await service.show(id)).status === 'queued')
  } finally {
    await service.close()
    clean()
  }
})
