import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { ImageStore } from '../../logic/ports.ts'
import { createFileStore } from './index.ts'

const ID = '00000000-0000-4000-8000-000000000001'
let folder: string
let store: ImageStore
before(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'strata-files-')), 'made/on/demand')
  store = createFileStore({ folder, fsync: true, reserve: 0 })
})
after(() => rmSync(join(folder, '../../..'), { recursive: true, force: true }))

const read = async (...args: Parameters<ImageStore['read']>): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of await store.read(...args)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test('a blob is there once it is whole', async () => {
  const writer = await store.write(ID, undefined)
  await writer.write(Buffer.from('hello '))
  await writer.write(Buffer.from('world'))
  assert.deepEqual(readdirSync(folder), [`${ID}.part`])
  await assert.rejects(store.read(ID), { code: 'ENOENT' })
  assert.deepEqual(await store.list(), [ID])
  await writer.commit()
  assert.deepEqual(readdirSync(folder), [ID])
  assert.equal(await read(ID), 'hello world')
  assert.equal(await read(ID, { start: 4, end: 6 }), 'o w')
})

test('what is given up, or removed, is gone; both may be said twice', async () => {
  const other = ID.replace(/1$/, '2')
  const writer = await store.write(other, undefined)
  await writer.write(Buffer.from('x'))
  await writer.abort()
  await writer.abort()
  await store.remove(other)
  const removed = await store.write(other, undefined)
  await store.remove(other)
  await assert.rejects(removed.commit(), { code: 'ENOENT' })
  await removed.abort()
  await store.remove(ID)
  assert.deepEqual(await store.list(), [])
})

test('no name leads out of the folder, and files of others stay', async () => {
  writeFileSync(join(folder, '..', 'outside'), 'x')
  writeFileSync(join(folder, 'README'), 'x')
  for (const id of [
    '../outside',
    'README',
    '',
    `${ID}.part`,
    `${ID}/../README`,
    `${ID}\0`,
    ID.toUpperCase().replace('0', 'A'),
  ]) {
    await assert.rejects(store.read(id), /not the id of a blob/)
    await assert.rejects(store.write(id, 1), /not the id of a blob/)
    await assert.rejects(store.remove(id), /not the id of a blob/)
  }
  assert.ok(existsSync(join(folder, '..', 'outside')))
  assert.deepEqual(await store.list(), [])
})

test('what does not fit is refused before it is written', async () => {
  await assert.rejects(store.write(ID, Number.MAX_SAFE_INTEGER), (err: { status?: number; message: string }) => {
    assert.match(err.message, /storage media is full/)
    return err.status === 413
  })
  const full = createFileStore({ folder, fsync: false, reserve: Number.MAX_SAFE_INTEGER })
  await assert.rejects(full.write(ID, undefined), { status: 413 })
  assert.deepEqual(await full.list(), [])
  assert.match((await full.problems())[0]!, /no bytes are free/)
  assert.deepEqual(await store.problems(), [])
})
