import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTime } from './times.ts'

test('times keep their microseconds, and are in UTC', () => {
  assert.deepEqual(parseTime('2026-11-20T12:34:56.789012'), {
    at: Date.UTC(2026, 10, 20, 12, 34, 56, 789),
    text: '2026-11-20T12:34:56.789012',
  })
  assert.equal(parseTime('2026-11-20T12:34:56Z')?.text, '2026-11-20T12:34:56.000000')
  assert.equal(parseTime('2026-11-20T12:34:56+02:00')?.text, '2026-11-20T10:34:56.000000')
})

test('what is no time is refused', () => {
  for (const text of ['', 'soon', '2026-11-20', '2026-13-20T12:34:56Z', '2026-11-20T12:34:56Zjunk'])
    assert.equal(parseTime(text), undefined, text)
})
