import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { silentLog } from '../log/index.ts'
import { systemRuntime } from '../runtime/index.ts'
import { openStore } from '../store/index.ts'
import { testDatabases } from '../testing/index.ts'
import { createExecutor, type SagaStore, saga, sagasMigration } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'strata-backlog-'))
const databases = testDatabases(folder)
after(async () => {
  await databases.drop()
  rmSync(folder, { recursive: true })
})

test('the backlog counts unfinished sagas and tells for how long the oldest has been known', async () => {
  const store: SagaStore = await openStore<object>({ url: databases.url('sagas'), migrations: [sagasMigration] })
  const tide = Promise.withResolvers<void>()
  const wait = saga<{ ship: string }, object>('wait').step('for the tide', { run: () => tide.promise })
  let now = 1000
  const runtime = { ...systemRuntime, monotonic: () => now }
  const sagas = createExecutor({ store, sagas: [wait], deps: {}, runtime, log: silentLog, owner: 'o' })
  const enqueue = (ship: string) =>
    store.transaction((tx, afterCommit) => sagas.enqueue(wait, { tx, afterCommit }, { subject: ship, input: { ship } }))
  assert.deepEqual(await sagas.backlog(), { unfinished: 0, oldestMs: 0 })
  await enqueue('a')
  now = 61_000
  await enqueue('b')
  now = 62_000
  assert.deepEqual(await sagas.backlog(), { unfinished: 2, oldestMs: 61_000 })
  tide.resolve()
  await sagas.idle()
  assert.deepEqual(await sagas.backlog(), { unfinished: 0, oldestMs: 0 })
  await sagas.stop()
  await store.close()
})
