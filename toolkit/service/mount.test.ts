import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { type Dialect, glance, keystone, neutron, nova, placement } from '../dialect/index.ts'
import { conflict } from '../fault/index.ts'
import { compilePolicy } from '../policy/index.ts'
import { persona, startService, type TestAnswer, type TestService, testEnvironment, until } from '../testing/index.ts'
import { createServer, defineService, mount, type Operation, operation, reply, type ServiceInstance } from './index.ts'

const nameSchema = { type: 'object', required: ['name'], properties: { name: { type: 'string' } } }
const range = { service: 'things', major: 2, min: 1, max: 30, legacyHeader: 'X-Things-Version' }

const operations: readonly Operation[] = [
  operation({ method: 'GET', path: '/', auth: 'none', handler: () => ({ root: true }) }),
  operation({ method: 'GET', path: '/things', handler: ({ minor, path, baseUrl }) => ({ minor, path, baseUrl }) }),
  operation({
    method: 'GET',
    path: '/things/:id',
    handler: ({ context, params }) => ({ id: params['id'], global: context.globalRequestId, own: context.requestId }),
  }),
  operation({ method: 'PUT', path: '/things/:id', body: nameSchema, handler: ({ body }) => body as object }),
  operation({ method: 'GET', path: '/mine', policy: 'admin', handler: () => ({}) }),
  operation({ method: 'GET', path: '/narrow', query: { additionalProperties: false }, handler: () => ({}) }),
  operation({ method: 'GET', path: '/taken', handler: () => Promise.reject(conflict('It is taken.', 'things.taken')) }),
  operation({ method: 'GET', path: '/defect', handler: () => Promise.reject(new Error('secret words of a defect')) }),
  operation({ method: 'GET', path: '/whoami', auth: 'optional', handler: ({ context }) => ({ user: context.userId }) }),
  operation({
    method: 'POST',
    path: '/action',
    action: 'stop',
    body: { type: 'object' },
    handler: () => ({ a: 'stop' }),
  }),
  operation({ method: 'POST', path: '/action', action: 'go', since: 5, handler: () => ({ a: 'go' }) }),
  operation({ method: 'GET', path: '/late', since: 10, handler: () => ({ late: true }) }),
  operation({
    method: 'PUT',
    path: '/data',
    stream: ['application/octet-stream'],
    handler: async ({ body }) => ({ unread: body instanceof Readable, size: (await text(body as Readable)).length }),
  }),
  operation({ method: 'GET', path: '/data', handler: () => reply(200, Readable.from(['ab', 'cd']), { etag: 'x' }) }),
  operation({ method: 'GET', path: '/text', handler: () => reply(203, 'plain', { 'content-type': 'text/plain' }) }),
  operation({ method: 'GET', path: '/bytes', handler: () => reply(200, new Uint8Array([104, 105])) }),
  operation({
    method: 'GET',
    path: '/broken',
    auth: 'none',
    handler: () => reply(200, 'x', { 'x-name': 'two\nlines' }),
  }),
  operation({ method: 'POST', path: '/nothing', handler: () => undefined }),
  operation({ method: 'POST', path: '/accepted', handler: () => reply(202) }),
  operation({ method: 'POST', path: '/form/:id', form: true, handler: ({ body }) => body as object }),
  operation({ method: 'POST', path: '/made', status: 201, handler: () => ({ made: true }) }),
]

const things = (dialect: Dialect) =>
  defineService<void>({
    type: 'things',
    config: [],
    build: async (): Promise<ServiceInstance> => ({
      type: 'things',
      dialect,
      policy: compilePolicy([{ name: 'admin', check: 'role:admin' }]),
      operations,
      microversions: range,
      requestIdHeader: 'x-things-request-id',
      stop: async () => {},
    }),
  })

