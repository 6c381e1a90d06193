import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compilePattern, isPlain, PatternError } from './pattern.ts'

const piece = fc.constantFrom(
  'a',
  'b',
  '-',
  '.',
  'a*',
  '[ab]+',
  '(a|b)',
  '\\d',
  '^',
  '$',
  'b?',
  '[^a]',
  'a{1,2}',
  '(?:ab)*',
)

test('agrees with the engine of the language', () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 6 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '-', '1', 'c') }),
      (parts, text) => {
        const source = parts.join('')
        assert.equal(compilePattern(source)(text), new RegExp(source).test(text), `${source} on ${text}`)
      },
    ),
  )
})

test('takes linear time where backtracking takes exponential time', () => {
  const matches = compilePattern('^(a+)+$')
  assert.equal(matches(`${'a'.repeat(250)}b`), false)
  assert.equal(matches('a'.repeat(250)), true)
})

test('refuses what it cannot follow, saying where', () => {
  for (const source of ['(', ')', '[a', '*a', '(?=a)', '\\1', 'a{3,1}', '\\', 'a'.repeat(300), '(a{999}){999}'])
    assert.throws(() => compilePattern(source), PatternError, source)
})

test('knows when a plain search does', () => {
  assert.equal(isPlain('web-1_x'), true)
  assert.equal(isPlain('web.*'), false)
})
