import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { systemRuntime } from '@strata/toolkit/runtime'
import { GuestBuildError } from '../../logic/ports/hosts.ts'
import { createImageCache } from './image-cache.ts'
import { formatProblem } from './image-format.ts'
import { run } from './run.ts'
import { noQemu } from './test-host.ts'

const top = mkdtempSync(join(tmpdir(), 'image-cache-'))
chmodSync(top, 0o711)
after(() => rmSync(top, { recursive: true }))
const user = { uid: process.getuid!(), gid: process.getgid!(), dropTo: [] }

async function* pieces(content: Uint8Array) {
  for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536)
}
const imageOf = (content: Uint8Array, diskFormat: string, change = {}) => ({
  id: randomUUID(),
  diskFormat,
  sizeBytes: content.length,
  hashAlgorithm: 'sha512',
  hashValue: createHash('sha512').update(content).digest('hex'),
  ...change,
})
let made = 0
async function qcow2(...args: string[]): Promise<Buffer> {
  const path = join(top, `${made++}.qcow2`)
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', ...args, path, '5M'], { cwd: top })
  return readFileSync(path)
}
const newCache = (inUse: readonly string[] = [], now = systemRuntime.now) => {
  const folder = join(top, `cache${made++}`)
  return {
    folder,
    cache: createImageCache({
      folder,
      runtime: { ...systemRuntime, now },
      user: () => user,
      inUse: async () => new Set(inUse),
    }),
  }
}

describe('the image cache', { skip: noQemu }, () => {
  it('fetches an image once, also for calls at the same time and after a restart', async () => {
    const content = await qcow2()
    const image = imageOf(content, 'qcow2')
    const { folder, cache } = newCache()
    let fetched = 0
    const open = async () => {
      fetched++
      return pieces(content)
    }
    const [first, second] = await Promise.all([cache.ensure(image, open), cache.ensure(image, open)])
    assert.deepEqual(first, second)
    assert.deepEqual(first, {
      path: join(folder, `${image.id}.qcow2`),
      format: 'qcow2',
      virtualSizeBytes: 5 * 1024 ** 2,
    })
    assert.deepEqual(readFileSync(first.path), content)
    const later = createImageCache({ folder, runtime: systemRuntime, user: () => user, inUse: async () => new Set() })
    assert.deepEqual(await later.ensure(image, open), first)
    assert.equal(fetched, 1)
  })

  it('refuses what is corrupt or lies about itself, and keeps nothing of it', async () => {
    const plain = Buffer.alloc(4096, 1)
    const honest = await qcow2()
    const { folder, cache } = newCache()
    const refused = (content: Buffer, diskFormat: string, says: RegExp, change = {}) =>
      assert.rejects(
        cache.ensure(imageOf(content, diskFormat, change), async () => pieces(content)),
        error => error instanceof GuestBuildError && says.test(error.message),
        String(says),
      )
    await refused(plain, 'raw', /corrupt: its sha512 is/, { hashValue: 'ab' })
    await refused(plain, 'raw', /corrupt: it is longer/, { sizeBytes: 10 })
    await refused(plain, 'raw', /corrupt: 4096 of 5000 bytes/, { sizeBytes: 5000 })
    await refused(honest, 'raw', /said to be raw but is qcow2/)
    await refused(plain, 'qcow2', /said to be qcow2 but is not/)
    await refused(plain, 'vmdk', /disk format "vmdk"/)
    await refused(honest.subarray(0, 50), 'qcow2', /ends within its qcow2 header/)
    await refused(Buffer.concat([honest.subarray(0, 104), Buffer.alloc(5000, 0xff)]), 'qcow2', /corrupt: /)
    await refused(honest.subarray(0, 65_536), 'qcow2', /corrupt: /)
    await refused(plain, 'raw', /not the id of an image/, { id: '../../etc/passwd' })
    writeFileSync(join(top, 'base.raw'), plain)
    await refused(await qcow2('-b', 'base.raw', '-F', 'raw'), 'qcow2', /backing file/)
    await refused(await qcow2('-o', 'data_file=data.raw'), 'qcow2', /external data file/)
    assert.deepEqual(readdirSync(folder), [])
  })

  it('shares a failure, and tries again for the next call', async () => {
    const content = Buffer.alloc(4096, 1)
    const image = imageOf(content, 'raw')
    const { cache } = newCache()
    const broken = async () => {
      throw new Error('the image service is away')
    }
    const results = await Promise.allSettled([cache.ensure(image, broken), cache.ensure(image, broken)])
    assert.ok(results.every(result => result.status === 'rejected'))
    assert.equal((await cache.ensure(image, async () => pieces(content))).virtualSizeBytes, 4096)
  })

  it('prunes what nobody needs and nobody asked for lately', async () => {
    let now = systemRuntime.now()
    const content = Buffer.alloc(4096, 1)
    const [used, kept, free] = [imageOf(content, 'raw'), imageOf(content, 'raw'), imageOf(content, 'raw')]
    const { folder, cache } = newCache([used.id], () => now)
    for (const image of [used, kept, free]) await cache.ensure(image, async () => pieces(content))
    writeFileSync(join(folder, `${randomUUID()}.${randomUUID()}.part`), 'left by a crash')
    writeFileSync(join(folder, 'README'), 'not ours')
    assert.deepEqual(await cache.prune(new Set([kept.id])), [])
    now += 3_600_000
    assert.deepEqual(await cache.prune(new Set([kept.id])), [free.id])
    assert.deepEqual(readdirSync(folder).sort(), ['README', `${kept.id}.raw`, `${used.id}.raw`].sort())
  })
})

describe('the first bytes of an image', () => {
  it('tell formats apart', () => {
    assert.equal(formatProblem('raw', Buffer.alloc(512)), undefined)
    assert.equal(formatProblem('raw', Buffer.from('KDMV....')), 'is said to be raw but is vmdk')
    assert.equal(formatProblem('qcow2', Buffer.from('conectix')), 'is said to be qcow2 but is vhd')
    const header = Buffer.alloc(104)
    header.write('QFI\xfb', 'latin1')
    header.writeUInt32BE(9, 4)
    assert.match(formatProblem('qcow2', header)!, /unknown version 9/)
    header.writeUInt32BE(3, 4)
    assert.equal(formatProblem('qcow2', header), undefined)
    header.writeUInt32BE(1, 32)
    assert.match(formatProblem('qcow2', header)!, /encrypted/)
  })
})