/** Requests seen by the metric, by `METHOD status`, and the sum of their seconds. */
async function measured(service: TestService): Promise<{ counts: Record<string, number>; sum: number }> {
  const metric = service.environment.metrics.registry.getSingleMetric('strata_http_request_duration_seconds')!
  const counts: Record<string, number> = {}
  let sum = 0
  for (const { labels, value, metricName } of (await metric.get()).values as {
    labels: Record<string, string>
    value: number
    metricName: string
  }[]) {
    if (metricName?.endsWith('_count')) counts[`${labels['method']} ${labels['status']}`] = value
    if (metricName?.endsWith('_sum')) sum += value
  }
  return { counts, sum }
}

describe('error bodies', () => {
  /** Where each family keeps status and words. */
  const families: [Dialect, (answer: TestAnswer) => [unknown, unknown]][] = [
    [keystone, ({ json }) => [json.error.code, json.error.message]],
    [neutron, ({ json, status }) => [status, json.NeutronError.message]],
    [
      nova,
      ({ json }) =>
        Object.values(json as Record<string, { code: number; message: string }>).map(v => [v.code, v.message])[0] as [
          number,
          string,
        ],
    ],
    [glance, ({ json, status }) => [status, json.message]],
    [placement, ({ json }) => [json.errors[0].status, json.errors[0].detail]],
  ]
  for (const [dialect, read] of families)
    test(`of ${dialect.name}`, async () => {
      const service = await startService(things(dialect), undefined)
      try {
        const octets = { 'content-type': 'text/plain' }
        const cases: [number, RegExp, Promise<TestAnswer>][] = [
          [400, /name is required/, service.request('PUT', '/things/1', { body: {} })],
          [
            400,
            /not valid JSON/,
            service.request('PUT', '/things/1', { body: '{', headers: { 'content-type': 'application/json' } }),
          ],
          [400, /colour is not allowed|colour: is not allowed/, service.request('GET', '/narrow?colour=red')],
          [403, /Policy doesn't allow admin/, service.request('GET', '/mine')],
          [404, /could not be found/, service.request('GET', '/nowhere')],
          [404, /could not be found/, service.request('GET', '/late')],
          [405, /not allowed for this resource/, service.request('DELETE', '/things')],
          [
            406,
            /Version 2.99 is not supported/,
            service.request('GET', '/things', { headers: { 'openstack-api-version': 'things 2.99' } }),
          ],
          [409, /It is taken/, service.request('GET', '/taken')],
          [413, /too large/, service.request('PUT', '/things/1', { body: { name: 'x'.repeat(200_000) } })],
          [
            415,
            /Unsupported Content-Type: text\/plain/,
            service.request('PUT', '/things/1', { body: 'no json', headers: octets }),
          ],
          [500, /unexpected error/, service.request('GET', '/defect')],
        ]
        for (const [status, words, asked] of cases) {
          const answer = await asked
          const [shown, message] = read(answer)
          assert.equal(answer.status, status, String(words))
          assert.equal(shown, status)
          assert.match(String(message), words)
          assert.doesNotMatch(answer.text, /secret words/)
          assert.match(String(answer.headers['x-openstack-request-id']), /^req-[0-9a-f-]{36}$/)
          assert.match(String(answer.headers['vary']), /OpenStack-API-Version, X-Things-Version/)
          if (status !== 406) assert.equal(answer.headers['openstack-api-version'], 'things 2.1')
        }
        const nobody = await service.request('GET', '/things', { as: '' })
        assert.deepEqual([nobody.status, nobody.json.error.code], [401, 401])
        assert.equal(nobody.headers['www-authenticate'], 'Keystone uri="http://localhost/identity"')
      } finally {
        await service.close()
      }
    })

  test("placement's codes are shown from 1.23 on", async () => {
    const service = await startService(things(placement), undefined)
    const codeAt = async (minor: number) =>
      (await service.request('GET', '/taken', { headers: { 'openstack-api-version': `things 2.${minor}` } })).json
        .errors[0].code
    assert.deepEqual([await codeAt(22), await codeAt(23)], [undefined, 'things.taken'])
    await service.close()
  })
})

describe('the pipeline', () => {
  let service: TestService
  before(async () => {
    service = await startService(things(nova), undefined)
  })
  after(() => service.close())
  const get = (path: string, headers: Record<string, string> = {}) => service.request('GET', path, { headers })

  test('each request has an id of its own, told twice, and passes a well-formed global one on', async () => {
    const global = 'req-11111111-2222-3333-4444-555555555555'
    const { headers, json } = await get('/things/1', { 'x-openstack-request-id': global })
    assert.equal(json.own, headers['x-openstack-request-id'])
    assert.equal(json.own, headers['x-things-request-id'])
    assert.equal(json.global, global)
    assert.notEqual((await get('/things/1')).json.own, json.own)
    assert.equal((await get('/things/1', { 'x-openstack-request-id': 'req-<script>' })).json.global, undefined)
  })

  test('paths and links are told below the root, a slash at the end counts for nothing', async () => {
    const { json } = await get('/things/?a=b')
    assert.equal(json.path, '/things/')
    assert.match(json.baseUrl, /^http:\/\/[^/]+\/things$/)
    assert.equal((await get('')).json.root, true)
    assert.equal((await service.request('DELETE', '/things')).headers['allow'], 'GET')
  })

  test('after the slash stands an empty id, and there is no such thing', async () => {
    assert.equal((await service.request('DELETE', '/things/')).status, 404)
  })

  test('a token is needed unless the operation says otherwise, and one that is sent must be valid', async () => {
    assert.equal((await service.request('GET', '/', { as: 'forged' })).status, 200)
    assert.equal((await service.request('GET', '/whoami', { as: '' })).json.user, '')
    assert.equal((await service.request('GET', '/whoami', { as: 'forged' })).status, 401)
    assert.equal((await service.request('GET', '/mine', { as: persona({ roles: ['admin'] }) })).status, 200)
  })

  test('microversions: the least unless asked for, `latest`, the older header, and malformed ones', async () => {
    const minorFor = async (headers: Record<string, string>) => (await get('/things', headers)).json.minor
    assert.equal(await minorFor({}), 1)
    assert.equal(await minorFor({ 'openstack-api-version': 'things 2.7' }), 7)
    assert.equal(await minorFor({ 'openstack-api-version': 'other 1.1, things latest' }), 30)
    assert.equal(await minorFor({ 'openstack-api-version': 'other 2.7' }), 1)
    assert.equal(await minorFor({ 'x-things-version': '2.9' }), 9)
    assert.equal((await get('/things', { 'openstack-api-version': 'things 2.7' })).headers['x-things-version'], '2.7')
    for (const [version, status] of [
      ['x', 400],
      ['2', 400],
      ['2.0', 406],
      ['3.1', 406],
      ['2.31', 406],
    ] as const)
      assert.equal((await get('/things', { 'openstack-api-version': `things ${version}` })).status, status, version)
    assert.equal((await get('/late', { 'openstack-api-version': 'things 2.10' })).json.late, true)
  })

  test('an action is told by the sole member of the body, in the versions that have it', async () => {
    const act = (body: unknown, minor = 30) =>
      service.request('POST', '/action', { body, headers: { 'openstack-api-version': `things 2.${minor}` } })
    assert.equal((await act({ stop: null })).json.a, 'stop')
    assert.equal((await act({ go: {} })).json.a, 'go')
    assert.match((await act({ go: {} }, 4)).json.badRequest.message, /no such action: go/)
    for (const body of [{}, [], 5, undefined]) assert.equal((await act(body)).status, 400, JSON.stringify(body))
  })

  test('a body that is missing is a 400, under whatever name', async () => {
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded', '']) {
      const answer = await service.request('PUT', '/things/1', { headers: type ? { 'content-type': type } : {} })
      assert.deepEqual([answer.status, answer.json.badRequest?.code], [400, 400], type)
    }
    assert.equal(
      (await service.request('PUT', '/things/1', { body: 'null', headers: { 'content-type': 'application/json' } }))
        .status,
      400,
    )
  })

  test('a form is read where an operation takes one, and nowhere else', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
    const body = 'RelayState=a%20b&x=%2B&__proto__=1'
    assert.deepEqual(JSON.parse((await service.request('POST', '/form/1', { body, headers })).text), {
      RelayState: 'a b',
      x: '+',
      ['__proto__']: '1',
    })
    assert.equal((await service.request('POST', '/made', { body, headers })).status, 415)
  })

  test('JSON is read under any name, but not as a stream that another operation takes', async () => {
    const put = (type: string) =>
      service.request('PUT', '/things/1', { body: '{"name":"a"}', headers: { 'content-type': type } })
    assert.equal((await put('text/plain')).json.name, 'a')
    assert.equal((await put('application/openstack-images-v2.1-json-patch')).json.name, 'a')
    assert.equal((await put('application/octet-stream')).status, 415)
  })

  test('no member of a body is named __proto__, however it is spelt', async () => {
    const put = (body: string) =>
      service.request('PUT', '/things/1', { body, headers: { 'content-type': 'application/json' } })
    for (const body of ['{"name":"a","__proto__":{}}', '{"name":"a","x":[{"\\u005f_proto__":1}]}'])
      assert.match((await put(body)).json.badRequest.message, /__proto__/)
    assert.equal((await put('{"name":"__proto__"}')).json.name, '__proto__')
  })

  test('streams are handed on unread, whatever their size', async () => {
    const sent = await service.request('PUT', '/data', {
      body: 'x'.repeat(300_000),
      headers: { 'content-type': 'application/octet-stream' },
    })
    assert.deepEqual(sent.json, { unread: true, size: 300_000 })
  })

  test('handlers answer with objects, text, bytes, streams, statuses and nothing', async () => {
    const seen = async (method: string, path: string) => {
      const { status, headers, text } = await service.request(method, path)
      return [status, headers['content-type'], text]
    }
    assert.deepEqual(await seen('GET', '/data'), [200, 'application/octet-stream', 'abcd'])
    assert.equal((await get('/data')).headers['etag'], 'x')
    assert.deepEqual(await seen('GET', '/text'), [203, 'text/plain', 'plain'])
    assert.deepEqual(await seen('GET', '/bytes'), [200, 'application/octet-stream', 'hi'])
    assert.deepEqual(await seen('POST', '/nothing'), [204, undefined, ''])
    assert.deepEqual(await seen('POST', '/accepted'), [202, undefined, ''])
    assert.deepEqual(await seen('POST', '/made'), [201, 'application/json', '{"made":true}'])
  })

  test('a header that HTTP cannot carry is a failure that is answered', async () => {
    const { status, headers } = await get('/broken')
    assert.deepEqual([status, headers['x-name']], [500, undefined])
  })

  test('HEAD is GET without a body, also when it fails', async () => {
    const fine = await service.request('HEAD', '/text')
    assert.deepEqual([fine.status, fine.text], [203, ''])
    const refused = await service.request('HEAD', '/mine')
    assert.deepEqual([refused.status, refused.text], [403, ''])
    assert.ok(refused.headers['x-openstack-request-id'])
  })
})

