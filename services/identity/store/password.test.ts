import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore, sql } from '@strata/toolkit/store'
import { testEnvironment } from '@strata/toolkit/testing'
import { migrations } from './migrations/index.ts'
import { addPassword, countFailure, findLoginRecord, findPasswords, removePasswords, usePasscode } from './password.ts'
import type { Tables } from './tables.ts'

/** A store with one user; `before`: of a version that knew no more than that. */
async function open(name = '9999') {
  const { environment, clean } = testEnvironment()
  const url = environment.databaseUrl('identity')
  const at = (last: string) => openStore<Tables>({ url, migrations: migrations.filter(one => one.name <= last) })
  const store = await at(name)
  await sql`insert into projects (id, name, name_scope, is_domain, enabled, options) values ('d', 'd', 'd', 1, 1, '{}')`.execute(
    store.db,
  )
  await sql`insert into users (id, name, domain_id, enabled, options) values ('u', 'u', 'd', 1, '{}')`.execute(store.db)
  return { store, at, clean }
}
const password = (hash: string) => ({ user_id: 'u', hash, created_at: 1, self_service: 0 })

test('passwords of before there was a history still stand', async () => {
  const { store, at, clean } = await open('0007-policies')
  await sql`insert into passwords (user_id, hash) values ('u', 'old')`.execute(store.db)
  await store.close()
  const now = await at('9999')
  const [found, ...others] = await findPasswords(now.db, 'u', 9)
  assert.deepEqual([found?.hash, found?.created_at, found?.self_service, others], ['old', null, 0, []])
  await addPassword(now.db, password('new'), 2)
  assert.deepEqual(
    (await findPasswords(now.db, 'u', 9)).map(one => one.hash),
    ['new', 'old'],
  )
  await now.close()
  clean()
})

test('as many passwords stay as are to be kept, the newest first', async () => {
  const { store, clean } = await open()
  for (const hash of ['a', 'b', 'c', 'd']) await addPassword(store.db, password(hash), 3)
  const hashes = async () => (await findPasswords(store.db, 'u', 9)).map(one => one.hash)
  assert.deepEqual(await hashes(), ['d', 'c', 'b'])
  await addPassword(store.db, password('e'), 0)
  assert.deepEqual(await hashes(), ['e'])
  await removePasswords(store.db, 'u')
  assert.deepEqual(await hashes(), [])
  await store.close()
  clean()
})

test('failures are all counted, and go with the user', async () => {
  const { store, clean } = await open()
  await Promise.all(Array.from({ length: 10 }, (_, n) => countFailure(store.db, 'u', n)))
  assert.equal((await findLoginRecord(store.db, 'u')).failed_count, 10)
  await store.db.deleteFrom('users').where('id', '=', 'u').execute()
  assert.deepEqual(await findLoginRecord(store.db, 'u'), { active_on: null, failed_count: 0, failed_at: null })
  await store.close()
  clean()
})

test('a step of time is taken once, and none before it', async () => {
  const { store, clean } = await open()
  const row = { id: 'c', user_id: 'u', project_id: null, type: 'totp', sealed_blob: '', extra: null }
  await store.db.insertInto('credentials').values(row).execute()
  const taken = []
  for (const step of [5, 5, 4, 6, 6]) taken.push(await usePasscode(store.db, 'c', step))
  assert.deepEqual(taken, [true, false, false, true, false])
  await store.close()
  clean()
})
