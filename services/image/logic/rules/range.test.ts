import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRange } from './range.ts'

test('ranges of ten bytes', () => {
  assert.equal(parseRange(undefined, 10), undefined)
  assert.deepEqual(parseRange('bytes=0-4', 10), { start: 0, end: 4 })
  assert.deepEqual(parseRange('bytes=4-', 10), { start: 4, end: 9 })
  assert.deepEqual(parseRange('bytes=-3', 10), { start: 7, end: 9 })
  assert.deepEqual(parseRange('bytes=-30', 10), { start: 0, end: 9 })
  assert.deepEqual(parseRange('bytes=9-99', 10), { start: 9, end: 9 })
})

test('refused', () => {
  const status = (header: string, size = 10) => {
    try {
      parseRange(header, size)
    } catch (err) {
      return (err as { status: number }).status
    }
    return undefined
  }
  for (const header of ['bytes=10-', 'bytes=5-4', 'bytes=-', 'bytes=-0', 'bytes=a-b', 'lines=1-2', ''])
    assert.equal(status(header), 416, header)
  assert.equal(status('bytes=0-', 0), 416)
  assert.equal(status('bytes=0-1,3-4'), 400)
})

test('what is taken lies within the data', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 1000 }), (from, to, size) => {
      for (const header of [`bytes=${from}-${to}`, `bytes=${from}-`, `bytes=-${to}`])
        try {
          const range = parseRange(header, size)!
          assert.ok(range.start >= 0 && range.start <= range.end && range.end < size)
        } catch (err) {
          assert.equal((err as { status?: number }).status, 416)
        }
    }),
  )
})