test('each request is measured once, with its true duration, also those that failed', async () => {
  const slow = operation({
    method: 'GET',
    path: '/slow',
    async handler({ context }) {
      clock += 250
      if (context.roles.includes('admin')) throw conflict('slowly refused')
      return {}
    },
  })
  let clock = 0
  const environment = testEnvironment()
  const runtime = { ...environment.environment.runtime, monotonic: () => clock }
  const definition = defineService<void>({
    ...things(nova),
    build: async () => ({ ...(await things(nova).build(environment.environment, undefined)), operations: [slow] }),
  })
  const service = await startService(definition, undefined, { runtime })
  await service.request('GET', '/slow')
  await service.request('GET', '/slow', { as: persona({ roles: ['admin'] }) })
  await service.request('GET', '/slow', { as: 'forged' })
  await service.request('GET', '/nowhere')
  await until('all are counted', async () => Object.keys((await measured(service)).counts).length === 4)
  const { counts, sum } = await measured(service)
  assert.deepEqual(counts, { 'GET 200': 1, 'GET 409': 1, 'GET 401': 1, 'GET 404': 1 })
  assert.equal(sum, 0.5)
  await service.close()
  environment.clean()
})

describe('over a socket', () => {
  let port: number
  let service: TestService
  let gone: Promise<unknown>
  let close: () => Promise<void>
  before(async () => {
    service = await startService(things(keystone), undefined)
    const server = createServer()
    let entered = (_: unknown) => {}
    gone = new Promise(resolve => {
      entered = resolve
    })
    const hang = operation({
      method: 'GET',
      path: '/hang',
      auth: 'none',
      handler: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            entered(signal.reason)
            reject(signal.reason)
          })
        }),
    })
    const instance = { ...service.instance, operations: [...operations, hang] }
    await mount({ ...service.environment, server, service: instance, identityUrl: () => 'http://x' })
    await server.listen({ host: '127.0.0.1', port: 0 })
    port = (server.server.address() as { port: number }).port
    close = () => server.close()
  })
  after(async () => {
    await close()
    await service.close()
  })

  test('an answer that cannot be written becomes one that can', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/things/broken`)
    assert.equal(answer.status, 500)
  })

  test('curl sees the 413 of a body that is far too large', async () => {
    const { environment, clean } = testEnvironment()
    const file = join(environment.stateDir('.'), 'big')
    writeFileSync(file, Buffer.alloc(30 << 20, 'x'))
    const url = `http://127.0.0.1:${port}/things/things/1`
    const common = ['-s', '-S', '-X', 'PUT', '-H', 'content-type: application/json', '-H', `x-auth-token: ${persona()}`]
    for (const how of [
      ['-T', file],
      ['--data-binary', `@${file}`],
      ['-H', 'transfer-encoding: chunked', '-T', file],
      ['-H', 'expect:', '-T', file],
    ]) {
      const { stdout } = await promisify(execFile)('curl', [...common, ...how, '-w', '%{http_code}', url])
      assert.match(stdout, /"code":413.*413$/, how.join(' '))
    }
    clean()
  })

  test('a sender that writes all before it reads has its 413, and the connection serves on', async () => {
    const socket = connect(port, '127.0.0.1')
    const heard: string[] = []
    socket.on('data', chunk => heard.push(String(chunk)))
    const size = 4 << 20
    socket.write(
      `PUT /things/things/1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${size}\r\n\r\n`,
    )
    await new Promise(resolve => socket.write(Buffer.alloc(size, 'x'), resolve))
    await until('the refusal is heard', () => /^HTTP\/1.1 413/.test(heard.join('')))
    socket.write('GET /things HTTP/1.1\r\nhost: x\r\n\r\n')
    await until('the next request is answered', () => heard.join('').includes('{"root":true}'))
    socket.destroy()
  })

  test('a caller that asks for the connection to be closed is told so with failures too', async () => {
    for (const [path, status] of [
      ['/things', 200],
      ['/things/nowhere/at/all', 404],
    ]) {
      const socket = connect(port, '127.0.0.1')
      const heard: string[] = []
      socket.on('data', chunk => heard.push(String(chunk)))
      const ended = new Promise(resolve => socket.once('end', resolve))
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
      await ended
      assert.match(heard.join(''), new RegExp(`^HTTP/1.1 ${status} .*\r\nconnection: close\r\n`, 'is'))
    }
  })

  test('a handler hears that its caller went away, and the request is counted', async () => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /things/hang HTTP/1.1\r\nhost: x\r\n\r\n'))
    socket.on('error', () => {})
    await until('the request is under way', async () => socket.bytesWritten > 0)
    const timer = setInterval(() => socket.destroy(), 20)
    assert.match(String(await gone), /the caller went away/)
    clearInterval(timer)
    await until('it is counted', async () => (await measured(service)).counts['GET 499'] === 1)
  })
})
