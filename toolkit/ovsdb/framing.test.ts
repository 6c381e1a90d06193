import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createFrameReader } from './framing.ts'

test('any cutting of a stream of objects gives the same objects', () => {
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
      (objects, sizes) => {
        const wanted = objects.map(object => JSON.parse(JSON.stringify(object)))
        const bytes = Buffer.from(wanted.map(object => JSON.stringify(object)).join(''))
        const seen: unknown[] = []
        const read = createFrameReader(message => seen.push(message))
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length]!
          read(bytes.subarray(at, at + size))
          at += size
        }
        assert.deepEqual(seen, wanted)
      },
    ),
  )
})

test('a large message in small chunks costs time in proportion to its size', () => {
  const read = createFrameReader(() => {})
  const bytes = Buffer.from(JSON.stringify({ rows: 'x'.repeat(8 * 1024 * 1024) }))
  const started = performance.now()
  for (let at = 0; at < bytes.length; at += 1024) read(bytes.subarray(at, at + 1024))
  assert.ok(performance.now() - started < 4000)
})

test('what is not JSON and what is too large end the stream', () => {
  assert.throws(() => createFrameReader(() => {})(Buffer.from('}')), SyntaxError)
  assert.throws(() => createFrameReader(() => {})(Buffer.from('{nonsense}')), SyntaxError)
  assert.throws(() => createFrameReader(() => {}, 4)(Buffer.from('{"abcdef"')), RangeError)
})
