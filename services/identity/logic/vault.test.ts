import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { repository } from '@strata/toolkit/resource'
import { systemRuntime as runtime } from '@strata/toolkit/runtime'
import { openStore } from '@strata/toolkit/store'
import { testDatabases } from '@strata/toolkit/testing'
import { domain } from '../contract/project.ts'
import { user } from '../contract/user.ts'
import { addCredential, findCredential } from '../store/credential.ts'
import { migrations } from '../store/migrations/index.ts'
import type { IdentityStore, Tables } from '../store/tables.ts'
import { openKeys } from './token/keys.ts'
import { createVault, rotateVault } from './vault.ts'

let base: string
let databases: ReturnType<typeof testDatabases>
let store: IdentityStore
const openVault = () => {
  const keys = openKeys({ folder: join(base, 'keys'), runtime, maxActive: 3 })
  return { keys, vault: createVault({ keys, runtime }), store }
}

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'strata-vault-'))
  databases = testDatabases(base)
  store = await openStore<Tables>({ url: databases.url('identity'), migrations })
  await store.transaction(async tx => {
    await repository(domain).insert(tx, { id: 'd', name: 'd', is_domain: true, name_scope: 'domains', extra: {} })
    await repository(user).insert(tx, { id: 'u', name: 'u', domain_id: 'd', extra: {} })
  })
})
afterEach(async () => {
  await store.close()
  await databases.drop()
  rmSync(base, { recursive: true, force: true })
})

test('what was encrypted outlives any number of changes of the key', async () => {
  const open = openVault()
  const sealed_blob = open.vault.seal('secret')
  assert.equal(sealed_blob.includes('secret'), false)
  await addCredential(store.db, { id: 'c', user_id: 'u', project_id: null, type: 'x', sealed_blob, extra: null })
  const replica = openVault()
  for (let n = 0; n < 5; n++) await rotateVault(open)
  const row = await findCredential(store.db, 'c')
  assert.notEqual(row?.sealed_blob, sealed_blob)
  for (const { vault } of [open, replica, openVault()]) assert.equal(vault.open(row!.sealed_blob), 'secret')
})

test('without its key it is not read, and the failure says where the keys are', () => {
  const { vault } = openVault()
  assert.throws(() => vault.open('garbage'), /credential-keys/)
})
