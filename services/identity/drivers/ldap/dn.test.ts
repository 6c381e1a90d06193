import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { childDn, dnKey, parseDn } from './dn.ts'

/** Text with what means something in a DN. */
const hostile = fc.string({ unit: fc.constantFrom(...', += "\\<>;#\0abé😀'.split('')), minLength: 1, maxLength: 12 })
const value = fc.oneof(hostile, fc.string({ minLength: 1 })).filter(one => one.isWellFormed())

describe('distinguished names', () => {
  test('a value comes out as it went in, and adds no name to the path', () => {
    fc.assert(
      fc.property(value, value, (one, other) => {
        const parent = childDn('ou', other, 'dc=x')
        assert.deepEqual(parseDn(childDn('cn', one, parent)), [
          [{ attribute: 'cn', value: one }],
          [{ attribute: 'ou', value: other }],
          [{ attribute: 'dc', value: 'x' }],
        ])
      }),
    )
  })

  test('equal ones are known by other case, blanks and escapes; different ones are told apart', () => {
    assert.equal(dnKey('UID=Ann, OU=People,dc=x'), dnKey('uid=ann,ou=people,dc=x'))
    assert.equal(dnKey('cn=a\\2Cb,dc=x'), dnKey('cn=a\\,b,dc=x'))
    assert.equal(dnKey('cn=a+ou=b,dc=x'), dnKey('ou=B+cn=A,dc=x'))
    assert.equal(dnKey('cn=\\C3\\A9,dc=x'), dnKey('cn=é,dc=x'))
    assert.notEqual(dnKey('cn=a,dc=x'), dnKey('cn=a,ou=b,dc=x'))
    fc.assert(
      fc.property(value, value, (one, other) => {
        const fold = (text: string) => text.trim().replace(/\s+/g, ' ').toLowerCase()
        const same = fold(one) === fold(other)
        assert.equal(dnKey(childDn('cn', one, 'dc=x')) === dnKey(childDn('cn', other, 'dc=x')), same)
      }),
    )
  })

  test('what is none is told', () => {
    for (const text of ['people', '=x', 'cn=a,', 'cn=a\\', 'cn=a,b']) assert.equal(parseDn(text), undefined, text)
    assert.deepEqual(parseDn(''), [])
  })
})
