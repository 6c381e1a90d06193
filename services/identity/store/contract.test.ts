import { test } from 'node:test'
import { openStore } from '@strata/toolkit/store'
import { assertTablesMatch, testEnvironment } from '@strata/toolkit/testing'
import { endpoint, region, service } from '../contract/catalog.ts'
import { group } from '../contract/group.ts'
import { identityProvider } from '../contract/identity-provider.ts'
import { mapping } from '../contract/mapping.ts'
import { domain, project } from '../contract/project.ts'
import { role } from '../contract/role.ts'
import { serviceProvider } from '../contract/service-provider.ts'
import { user } from '../contract/user.ts'
import { migrations } from './migrations/index.ts'

const first = [domain, project, user, group, role, region, service, endpoint]

test('the tables hold what the contract declares', async () => {
  const { environment, clean } = testEnvironment()
  const store = await openStore({ url: environment.databaseUrl('identity'), migrations })
  await assertTablesMatch(store, [...first, identityProvider, mapping, serviceProvider], {
    // Who names no domain gets the caller's.
    filled: {
      users: ['domain_id'],
      user_groups: ['domain_id'],
      identity_providers: ['domain_id'],
      mappings: ['schema_version'],
      service_providers: ['relay_state_prefix'],
    },
    own: { users: ['display_name'] },
  })
  await store.close()
  clean()
})
