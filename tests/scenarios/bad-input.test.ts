/**
 * Whatever is malformed, too large, of the wrong type, another's or in conflict is answered with the family's own error body
 * and code, by a message that names the field, and changes nothing.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually, startTestCloud, type TestCloud } from './cloud.ts'
import { type Answer, type Api, call, logIn } from './http.ts'

let cloud: TestCloud
let admin: Api
let demo: Api

interface Family {
  readonly name: string
  /** A list that creates by POST. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** What an error body of this family says; throws when it is none. */
  readonly message: (answer: Answer) => string
  /** A body whose one fault is the field's type. */
  readonly wrongType: { readonly body: object; readonly field: string }
  readonly rows: (json: Record<string, unknown[]>) => readonly unknown[]
}

const text = (value: unknown): string => {
  assert.equal(typeof value, 'string')
  return value as string
}

const families: readonly Family[] = [
  {
    name: 'identity',
    path: '/identity/v3/users',
    message({ status, json }) {
      assert.equal(json.error.code, status)
      assert.ok(text(json.error.title))
      return text(json.error.message)
    },
    wrongType: { body: { user: { name: 'x', enabled: 'perhaps' } }, field: 'enabled' },
    rows: json => json['users']!,
  },
  {
    name: 'image',
    path: '/image/v2/images',
    message: ({ json }) => text(json.message),
    wrongType: { body: { name: 'x', min_disk: 'large' }, field: 'min_disk' },
    rows: json => json['images']!,
  },
  {
    name: 'placement',
    path: '/placement/resource_providers',
    headers: { 'openstack-api-version': 'placement 1.39' },
    message({ status, json }) {
      assert.equal(json.errors[0].status, status)
      assert.match(json.errors[0].request_id, /^req-/)
      return text(json.errors[0].detail)
    },
    wrongType: { body: { name: 7 }, field: 'name' },
    rows: json => json['resource_providers']!,
  },
  {
    name: 'network',
    path: '/network/v2.0/networks',
    message({ json }) {
      assert.ok(text(json.NeutronError.type))
      return text(json.NeutronError.message)
    },
    wrongType: { body: { network: { name: 'x', admin_state_up: 'perhaps' } }, field: 'admin_state_up' },
    rows: json => json['networks']!,
  },
  {
    name: 'compute',
    path: '/compute/v2.1/servers',
    message({ status, json }) {
      const [name] = Object.keys(json)
      assert.ok(name && /^(badRequest|itemNotFound|unauthorized|conflictingRequest|overLimit|forbidden)$/.test(name))
      assert.equal(json[name].code, status)
      return text(json[name].message)
    },
    wrongType: {
      body: { server: { name: 'x', flavorRef: '42', imageRef: '', min_count: 'many' } },
      field: 'min_count',
    },
    rows: json => json['servers']!,
  },
]

