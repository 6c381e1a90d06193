import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openStore } from '@strata/toolkit/store'
import { testEnvironment } from '@strata/toolkit/testing'
import { findMapping } from '../../store/id-mapping.ts'
import { migrations } from '../../store/migrations/index.ts'
import type { IdentityStore, Tables } from '../../store/tables.ts'
import { findUser, findUserByName, groupIdsOf } from '../../store/user.ts'
import type { DirectoryUser } from '../ports/directory.ts'
import { createShadow, publicId, type Shadow } from './shadow.ts'

const person = (id: string, name = id, enabled = true): DirectoryUser => ({ id, name, enabled, extra: {} })

describe('rows of a directory', () => {
  const { environment, clean } = testEnvironment()
  let store: IdentityStore
  let shadow: Shadow
  let changes = 0
  before(async () => {
    store = await openStore<Tables>({ url: environment.databaseUrl('identity'), migrations })
    shadow = createShadow({ store, changed: afterCommit => afterCommit(() => void changes++) })
    for (const id of ['d', 'e'])
      await store.db
        .insertInto('projects')
        .values({
          ...{ id, name: id, name_scope: 'domains', domain_id: null, parent_id: null, is_domain: 1 },
          ...{ description: null, enabled: 1, options: '{}', extra: null },
        })
        .execute()
  })
  after(async () => {
    await store.close()
    clean()
  })
  const names = async (...entries: DirectoryUser[]) => (await shadow.users('d', entries)).map(row => row.name)
  const idOf = (id: string) => publicId('d', 'user', id)

  test('are known by an id of their domain, kind and local id, as Keystone makes it', () => {
    // sha256('domain' + 'user' + 'ann')
    assert.equal(publicId('domain', 'user', 'ann'), 'e7d1da6547ff154e4f23a5e24df9973cc8b2deeaf1082e5271c6c3c076dbcfb9')
    assert.notEqual(publicId('d', 'user', 'x'), publicId('d', 'group', 'x'))
  })

  test('follow what is said, and are written only when that is new', async () => {
    assert.deepEqual(await names(person('a'), person('b')), ['a', 'b'])
    assert.equal(changes, 0)
    const total = async () => (await store.db.selectFrom('id_mappings').selectAll().execute()).length
    assert.equal(await total(), 2)
    assert.deepEqual(await names(person('b'), person('a')), ['b', 'a'])
    assert.equal(changes, 0)
    assert.deepEqual(await names(person('a', 'a', false)), ['a'])
    assert.equal(changes, 1)
    assert.equal((await findUser(store.db, idOf('a')))?.enabled, 0)
    assert.equal(await total(), 2)
  })

  test('may swap names, take over those of others, and share one', async () => {
    await names(person('s1', 'x'), person('s2', 'y'))
    assert.deepEqual(await names(person('s1', 'y'), person('s2', 'x')), ['y', 'x'])
    // s3 has the name that s2 had when it was last seen.
    assert.deepEqual(await names(person('s3', 'x')), ['x'])
    assert.equal((await findUserByName(store.db, 'd', 'x'))?.id, idOf('s3'))
    assert.deepEqual(await names(person('s2', 'z')), ['z'])
    assert.deepEqual(await names(person('t1', 'same'), person('t2', 'same'), person('t1', 'same')), ['same', 'same'])
    assert.deepEqual(await names(person('t2', 'same')), ['same'])
  })

  test('leave the names of identity’s own users alone', async () => {
    await store.db
      .insertInto('users')
      .values({
        ...{ id: '0'.repeat(32), name: 'own', display_name: null, domain_id: 'd', enabled: 1 },
        ...{ default_project_id: null, options: '{}', password_expires_at: null, extra: null },
      })
      .execute()
    assert.deepEqual(await names(person('o', 'own')), ['own'])
    assert.equal((await findUserByName(store.db, 'd', 'own'))?.id, '0'.repeat(32))
  })

  test('of those who are gone are kept, disabled and out of all groups, until they are there again', async () => {
    const [row] = await shadow.users('d', [person('g')])
    const [group] = await shadow.groups('d', [{ id: 'team', name: 'team', extra: {} }])
    await shadow.setGroupsOf(row!.id, [group!.id])
    assert.deepEqual(await groupIdsOf(store.db, row!.id), [group!.id])
    await shadow.gone((await findMapping(store.db, row!.id))!)
    assert.equal((await findUser(store.db, row!.id))?.enabled, 0)
    assert.deepEqual(await groupIdsOf(store.db, row!.id), [])
    assert.equal(await findUserByName(store.db, 'd', 'g'), undefined)
    assert.deepEqual(await names(person('g')), ['g'])
    assert.deepEqual(
      [(await findUser(store.db, row!.id))?.enabled, (await findMapping(store.db, row!.id))?.gone],
      [1, 0],
    )
  })

  test('are many at once', async () => {
    const many = Array.from({ length: 2500 }, (_, n) => person(`m${n}`))
    const rows = await shadow.users('e', many)
    assert.deepEqual([rows.length, rows[2400]?.name], [2500, 'm2400'])
    await shadow.setMembersOf(
      (await shadow.groups('e', [{ id: 'all', name: 'all', extra: {} }]))[0]!.id,
      rows.map(row => row.id),
    )
    assert.equal((await groupIdsOf(store.db, rows[7]!.id)).length, 1)
  })
})
