import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { boolean, text } from '../schema/index.ts'
import { openStore } from '../store/index.ts'
import { repository, resource } from './index.ts'

const pond = resource({
  name: 'pond',
  plural: 'ponds',
  path: '/ponds',
  table: 'ponds',
  fields: {
    id: text().readOnly(),
    name: text().filterable().sortable(),
    owner: text().nullable().filterable().sortable(),
    open: boolean().defaultTo(true).filterable().sortable(),
  },
  policy: {},
})

const name = fc.constantFrom('a', 'b', 'B', '')
const rows = fc.array(fc.record({ name, owner: fc.option(fc.constantFrom('x', 'y')), open: fc.boolean() }), {
  maxLength: 12,
})
const field = fc.constantFrom('name', 'owner', 'open', 'id')
const direction = fc.constantFrom('asc' as const, 'desc' as const)
const sort = fc.uniqueArray(fc.record({ field, direction }), { maxLength: 3, selector: key => key.field })

test('pages by marker show each row once, in one order, whatever is sorted by, forwards and backwards', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'strata-test-'))
  const store = await openStore<{ ponds: Record<string, unknown> }>({
    url: `sqlite:${join(folder, 'ponds.db')}`,
    migrations: [
      {
        name: '0001-ponds',
        up: db =>
          db.schema
            .createTable('ponds')
            .addColumn('id', 'varchar(36)', c => c.primaryKey())
            .addColumn('name', 'varchar(255)', c => c.notNull())
            .addColumn('owner', 'varchar(255)')
            .addColumn('open', 'integer', c => c.notNull())
            .execute(),
      },
    ],
  })
  const ponds = repository(pond)
  await fc.assert(
    fc.asyncProperty(rows, sort, fc.integer({ min: 1, max: 5 }), fc.boolean(), async (given, keys, limit, reverse) => {
      await store.db.deleteFrom('ponds').execute()
      for (const [n, row] of given.entries()) await ponds.insert(store.db, { ...row, id: `p${n}` })
      const whole = (await ponds.list(store.db, { sort: keys })).map(row => row.id)
      const seen: string[] = []
      let after: (typeof page)[number] | undefined
      let page: Awaited<ReturnType<typeof ponds.list>>
      do {
        page = await ponds.list(store.db, { sort: keys, limit, after, reverse })
        if (reverse) seen.unshift(...page.map(row => row.id))
        else seen.push(...page.map(row => row.id))
        after = reverse ? page[0] : page.at(-1)
      } while (page.length === limit)
      assert.deepEqual(seen, whole)
      assert.equal(new Set(whole).size, given.length)
    }),
    { numRuns: 200 },
  )
  await store.close()
  rmSync(folder, { recursive: true })
})