describe('bad input', () => {
  before(async () => {
    cloud = await startTestCloud({ mode: 'simulated' })
    ;[admin, demo] = await Promise.all([logIn(cloud, 'strata'), logIn(cloud, 'strata-demo')])
  })
  after(() => cloud?.purge())

  for (const family of families) {
    const { name, path, headers = {}, message, wrongType, rows } = family
    const list = async () => rows((await admin.call('GET', path, { headers })).json).length

    test(`${name}: no token, a wrong one`, async () => {
      assert.equal((await call(`${cloud.url}${path}`, 'GET', { headers })).status, 401)
      const forged = { ...headers, 'x-auth-token': `gAAAA${'A'.repeat(180)}` }
      assert.equal((await call(`${cloud.url}${path}`, 'GET', { headers: forged })).status, 401)
    })

    test(`${name}: malformed, of the wrong type, unknown`, async () => {
      const before = await list()
      for (const body of ['{"a": ', 'nothing', '[]', '"text"', 'null', '{"__proto__": {"x": 1}}']) {
        const answer = await admin.call('POST', path, { body, headers })
        assert.equal(answer.status, 400, `${body}: ${answer.text}`)
        assert.ok(message(answer))
      }
      const answer = await admin.call('POST', path, { body: wrongType.body, headers })
      assert.equal(answer.status, 400, answer.text)
      assert.ok(message(answer).includes(wrongType.field), answer.text)
      const missing = await admin.call('GET', `${path}/00000000-0000-4000-8000-000000000000`, { headers })
      assert.equal(missing.status, 404)
      assert.ok(message(missing))
      assert.equal((await admin.call('GET', `${path}/%00%2e%2e%2f`, { headers })).status, 404)
      assert.equal(await list(), before)
    })

    test(`${name}: a body that is too large is refused before it is read`, async () => {
      const before = await list()
      const announced = await send(path, { ...headers, 'content-length': '1073741824' }, () => {})
      assert.match(announced, /^HTTP\/1\.1 413 /)
      // Nothing tells how long this one is: it is read up to the limit and not beyond.
      let sent = 0
      const piece = Buffer.alloc(65_536, ' ')
      const endless = await send(path, { ...headers, 'transfer-encoding': 'chunked' }, socket => {
        const more = () => {
          while (!socket.destroyed && sent < 256 * 2 ** 20) {
            sent += piece.length
            socket.write(`${piece.length.toString(16)}\r\n`)
            socket.write(piece)
            if (!socket.write('\r\n')) return socket.once('drain', more)
          }
          return
        }
        more()
      })
      assert.match(endless, /^HTTP\/1\.1 413 /)
      assert.ok(sent < 64 * 2 ** 20, `${sent} bytes were taken`)
      assert.equal(await list(), before)
    })
  }

  test("another project's things are not there", async () => {
    const network = (await admin.call('POST', '/network/v2.0/networks', { body: { network: { name: 'n' } } })).json
      .network
    const subnet = { network_id: network.id, ip_version: 4, cidr: '10.7.0.0/24' }
    const made = (await admin.call('POST', '/network/v2.0/subnets', { body: { subnet } })).json.subnet
    const image = (await admin.call('POST', '/image/v2/images', { body: diskOf('secret') })).json
    const server = await newServer(admin, network.id)
    for (const path of [
      `/network/v2.0/networks/${network.id}`,
      `/network/v2.0/subnets/${made.id}`,
      `/image/v2/images/${image.id}`,
      `/compute/v2.1/servers/${server}`,
    ])
      for (const method of ['GET', 'DELETE']) {
        const answer = await demo.call(method, path)
        assert.equal(answer.status, 404, `${method} ${path}: ${answer.text}`)
        assert.equal((await admin.call('GET', path)).status, 200)
      }
    const reboot = await demo.call('POST', `/compute/v2.1/servers/${server}/action`, {
      body: { reboot: { type: 'HARD' } },
    })
    assert.equal(reboot.status, 404)
    const port = { port: { network_id: network.id } }
    assert.equal((await demo.call('POST', '/network/v2.0/ports', { body: port })).status, 404)
    for (const path of ['/identity/v3/users', '/identity/v3/domains', '/placement/resource_providers'])
      assert.equal((await demo.call('GET', path)).status, 403, path)
    const flavor = { flavor: { name: 'mine', ram: 1, vcpus: 1, disk: 1 } }
    assert.equal((await demo.call('POST', '/compute/v2.1/flavors', { body: flavor })).status, 403)
    assert.equal((await admin.call('DELETE', `/compute/v2.1/servers/${server}`)).status, 204)
  })

  test('conflicts are told, and change nothing', async () => {
    const conflict = async (path: string, body: object, headers = {}) => {
      const first = await admin.call('POST', path, { body, headers })
      assert.ok(first.status < 300, `${path}: ${first.text}`)
      const second = await admin.call('POST', path, { body, headers })
      assert.equal(second.status, 409, `${path}: ${second.text}`)
    }
    await conflict('/identity/v3/projects', { project: { name: 'twice', domain_id: 'default' } })
    await conflict('/identity/v3/roles', { role: { name: 'twice' } })
    await conflict('/compute/v2.1/flavors', { flavor: { name: 'twice', ram: 1, vcpus: 1, disk: 1 } })
    await conflict('/compute/v2.1/os-keypairs', { keypair: { name: 'twice' } })
    await conflict('/placement/resource_providers', { name: 'twice' })
    const id = '5b3b2b6e-7a57-4a5c-9d06-6b3d0f5e9a01'
    await conflict('/image/v2/images', { ...diskOf('twice'), id })
    const { networks } = (await demo.call('GET', '/network/v2.0/networks?name=private')).json
    const inUse = await demo.call('DELETE', `/network/v2.0/networks/${networks[0].id}`)
    assert.equal(inUse.status, 409, inUse.text)
    assert.equal(inUse.json.NeutronError.type, 'NetworkInUse')
    const { resource_providers } = (await admin.call('GET', '/placement/resource_providers?name=twice')).json
    const stale = { resource_provider_generation: 99, inventories: { VCPU: { total: 4 } } }
    const path = `/placement/resource_providers/${resource_providers[0].uuid}/inventories`
    assert.equal((await admin.call('PUT', path, { body: stale })).status, 409)
    assert.deepEqual((await admin.call('GET', path)).json.inventories, {})
  })

  test('a client that goes away in mid-upload leaves no half image', async () => {
    const image = (await demo.call('POST', '/image/v2/images', { body: diskOf('half') })).json
    const path = `/image/v2/images/${image.id}`
    const store = join(cloud.state, 'image')
    const files = () => readdirSync(store, { recursive: true, encoding: 'utf8' }).sort()
    const before = files()
    const socket = connect()
    const length = 64 * 2 ** 20
    socket.write(head('PUT', `${path}/file`, demo.token, { ...octets, 'content-length': `${length}` }))
    socket.write(Buffer.alloc(length / 4, 1))
    await eventually('the upload is under way', async () => (await demo.call('GET', path)).json.status === 'saving')
    socket.destroy()
    await eventually('the image is as before', async () => (await demo.call('GET', path)).json.status === 'queued')
    await eventually('its data is gone', () => JSON.stringify(files()) === JSON.stringify(before))
    assert.equal((await demo.call('GET', `${path}/file`)).status, 204)
    const whole = Buffer.alloc(2 ** 20, 2)
    assert.equal((await demo.call('PUT', `${path}/file`, { body: whole, headers: octets })).status, 204)
    assert.equal((await demo.call('GET', path)).json.size, whole.length)
    assert.equal((await demo.call('PUT', `${path}/file`, { body: whole, headers: octets })).status, 409)
  })
})

