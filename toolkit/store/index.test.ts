import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestEnvironment, testEnvironment } from '../testing/index.ts'
import { isUniqueViolation, type Migration, openStore, type Store } from './index.ts'

interface Tables {
  things: { id: string; n: number }
}

let runs = 0
const first: Migration = {
  name: '0001-things',
  async up(db) {
    runs++
    await db.schema
      .createTable('things')
      .addColumn('id', 'varchar(36)', c => c.primaryKey())
      .addColumn('n', 'integer')
      .execute()
  },
}

let env: TestEnvironment
let store: Store<Tables>
const url = () => env.environment.databaseUrl('store')
before(async () => {
  env = testEnvironment()
  store = await openStore<Tables>({ url: url(), migrations: [first] })
})
after(async () => {
  await store.close()
  await env.clean()
})

const ids = async () => (await store.db.selectFrom('things').select('id').orderBy('id').execute()).map(row => row.id)
const add = (db: Store<Tables>['db'], id: string) => db.insertInto('things').values({ id, n: 1 }).execute()

test('a transaction that fails leaves nothing, and what was to follow it does not', async () => {
  let followed = 0
  const failing = store.transaction(async (tx, afterCommit) => {
    afterCommit(() => followed++)
    await add(tx, 'lost')
    throw new Error('no')
  })
  await assert.rejects(failing, /^Error: no$/)
  assert.deepEqual([await ids(), followed], [[], 0])
})

test('what follows a commit sees it, and runs outside of the transaction', async () => {
  let seen: Promise<string[]> | undefined
  await store.transaction(async (tx, afterCommit) => {
    await add(tx, 'a')
    afterCommit(() => {
      seen = ids()
    })
    assert.equal(seen, undefined)
  })
  assert.deepEqual(await seen, ['a'])
})

test('a query or a transaction beside the open one throws at once', async () => {
  const beside = (fn: () => Promise<unknown>) => store.transaction(async () => void (await fn()))
  await assert.rejects(beside(ids), /beside the open transaction/)
  await assert.rejects(
    beside(() => add(store.db, 'b')),
    /beside the open transaction/,
  )
  await assert.rejects(
    beside(() => store.transaction(async () => {})),
    /beside the open transaction/,
  )
  assert.deepEqual(await ids(), ['a'])
})

test('work that a transaction began and did not wait for may query once it is over', async () => {
  let late: Promise<string[]> | undefined
  let over = () => {}
  const ended = new Promise<void>(resolve => {
    over = resolve
  })
  await store.transaction(async () => {
    late = ended.then(ids)
  })
  over()
  assert.deepEqual(await late, ['a'])
})

test('readers read on during a write, and see it whole or not at all; writers do not disturb each other', async () => {
  let proceed = () => {}
  const held = new Promise<void>(resolve => {
    proceed = resolve
  })
  const writing = store.transaction(async tx => {
    await add(tx, 'w1')
    await held
    await add(tx, 'w2')
  })
  assert.deepEqual(await ids(), ['a'])
  const second = store.transaction(tx => add(tx, 'w3'))
  proceed()
  await Promise.all([writing, second])
  assert.deepEqual(await ids(), ['a', 'w1', 'w2', 'w3'])
})

test('a broken unique constraint is told apart from other failures', async () => {
  const again = await add(store.db, 'a').then(
    () => undefined,
    thrown => thrown,
  )
  assert.equal(isUniqueViolation(again), true)
  assert.equal(isUniqueViolation(new Error('other')), false)
  assert.equal(isUniqueViolation('UNIQUE constraint failed'), false)
})

test('migrations run once, in the order of their names; a failing one leaves nothing; newer databases are refused', async () => {
  const order: string[] = []
  const more = (name: string, fail = false): Migration => ({
    name,
    async up(db) {
      order.push(name)
      await db.schema.createTable(`t${name}`).addColumn('id', 'text').execute()
      if (fail) throw new Error('half way')
    },
  })
  const open = (...migrations: Migration[]) => openStore<Tables>({ url: url(), migrations })
  await assert.rejects(open(first, more('0002', true)), /half way/)
  await (await open(more('0003'), first, more('0002'))).close()
  assert.deepEqual([order, runs], [['0002', '0002', '0003'], 1])
  await assert.rejects(open(first), /made by a newer version: it has 0002, 0003/)
  await assert.rejects(openStore({ url: 'oracle:x', migrations: [] }), /no database engine for "oracle"/)
})
