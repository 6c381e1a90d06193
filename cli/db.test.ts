import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { db, formatDatabases } from './commands/db.ts'
import { takeLock } from './lock.ts'
import { stateAt } from './state.ts'
import { fakeClouds } from './testing/fake-cloud.ts'
import { enginesOf } from './testing/run.ts'

const folder = mkdtempSync(join(tmpdir(), 'strata-db-'))
after(() => rmSync(folder, { recursive: true }))

test('each database is told of in one line', () => {
  const about = (service: string, rest: object) => ({ service, url: `sqlite:/${service}.db`, ...rest })
  const migrations = { done: ['0001-a'], pending: [], unknown: [] }
  assert.deepEqual(
    formatDatabases([
      about('identity', { migrations }),
      about('image', { migrations: { ...migrations, pending: ['0002-b', '0003-c'] } }),
      about('network', { migrations: { ...migrations, unknown: ['0009-x'] } }),
      about('placement', {}),
      about('compute', { problem: 'no password was given' }),
    ]).split('\n'),
    [
      'SERVICE    STATE                              DATABASE',
      'identity   up to date (0001-a)                sqlite:/identity.db',
      'image      to be migrated: 0002-b, 0003-c     sqlite:/image.db',
      'network    of a newer version: it has 0009-x  sqlite:/network.db',
      'placement  nothing was made yet               sqlite:/placement.db',
      'compute    no password was given              sqlite:/compute.db',
    ],
  )
})

test('what cannot be done is refused before anything is opened', async () => {
  const state = stateAt(folder)
  const ask = (options: object) => db({ state, json: false, load: async () => fakeClouds, ...options })
  await assert.rejects(ask({ verb: 'drop' }), /db takes status, migrate or copy, not "drop"/)
  await assert.rejects(ask({ verb: 'status', to: 'sqlite:/x' }), /db status takes no --from and no --to/)
  await assert.rejects(ask({ verb: 'status' }), /has no databases: no cloud was started there/)
  mkdirSync(state.run)
  await assert.rejects(ask({ verb: 'copy' }), /db copy needs --to URL/)
  const lock = takeLock(state.serverLock, 0)
  await assert.rejects(ask({ verb: 'copy', to: 'sqlite:/x' }), /the cloud is up/)
  lock?.release()
})

test('engines of tests are chosen by name', () => {
  assert.deepEqual(enginesOf('all'), ['sqlite', 'postgres', 'mariadb'])
  assert.deepEqual(enginesOf('rehearsed'), ['rehearsed'])
  assert.throws(() => enginesOf('oracle'), /--engine is sqlite, postgres, mariadb, all or rehearsed; not "oracle"/)
})
