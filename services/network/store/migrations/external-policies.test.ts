/** A database from before external networks had RBAC policies: those that are there are seen by all as they were. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openStore } from '@strata/toolkit/store'
import { testDatabases } from '@strata/toolkit/testing'
import { first } from './0001-networks.ts'
import { second } from './0002-external-policies.ts'

interface Tables {
  networks: { id: string; project_id: string; 'router:external': number }
  rbac_policies: { object_id: string; action: string; target_tenant: string; project_id: string }
}

const folder = mkdtempSync(join(tmpdir(), 'strata-network-'))
const databases = testDatabases(folder)
after(async () => {
  await databases.drop()
  rmSync(folder, { recursive: true, force: true })
})

test('external networks get a policy for everybody', async () => {
  const url = databases.url('network')
  const old = await openStore<Tables>({ url, migrations: [first] })
  await old.db
    .insertInto('networks')
    .values([
      { id: 'outside', project_id: 'p', 'router:external': 1 },
      { id: 'inside', project_id: 'p', 'router:external': 0 },
    ])
    .execute()
  await old.close()
  const store = await openStore<Tables>({ url, migrations: [first, second] })
  const rows = await store.db
    .selectFrom('rbac_policies')
    .select(['object_id', 'action', 'target_tenant', 'project_id'])
    .execute()
  assert.deepEqual(
    rows.map(row => ({ ...row })),
    [{ object_id: 'outside', action: 'access_as_external', target_tenant: '*', project_id: 'p' }],
  )
  await store.close()
})
