/** What engines with a server do beyond SQLite: conflicts, connections that break, replicas that start at once. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { testDatabases } from '../testing/index.ts'
import { engineNameOf, isUniqueViolation, type Migration, openStore, type Store, sql } from './index.ts'
import { migrationState } from './migrate.ts'
import { serviceUrl, shownUrl } from './url.ts'

interface Tables {
  counters: { id: string; n: number; at: number }
}

let runs = 0
const first: Migration = {
  name: '0001-counters',
  async up(db) {
    runs++
    await db.schema
      .createTable('counters')
      .addColumn('id', 'varchar(8)', c => c.primaryKey())
      .addColumn('n', 'integer', c => c.notNull())
      .addColumn('at', 'bigint', c => c.notNull())
      .execute()
  },
}

test('the URL of a service follows from that of the cloud', () => {
  const urls = [
    ['sqlite:/var/lib/strata', 'sqlite:/var/lib/strata/block-storage.db'],
    ['postgres://u:p@h/db', 'postgres://u:p@h/db?schema=block_storage'],
    ['postgres://u:p@h/db?schema=one&pool=4', 'postgres://u:p@h/db?schema=one_block_storage&pool=4'],
    ['mariadb://u:p@h/', 'mariadb://u:p@h/block_storage'],
    ['mariadb://u:p@h/one?socket=%2Fs', 'mariadb://u:p@h/one_block_storage?socket=%2Fs'],
  ] as const
  assert.deepEqual(
    urls.map(([cloud]) => serviceUrl(cloud, 'block-storage')),
    urls.map(([, service]) => service),
  )
  assert.throws(() => serviceUrl('oracle://h', 'identity'), /there is no database engine for "oracle"/)
  assert.throws(() => engineNameOf('postgres://h/db?schema=a;b'), /is no name for a schema/)
  assert.throws(() => engineNameOf('mariadb://h/identity?pool=none'), /pool=none; a whole number from 1 is needed/)
  assert.equal(shownUrl('postgres://u:secret@h/db'), 'postgres://u:***@h/db')
})

const databases = testDatabases('/nowhere')
const engine = engineNameOf(databases.url('probe'))
describe(`on ${engine}`, { skip: engine === 'sqlite' ? 'it has no server' : false }, () => {
  const url = databases.url('servers')
  const open = () => openStore<Tables>({ url, migrations: [first] })
  let replicas: Store<Tables>[]
  before(async () => {
    // The first of them makes the schema and migrates; the others wait for it.
    replicas = await Promise.all([open(), open(), open()])
  })
  after(async () => {
    for (const store of replicas) await store.close()
    await databases.drop()
  })
  const one = () => replicas[0]!

  test('replicas that start at once migrate once', async () => {
    assert.equal(runs, 1)
    assert.deepEqual(await migrationState(url, [first]), { done: ['0001-counters'], pending: [], unknown: [] })
  })

  test('what is read and then written in a transaction is as if transactions came one after another', async () => {
    await one().db.insertInto('counters').values({ id: 'a', n: 0, at: 1_763_654_400_123 }).execute()
    let attempts = 0
    let told = 0
    const add = (store: Store<Tables>) =>
      store.transaction(async (tx, afterCommit) => {
        attempts++
        afterCommit(() => told++)
        const { n } = await tx.selectFrom('counters').select('n').where('id', '=', 'a').executeTakeFirstOrThrow()
        await tx
          .updateTable('counters')
          .set({ n: n + 1 })
          .where('id', '=', 'a')
          .execute()
      })
    await Promise.all(Array.from({ length: 24 }, (_, at) => add(replicas[at % replicas.length]!)))
    const row = await one().db.selectFrom('counters').selectAll().executeTakeFirstOrThrow()
    assert.deepEqual({ ...row }, { id: 'a', n: 24, at: 1_763_654_400_123 })
    assert.equal(told, 24)
    assert.ok(attempts > 24, 'nothing was crossed: the test proves nothing')
  })

  test('of two that each look before they add, one sees the other', async () => {
    const ids = ['x', 'y']
    const add = (store: Store<Tables>, id: string) =>
      store.transaction(async tx => {
        const others = await tx.selectFrom('counters').select('id').where('id', 'in', ids).execute()
        if (others.length === 0) await tx.insertInto('counters').values({ id, n: 0, at: 0 }).execute()
      })
    await Promise.all(ids.map((id, at) => add(replicas[at]!, id)))
    assert.equal((await one().db.selectFrom('counters').select('id').where('id', 'in', ids).execute()).length, 1)
  })

  test('names differ by case and by blanks at their end, and sort by their bytes', async () => {
    for (const id of ['b', 'B', 'b ', 'é', 'c'])
      await one()
        .db.insertInto('counters')
        .values({ id: `n${id}`, n: 0, at: 0 })
        .execute()
    const rows = await one().db.selectFrom('counters').select('id').where('id', 'like', 'n%').orderBy('id').execute()
    assert.deepEqual(
      rows.map(row => row.id),
      ['nB', 'nb', 'nb ', 'nc', 'né'],
    )
    const again = one().db.insertInto('counters').values({ id: 'nb', n: 0, at: 0 }).execute()
    assert.equal(isUniqueViolation(await again.catch(thrown => thrown)), true)
  })

  test('what does not fit into a column is the caller’s fault', async () => {
    const add = (id: string) => one().db.insertInto('counters').values({ id, n: 0, at: 0 }).execute()
    await assert.rejects(add('much too long'), { status: 400 })
    await assert.rejects(
      one().transaction(tx =>
        tx
          .insertInto('counters')
          .values({ id: 'big', n: 2 ** 40, at: 0 })
          .execute(),
      ),
      { status: 400 },
    )
  })

  test('connections that the server has ended are replaced, and a transaction on one of them runs again', async () => {
    const kill = async (tx: Store<Tables>['db']) => {
      if (engine === 'postgres') {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx)
        await sql`select pg_terminate_backend(${rows[0]!.pid})`.execute(replicas[1]!.db)
      } else {
        const { rows } = await sql<{ pid: number }>`select connection_id() as pid`.execute(tx)
        await sql`kill ${sql.lit(rows[0]!.pid)}`.execute(replicas[1]!.db)
      }
    }
    let attempts = 0
    await one().transaction(async tx => {
      attempts++
      await tx.insertInto('counters').values({ id: 'k', n: 0, at: 0 }).execute()
      if (attempts === 1) await kill(tx)
      await tx.updateTable('counters').set({ n: 1 }).where('id', '=', 'k').execute()
    })
    const row = await one().db.selectFrom('counters').select('n').where('id', '=', 'k').executeTakeFirst()
    assert.deepEqual([attempts, row?.n], [2, 1])
  })
})
