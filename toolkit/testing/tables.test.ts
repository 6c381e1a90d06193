import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resource } from '../resource/index.ts'
import { boolean, integer, json, text, uuid } from '../schema/index.ts'
import { type Migration, openStore } from '../store/index.ts'
import { assertTablesMatch, testEnvironment } from './index.ts'

const pond = resource({
  name: 'pond',
  plural: 'ponds',
  path: '/ponds',
  table: 'ponds',
  fields: {
    id: uuid().readOnly(),
    name: text().nullable(),
    depth: integer(),
    deep: boolean().computed(),
    fish: json<string[]>({ type: 'array' }).optional(),
  },
  policy: {},
})

const migration = (columns: Record<string, string>, table = 'ponds'): Migration => ({
  name: '0001',
  async up(db) {
    let create = db.schema.createTable(table).addColumn('id', 'varchar(36)', c => c.primaryKey())
    for (const [name, type] of Object.entries(columns))
      create = create.addColumn(name, type.replace('!', '') as 'text', c => (type.endsWith('!') ? c.notNull() : c))
    await create.execute()
  },
})

/** What the helper finds wrong with a table of these columns; `!` at the end: not null. */
async function problems(columns: Record<string, string>, options = {}, table?: string): Promise<string[]> {
  const { environment, clean } = testEnvironment()
  const store = await openStore<object>({ url: environment.databaseUrl('t'), migrations: [migration(columns, table)] })
  try {
    await assertTablesMatch(store, [pond], options)
    return []
  } catch (thrown) {
    return (thrown as { actual: string[] }).actual
  } finally {
    await store.close()
    await clean()
  }
}

test('a table fits its declaration, or is told where not', async () => {
  const fine = { name: 'text', depth: 'integer!', fish: 'text' }
  assert.deepEqual(await problems(fine), [])
  assert.deepEqual(await problems({ ...fine, name: 'text!' }), [
    'ponds.name: the field may be null, the column may not',
  ])
  assert.deepEqual(await problems({ ...fine, fish: 'text!' }), [
    'ponds.fish: the field may be null, the column may not',
  ])
  assert.deepEqual(await problems({ ...fine, fish: 'text!' }, { filled: { ponds: ['fish'] } }), [])
  const [wrong] = await problems({ ...fine, depth: 'text!' })
  assert.match(wrong ?? '', /^ponds\.depth: integer in a column of type (long)?text$/)
  assert.deepEqual(await problems({ ...fine, deep: 'integer' }), ['ponds.deep: no field has this column'])
  assert.deepEqual(await problems({ ...fine, deep: 'integer' }, { own: { ponds: ['deep'] } }), [])
  assert.deepEqual(await problems({ name: 'text', fish: 'text' }), ['ponds.depth: the field has no column'])
  assert.deepEqual(await problems(fine, {}, 'lakes'), ['ponds: there is no such table'])
})
