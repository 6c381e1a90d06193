import { test } from 'node:test'
import { openStore } from '@strata/toolkit/store'
import { assertTablesMatch, testEnvironment } from '@strata/toolkit/testing'
import { endpoint, region, service } from '../contract/catalog.ts'
import { group } from '../contract/group.ts'
import { domain, project } from '../contract/project.ts'
import { role } from '../contract/role.ts'
import { user } from '../contract/user.ts'
import { migrations } from './migrations/index.ts'

test('the tables hold what the contract declares', async () => {
  const { environment, clean } = testEnvironment()
  const store = await openStore({ url: environment.databaseUrl('identity'), migrations })
  await assertTablesMatch(store, [domain, project, user, group, role, region, service, endpoint], {
    // Who names no domain gets the caller's.
    filled: { users: ['domain_id'], user_groups: ['domain_id'] },
  })
  await store.close()
  clean()
})
