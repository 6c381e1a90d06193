import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openStore } from './index.ts'

test('only its owner may read a database, whatever files it consists of', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'strata-store-'))
  try {
    const store = await openStore({ url: `sqlite:${join(folder, 'some.db')}`, migrations: [] })
    const modes = readdirSync(folder).map(name => [name, statSync(join(folder, name)).mode & 0o777])
    await store.close()
    assert.deepEqual(modes.sort(), [
      ['some.db', 0o600],
      ['some.db-shm', 0o600],
      ['some.db-wal', 0o600],
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
