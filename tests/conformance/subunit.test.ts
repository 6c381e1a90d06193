import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { type Packet, packetsOf } from './subunit.ts'

/** A number as subunit writes it, in as few bytes as hold it. */
function number(value: number): Buffer {
  const more = value < 2 ** 6 ? 0 : value < 2 ** 14 ? 1 : value < 2 ** 22 ? 2 : 3
  const bytes = Buffer.alloc(more + 1)
  bytes.writeUIntBE(value + more * 2 ** (6 + 8 * more), 0, more + 1)
  return bytes
}
const text = (value: string | Buffer) => Buffer.concat([number(Buffer.from(value).length), Buffer.from(value)])

function packet({
  test: id,
  status = 0,
  at,
  file,
}: {
  test?: string
  status?: number
  at?: number
  file?: [string, string]
}) {
  const flags = 0x2000 | (id ? 0x0800 : 0) | (at !== undefined ? 0x0200 : 0) | (file ? 0x0060 : 0) | status
  const time = Buffer.alloc(at === undefined ? 0 : 4)
  if (at !== undefined) time.writeUInt32BE(at)
  const fields = Buffer.concat([
    ...(at === undefined ? [] : [time, number(0)]),
    ...(id ? [text(id)] : []),
    ...(file ? [text('text/plain'), text(file[0]), text(file[1])] : []),
  ])
  const lengthOf = (own: number) => 1 + 2 + own + fields.length + 4
  const own = [1, 2, 3].find(bytes => number(lengthOf(bytes)).length === bytes)!
  const head = Buffer.from([0xb3, flags >> 8, flags & 255])
  const body = Buffer.concat([head, number(lengthOf(own)), fields])
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([body, sum])
}

async function read(chunks: Iterable<Uint8Array>): Promise<Packet[]> {
  const stream = (async function* () {
    yield* chunks
  })()
  return Array.fromAsync(packetsOf(stream))
}

test('a test that passes: begun, then a success', async () => {
  const bytes = Buffer.concat([
    packet({ test: 'a.b', status: 2, at: 100 }),
    packet({ test: 'a.b', status: 3, at: 103 }),
  ])
  assert.deepEqual(await read([bytes]), [
    { at: 100, test: 'a.b', status: 'inprogress' },
    { at: 103, test: 'a.b', status: 'success' },
  ])
})

test('attachments come with their names', async () => {
  const [one] = await read([packet({ test: 'a', file: ['traceback', 'Oops: ²'] })])
  assert.deepEqual([one!.file!.name, `${one!.file!.content}`], ['traceback', 'Oops: ²'])
})

test('what is no packet is passed over, also a broken one', async () => {
  const broken = packet({ test: 'broken', status: 3 })
  broken[8]! ^= 1
  const bytes = Buffer.concat([
    Buffer.from('warning: ³\n'),
    broken,
    Buffer.from([0xb3]),
    packet({ test: 'good', status: 6 }),
  ])
  assert.deepEqual(await read([bytes]), [{ test: 'good', status: 'fail' }])
})

test('it does not matter where the stream is cut', async () => {
  const big = 'x'.repeat(70_000)
  const bytes = Buffer.concat([packet({ test: 'a', file: ['log', big] }), packet({ test: 'a', status: 5, at: 1 })])
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 6 }), async cuts => {
      const at = [0, ...cuts.sort((x, y) => x - y), bytes.length]
      const packets = await read(at.slice(1).map((end, index) => bytes.subarray(at[index], end)))
      assert.equal(packets.length, 2)
      assert.equal(packets[0]!.file!.content.length, big.length)
    }),
    { numRuns: 50 },
  )
})