const octets = { 'content-type': 'application/octet-stream' }
const diskOf = (name: string) => ({ name, disk_format: 'raw', container_format: 'bare' })

async function newServer(api: Api, network: string): Promise<string> {
  const { images } = (await api.call('GET', '/image/v2/images?name=tiny-linux')).json
  const server = { name: 'theirs', imageRef: images[0].id, flavorRef: '42', networks: [{ uuid: network }] }
  const answer = await api.call('POST', '/compute/v2.1/servers', { body: { server } })
  assert.equal(answer.status, 202, answer.text)
  return answer.json.server.id
}

const connect = (): Socket => {
  const { hostname, port } = new URL(cloud.url)
  // What a server does to a sender that it has refused is not what is looked at here.
  return createConnection({ host: hostname, port: Number(port) }).on('error', () => {})
}

const head = (method: string, path: string, token: string, headers: Readonly<Record<string, string>>) => {
  const lines = Object.entries({ host: 'strata', 'x-auth-token': token, ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  return `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

/** Sends the head of a POST and whatever `rest` writes; gives the first piece of the answer. */
function send(
  path: string,
  headers: Readonly<Record<string, string>>,
  rest: (socket: Socket) => unknown,
): Promise<string> {
  const socket = connect()
  return new Promise<string>((resolve, reject) => {
    socket.setTimeout(20_000, () => reject(new Error('no answer within 20 s')))
    socket.once('data', data => resolve(`${data}`)).once('close', () => reject(new Error('closed without an answer')))
    socket.write(head('POST', path, admin.token, { 'content-type': 'application/json', ...headers }))
    rest(socket)
  }).finally(() => socket.destroy())
}
