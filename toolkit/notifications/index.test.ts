import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { silentLog } from '../log/index.ts'
import { systemRuntime } from '../runtime/index.ts'
import { openStore } from '../store/index.ts'
import { testDatabases, until } from '../testing/index.ts'
import { createNotifier, createOutboxTable, type Envelope, fileSink, type Notice, type Sink } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'strata-test-'))
const databases = testDatabases(folder)
after(async () => {
  await databases.drop()
  rmSync(folder, { recursive: true })
})

let files = 0
const open = (file = `${files++}`) =>
  openStore<object>({
    url: databases.url(file),
    migrations: [{ name: '0001-outbox', up: createOutboxTable }],
  })
type Opened = Awaited<ReturnType<typeof open>>
const notice = (n: number): Notice => ({
  eventType: `ponds.pond.${n}`,
  action: 'created.pond',
  target: { typeURI: 'unknown' },
  about: { resource_info: `${n}` },
})
/** Timers run when told to. */
function start(store: Opened, sinks: readonly Sink[]) {
  const timers: (() => void)[] = []
  const hold = (_: number, fn: () => void) => {
    timers.push(fn)
    return () => {}
  }
  const runtime = { ...systemRuntime, timer: hold }
  const options = {
    service: 'ponds',
    format: 'basic',
    optOut: ['ponds.pond.13'],
    observer: { typeURI: 'unknown' },
  } as const
  const notifier = createNotifier({ store, sinks, runtime, log: silentLog, ...options })
  return { notifier, timers }
}
const collector = (fails: { now: boolean } = { now: false }) => {
  const got: string[] = []
  const sink: Sink = {
    name: 'test',
    async deliver(envelopes: readonly Envelope[]) {
      if (fails.now) throw new Error('no way there')
      got.push(...envelopes.map(one => String(one.payload['resource_info'])))
    },
  }
  return { got, sink }
}

test('what a transaction tells of arrives when it commits, in order, and not when it is rolled back', async () => {
  const store = await open()
  const { got, sink } = collector()
  const { notifier } = start(store, [sink])
  for (const n of [1, 2, 13, 3]) await notifier.store.transaction(tx => notifier.record(tx, notice(n)))
  await assert.rejects(
    notifier.store.transaction(async tx => {
      await notifier.record(tx, notice(4))
      throw new Error('not so')
    }),
  )
  notifier.emit(notice(5))
  await notifier.settled()
  assert.deepEqual(got, ['1', '2', '3', '5'])
  await notifier.stop()
  await store.close()
})

test('a sink that fails gets everything later, still in order', async () => {
  const store = await open()
  const fails = { now: true }
  const { got, sink } = collector(fails)
  const { notifier, timers } = start(store, [sink])
  for (let n = 0; n < 450; n++) await notifier.store.transaction(tx => notifier.record(tx, notice(n === 13 ? 1000 : n)))
  notifier.emit(notice(999))
  await notifier.settled()
  assert.deepEqual(got, [])
  fails.now = false
  timers.at(-1)!()
  await notifier.settled()
  assert.deepEqual(got, [...Array.from({ length: 450 }, (_, n) => `${n === 13 ? 1000 : n}`), '999'])
  await notifier.stop()
  await store.close()
})

test('what a process leaves behind is delivered by the next', async () => {
  const store = await open('left')
  const first = start(store, [collector({ now: true }).sink])
  await first.notifier.store.transaction(tx => first.notifier.record(tx, notice(7)))
  await first.notifier.stop()
  await store.close()
  const again = await open('left')
  const { got, sink } = collector()
  const second = start(again, [sink])
  await until('it is delivered', () => got.length > 0)
  assert.deepEqual(got, ['7'])
  await second.notifier.stop()
  await again.close()
})

test('the file of notifications is put aside when it is full, and so many are kept', async () => {
  const path = join(folder, 'files', 'log.jsonl')
  const sink = fileSink({ path, maxBytes: 100, keep: 2 })
  const envelope = (n: number) => ({ event_type: `${n}`, payload: { padding: 'x'.repeat(100) } }) as unknown as Envelope
  for (let n = 0; n < 5; n++) await sink.deliver([envelope(n)])
  await sink.close?.()
  assert.deepEqual(readdirSync(join(folder, 'files')).sort(), ['log.jsonl', 'log.jsonl.1', 'log.jsonl.2'])
  assert.equal(JSON.parse(readFileSync(path, 'utf8')).event_type, '4')
  assert.equal(JSON.parse(readFileSync(`${path}.2`, 'utf8')).event_type, '2')
})
