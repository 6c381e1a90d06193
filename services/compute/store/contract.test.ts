import { test } from 'node:test'
import { openStore } from '@strata/toolkit/store'
import { assertTablesMatch, testEnvironment } from '@strata/toolkit/testing'
import { flavor } from '../contract/flavor.ts'
import { serverGroup } from '../contract/server-group.ts'
import type { ComputeTables } from './database.ts'
import { migrations } from './migrations/index.ts'

test('the tables hold what the contract declares', async () => {
  const { environment, clean } = testEnvironment()
  const store = await openStore<ComputeTables>({ url: environment.databaseUrl('compute'), migrations })
  try {
    await assertTablesMatch(store, [flavor, serverGroup])
  } finally {
    await store.close()
    await clean()
  }
})
