/** Against a real ovsdb-server with the schema of OVN's northbound database. */

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { byUuid, createOvsdbClient, insert, mutate, named, OvsdbError, remove, select, update, wait } from './index.ts'

const SCHEMA = '/usr/share/ovn/ovn-nb.ovsschema'
const DB = 'OVN_Northbound'
const installed = existsSync(SCHEMA) && existsSync('/usr/sbin/ovsdb-server')
const skip = installed ? false : 'ovsdb-server or the schema of OVN is not installed'
const COLUMNS = {
  Logical_Switch: ['name', 'ports', 'other_config'],
  Logical_Switch_Port: ['name', 'tag', 'up', 'addresses'],
}

let folder = ''
let server: ReturnType<typeof spawn> | undefined
const remote = (): string => `unix:${folder}/db.sock`

async function startServer(): Promise<void> {
  server = spawn(
    '/usr/sbin/ovsdb-server',
    [`${folder}/nb.db`, `--remote=punix:${folder}/db.sock`, `--unixctl=${folder}/ctl`, '-vconsole:off'],
    { stdio: 'ignore' },
  )
  const probe = createOvsdbClient({ remote: remote(), retryMs: 10 })
  await probe.connect()
  probe.close()
}

async function stopServer(): Promise<void> {
  const ended = new Promise(resolve => server?.once('exit', resolve))
  server?.kill('SIGKILL')
  await ended
  rmSync(`${folder}/db.sock`, { force: true })
}

before(async () => {
  if (!installed) return
  folder = mkdtempSync('/tmp/strata-ovsdb-')
  execFileSync('ovsdb-tool', ['create', `${folder}/nb.db`, SCHEMA])
  await startServer()
})
after(async () => {
  if (!installed) return
  await stopServer()
  rmSync(folder, { recursive: true })
})

test('rows of every kind of column go in and come back, by select and by monitor', { skip }, async () => {
  const client = createOvsdbClient({ remote: remote() })
  await client.connect()
  const replica = await client.monitor(DB, COLUMNS)
  const port = { name: 'p"1"', tag: 7, up: true, addresses: ['b', 'a'] }
  const results = await client.transact(DB, [
    insert('Logical_Switch_Port', port, 'row1'),
    insert('Logical_Switch', { name: 'net é', ports: [named('row1')], other_config: { b: '2', a: '1' } }),
  ])
  const [portId, switchId] = results.map(result => result.uuid!)
  assert.deepEqual(replica.rows('Logical_Switch_Port').get(portId!), { _uuid: portId, ...port, addresses: ['a', 'b'] })
  assert.deepEqual(replica.rows('Logical_Switch').get(switchId!)?.['ports'], [portId])
  await client.transact(DB, [
    update('Logical_Switch_Port', byUuid(portId!), { tag: null, up: false }),
    mutate('Logical_Switch', byUuid(switchId!), [
      ['other_config', 'delete', ['a']],
      ['other_config', 'insert', { c: '3' }],
    ]),
  ])
  assert.deepEqual(replica.rows('Logical_Switch').get(switchId!)?.['other_config'], { b: '2', c: '3' })
  const [found] = await client.transact(DB, [select('Logical_Switch_Port', [['name', '==', 'p"1"']], ['tag', 'up'])])
  assert.deepEqual(found?.rows, [{ tag: null, up: false }])
  await client.transact(DB, [remove('Logical_Switch', byUuid(switchId!))])
  assert.equal(replica.rows('Logical_Switch_Port').size, 0)
  client.close()
})

test('a refused transaction says which operation and changes nothing', { skip }, async () => {
  const client = createOvsdbClient({ remote: remote() })
  await client.connect()
  const replica = await client.monitor(DB, COLUMNS)
  const unmet = wait({
    table: 'Logical_Switch',
    where: [],
    columns: ['name'],
    until: '==',
    rows: [{ name: 'no' }],
    timeoutMs: 0,
  })
  await assert.rejects(client.transact(DB, [insert('Logical_Switch', { name: 'x' }), unmet]), {
    code: 'timed out',
    index: 1,
  })
  const rejected = client.transact(DB, [insert('Port_Group', { name: 'g' }), insert('Port_Group', { name: 'g' })])
  await assert.rejects(rejected, { name: 'TransactionError', code: 'constraint violation', index: 2 })
  await assert.rejects(client.transact(DB, [insert('Nonsense', { name: 'x' })]), TypeError)
  assert.equal(replica.rows('Logical_Switch').size, 0)
  client.close()
})

