import { test } from 'node:test'
import { openStore } from '@strata/toolkit/store'
import { assertTablesMatch, testEnvironment } from '@strata/toolkit/testing'
import { floatingip } from '../contract/floatingip.ts'
import { network } from '../contract/network.ts'
import { port } from '../contract/port.ts'
import { rbacPolicy } from '../contract/rbac-policy.ts'
import { router } from '../contract/router.ts'
import { securityGroup, securityGroupRule } from '../contract/security-group.ts'
import { subnet } from '../contract/subnet.ts'
import { migrations } from './migrations/index.ts'

test('the tables hold what the contract declares', async () => {
  const { environment, clean } = testEnvironment()
  const store = await openStore({ url: environment.databaseUrl('network'), migrations })
  const resources = [network, subnet, port, router, floatingip, securityGroup, securityGroupRule, rbacPolicy]
  await assertTablesMatch(store, resources)
  await store.close()
  clean()
})
