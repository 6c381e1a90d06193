import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '../log/index.ts'
import { systemRuntime } from '../runtime/index.ts'
import { createExecutor, type SagaStore, saga, sagasMigration } from '../saga/index.ts'
import { openStore } from '../store/index.ts'
import { testDatabases, until } from '../testing/index.ts'
import { rehearse } from './index.ts'

interface Sea {
  readonly ships: Set<string>
  readonly crews: Map<string, string>
}
interface Voyage {
  readonly ship: string
  readonly crew: string
}

const launch = saga<Voyage, Sea>('launch')
  .step('build', {
    run: ({ input, deps }) => {
      deps.ships.add(input.ship)
      return { name: input.ship }
    },
    undo: ({ input, deps }) => void deps.ships.delete(input.ship),
  })
  .step('man', {
    run: ({ input, prior, deps }) => {
      deps.crews.set(input.crew, prior.build.name)
    },
    undo: ({ input, deps }) => void deps.crews.delete(input.crew),
  })
  .step('sail', { run: () => 'gone' })

async function temporary(): Promise<{ store: SagaStore; close: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-saga-'))
  const databases = testDatabases(folder)
  const store = await openStore<object>({ url: databases.url('sagas'), migrations: [sagasMigration] })
  return {
    store,
    async close() {
      await store.close()
      await databases.drop()
      rmSync(folder, { recursive: true })
    },
  }
}

const sea = (): Sea => ({ ships: new Set(), crews: new Map() })

async function world() {
  const deps = sea()
  return {
    ...(await temporary()),
    deps,
    subject: 's1',
    input: { ship: 's1', crew: 'c1' },
    residue: () => [...deps.ships, ...deps.crews.keys()],
    missing: () => (deps.ships.has('s1') && deps.crews.get('c1') === 's1' ? [] : ['the ship']),
  }
}

test('a saga that undoes all it did passes its rehearsal', async () => {
  assert.ok((await rehearse(launch, world)) > 30)
})

test('the rehearsal finds an undo that was left out', async () => {
  const leaky = saga<Voyage, Sea>('leaky')
    .step('build', { run: ({ input, deps }) => void deps.ships.add(input.ship) })
    .step('man', {
      run: ({ input, deps }) => void deps.crews.set(input.crew, input.ship),
      undo: ({ input, deps }) => void deps.crews.delete(input.crew),
    })
  await assert.rejects(rehearse(leaky, world), /leaky: .*left over: s1/)
})

test('the rehearsal finds a step that may not be repeated', async () => {
  const clumsy = saga<Voyage, Sea>('clumsy').step('build', {
    run: ({ input, deps }) => {
      if (deps.ships.has(input.ship)) throw new Error('there is one already')
      deps.ships.add(input.ship)
      deps.crews.set(input.crew, input.ship)
    },
    undo: ({ input, deps }) => {
      deps.ships.delete(input.ship)
      deps.crews.delete(input.crew)
    },
  })
  await assert.rejects(rehearse(clumsy, world), /clumsy: the process dies at build \(after\): missing/)
})

test('a cancelling saga waits until the cancelled one is undone', async () => {
  const { store, close } = await temporary()
  const seen: string[] = []
  const build = saga<object, string[]>('build')
    .step('first', {
      run: ({ deps }) => void deps.push('first'),
      undo: ({ deps, failure }) => void deps.push(`undo first, cancelled ${failure.cancelled}`),
    })
    .step('long', {
      run: ({ deps, signal }) => {
        deps.push('long')
        return systemRuntime.sleep(60_000, signal)
      },
    })
  const remove = saga<object, string[]>('remove', 'forward').step('remove', {
    run: ({ deps }) => void deps.push('remove'),
  })
  const executor = createExecutor({
    store,
    sagas: [build, remove],
    deps: seen,
    runtime: systemRuntime,
    log: silentLog,
    owner: 'one',
  })
  await store.transaction((tx, afterCommit) =>
    executor.enqueue(build, { tx, afterCommit }, { subject: 'x', input: {} }),
  )
  await until('the build is in its long step', () => seen.includes('long'))
  await store.transaction((tx, afterCommit) =>
    executor.enqueue(remove, { tx, afterCommit }, { subject: 'x', input: {}, cancelOthers: true }),
  )
  await until('the removal ran', () => seen.includes('remove'))
  assert.deepEqual(seen, ['first', 'long', 'undo first, cancelled true', 'remove'])
  await until('no saga is left', async () => (await executor.unfinished()).length === 0)
  await executor.stop()
  await close()
})

test('a saga whose executor went away without a word is taken over when its lease ends, and only one goes on', async () => {
  const { store, close } = await temporary()
  let now = 1000
  const runtime = { ...systemRuntime, now: () => now }
  const ran: string[] = []
  const make = (owner: string, hold: Promise<void>) => {
    const once = saga<object, null>('once').step('only', {
      run: async () => {
        await hold
        ran.push(owner)
      },
    })
    return {
      once,
      executor: createExecutor({ store, sagas: [once], deps: null, runtime, log: silentLog, owner, lease: 10_000 }),
    }
  }
  let free = () => {}
  const first = make(
    'first',
    new Promise(resolve => {
      free = resolve
    }),
  )
  const second = make('second', Promise.resolve())
  await store.transaction((tx, afterCommit) =>
    first.executor.enqueue(first.once, { tx, afterCommit }, { subject: 'x', input: {} }),
  )
  await until('the first holds it', async () => (await first.executor.unfinished())[0]?.owner === 'first')
  await second.executor.start()
  await second.executor.idle()
  assert.deepEqual(ran, [])
  now += 20_000
  await second.executor.stop()
  const third = make('third', Promise.resolve())
  await third.executor.start()
  await third.executor.idle()
  assert.deepEqual(ran, ['third'])
  free()
  await first.executor.idle()
  assert.equal((await first.executor.unfinished()).length, 0)
  await Promise.all([first.executor.stop(), third.executor.stop()])
  await close()
})