test('the replica is equal to the table after any changes by another client', { skip }, async () => {
  const [writer, reader] = [createOvsdbClient({ remote: remote() }), createOvsdbClient({ remote: remote() })]
  await Promise.all([writer.connect(), reader.connect()])
  const replica = await reader.monitor(DB, { Address_Set: ['name', 'addresses', 'external_ids'] })
  const small = fc.constantFrom('a', 'b', 'c', 'd')
  const content = fc.record(
    {
      addresses: fc.uniqueArray(small).map(set => set.sort()),
      external_ids: fc.dictionary(small, small, { noNullPrototype: true }),
    },
    { noNullPrototype: true },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom('s1', 's2'), content)), async steps => {
      await writer.transact(DB, [remove('Address_Set', [])])
      for (const [name, row] of steps) {
        const [{ count } = {}] = await writer.transact(DB, [update('Address_Set', [['name', '==', name]], row)])
        if (count === 0) await writer.transact(DB, [insert('Address_Set', { name, ...row })])
      }
      const wanted = new Map(steps)
      const copy = () =>
        new Map([...replica.rows('Address_Set').values()].map(({ _uuid, name, ...row }) => [name, row]))
      const same = () => {
        const held = copy()
        return held.size === wanted.size && [...wanted].every(([name, row]) => sameJson(held.get(name), row))
      }
      await replica.until(same, 500).catch(() => assert.deepEqual(copy(), wanted))
    }),
    { numRuns: 25 },
  )
  writer.close()
  reader.close()
})

function sameJson(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(a, b)
    return true
  } catch {
    return false
  }
}

test('after the server went away and came back, listeners hear what changed meanwhile', { skip }, async () => {
  const client = createOvsdbClient({ remote: remote(), retryMs: 10, maxRetryMs: 50 })
  await client.connect()
  await client.transact(DB, [insert('Logical_Switch', { name: 'stays' }), insert('Logical_Switch', { name: 'goes' })])
  const replica = await client.monitor(DB, COLUMNS)
  const heard: string[] = []
  const states: boolean[] = []
  replica.subscribe(changes => heard.push(...changes.map(({ old, row }) => `${old?.['name']}>${row?.['name']}`)))
  client.onState(state => states.push(state))
  await stopServer()
  const editedOffline = JSON.stringify([DB, { op: 'delete', table: 'Logical_Switch', where: [['name', '==', 'goes']] }])
  execFileSync('ovsdb-tool', ['transact', `${folder}/nb.db`, editedOffline])
  await assert.rejects(client.call('list_dbs', []), OvsdbError)
  await startServer()
  await replica.until(() => replica.rows('Logical_Switch').size === 1, 5000)
  assert.deepEqual(heard, ['goes>undefined'])
  await client.transact(DB, [remove('Logical_Switch', [])])
  assert.deepEqual(heard, ['goes>undefined', 'stays>undefined'])
  assert.deepEqual(states, [false, true])
  client.close()
})

test('connecting may be asked for again, before and after the server is there', { skip }, async () => {
  await stopServer()
  const client = createOvsdbClient({ remote: remote(), retryMs: 10 })
  await assert.rejects(client.connect(30), { code: 'timeout' })
  const connecting = client.connect()
  await startServer()
  await connecting
  await client.connect()
  assert.deepEqual(await client.call('echo', ['x']), ['x'])
  client.close()
})

test('an echo is answered, and a silent TCP peer is left', { skip: false }, async () => {
  const received: string[] = []
  const fake = createServer(socket => {
    socket.write('{"id":"echo","method":"echo","params":["x"]}')
    socket.on('data', chunk => received.push(chunk.toString()))
    socket.on('error', () => {})
  })
  await new Promise<void>(resolve => fake.listen(0, '127.0.0.1', resolve))
  const { port } = fake.address() as { port: number }
  const client = createOvsdbClient({ remote: `tcp:127.0.0.1:${port}`, probeMs: 30 })
  const left = new Promise(resolve => client.onState(state => state || resolve(undefined)))
  await client.connect()
  await left
  assert.deepEqual(JSON.parse(received[0]!), { id: 'echo', result: ['x'], error: null })
  client.close()
  fake.close()
})
