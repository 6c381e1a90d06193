import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { testDatabases } from '../testing/index.ts'
import { type CopiedTable, copyDatabase, type Migration, openStore } from './index.ts'

interface Tables {
  nodes: { id: string; parent_id: string | null; weight: number; at: number | null }
  links: { from_id: string; to_id: string; note: string }
  letters: { id?: number; text: string }
}

const first: Migration = {
  name: '0001-graph',
  async up(db) {
    await db.schema
      .createTable('nodes')
      .addColumn('id', 'varchar(36)', c => c.primaryKey())
      .addColumn('parent_id', 'varchar(36)', c => c.references('nodes.id').onDelete('cascade'))
      .addColumn('weight', 'double precision', c => c.notNull())
      .addColumn('at', 'bigint')
      .execute()
    await db.schema
      .createTable('links')
      .addColumn('from_id', 'varchar(36)', c => c.notNull().references('nodes.id'))
      .addColumn('to_id', 'varchar(36)', c => c.notNull().references('nodes.id'))
      .addColumn('note', 'text', c => c.notNull())
      .addPrimaryKeyConstraint('links_key', ['from_id', 'to_id'])
      .execute()
    await db.schema
      .createTable('letters')
      .addColumn('id', 'integer', c => c.primaryKey().autoIncrement())
      .addColumn('text', 'text', c => c.notNull())
      .execute()
  },
}
const migrations = [first]

const folder = mkdtempSync(join(tmpdir(), 'strata-copy-'))
const databases = testDatabases(folder)
after(async () => {
  await databases.drop()
  rmSync(folder, { recursive: true })
})
const from = `sqlite:${join(folder, 'from.db')}`

/** More rows than are copied at once, children before their parents, and texts of all kinds. */
async function fillSource(): Promise<void> {
  const store = await openStore<Tables>({ url: from, migrations })
  const id = (n: number) => `node-${String(1500 - n).padStart(4, '0')}`
  await store.transaction(async tx => {
    for (let n = 0; n < 1200; n++)
      await tx
        .insertInto('nodes')
        .values({
          id: id(n),
          parent_id: n % 10 === 0 ? null : id(n - 1),
          weight: n / 7,
          at: n % 3 ? 1_763_654_400_000 + n : null,
        })
        .execute()
    for (const [n, note] of ['', 'quote \' " ` \\', 'é 漢 😀\n\t', '{"a": [1]}', 'end '].entries())
      await tx
        .insertInto('links')
        .values({ from_id: id(n), to_id: id(n + 1), note })
        .execute()
    for (const text of ['a', 'b', 'c']) await tx.insertInto('letters').values({ text }).execute()
  })
  await store.close()
}

test('a copy is equal, can be worked with, and can be copied back', async () => {
  await assert.rejects(copyDatabase({ from, to: databases.url('copy'), migrations }), /the source has no tables/)
  await fillSource()
  const to = databases.url('copy')
  const copied = await copyDatabase({ from, to, migrations })
  assert.deepEqual(
    copied.map(({ table, rows }) => [table, rows]),
    [
      ['letters', 3],
      ['links', 5],
      ['nodes', 1200],
    ],
  )
  await assert.rejects(copyDatabase({ from, to, migrations }), /the target has tables already/)
  const back: CopiedTable[] = await copyDatabase({ from: to, to: `sqlite:${join(folder, 'back.db')}`, migrations })
  assert.deepEqual(back, copied)

  const store = await openStore<Tables>({ url: to, migrations })
  await store.db.insertInto('letters').values({ text: 'd' }).execute()
  assert.equal((await store.db.selectFrom('letters').selectAll().orderBy('id').execute()).at(-1)?.id, 4)
  await assert.rejects(store.db.insertInto('links').values({ from_id: 'none', to_id: 'none', note: '' }).execute())
  await store.db.deleteFrom('links').execute()
  await store.db.deleteFrom('nodes').where('parent_id', 'is', null).execute()
  assert.equal((await store.db.selectFrom('nodes').selectAll().execute()).length, 0)
  await store.close()
})

test('a database of another version is not copied', async () => {
  const newer: Migration = { name: '0002-more', up: async () => {} }
  const to = databases.url('other')
  await assert.rejects(copyDatabase({ from, to, migrations: [first, newer] }), /of another version/)
  await assert.rejects(copyDatabase({ from, to, migrations: [] }), /of another version/)
})
