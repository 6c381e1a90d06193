import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  BerReader,
  BerWriter,
  EqualityFilter,
  ExtensibleFilter,
  type Filter,
  FilterParser,
  SubstringFilter,
} from 'ldapts'
import { guidBytes, guidText } from './entry.ts'
import { all, any, equals, inChain, named, present, written } from './filters.ts'

/** The bytes that go to the server. */
const sent = (filter: Filter): Buffer => {
  const writer = new BerWriter()
  filter.write(writer)
  return writer.buffer
}

const value = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(...'()*\\\0&|!=ab'.split('')), minLength: 1, maxLength: 16 }),
    fc.string({ minLength: 1 }),
  )
  .filter(one => one.isWellFormed())

describe('filters', () => {
  test('whatever a caller gives is the value compared with, and nothing else', () => {
    fc.assert(
      fc.property(value, given => {
        // [3] equalityMatch: the attribute, then the value, and no more.
        const reader = new BerReader(sent(equals('cn', given)))
        reader.readSequence(0xa3)
        assert.equal(reader.readString(), 'cn')
        assert.equal(reader.readString(), given)
        assert.equal(reader.remain, 0)
      }),
    )
  })

  test('parts of names are the parts that were given', () => {
    fc.assert(
      fc.property(value, fc.constantFrom('contains', 'startswith', 'endswith'), (given, kind) => {
        const filter = named('cn', { kind: kind as 'contains', value: given, fold: false })
        assert.ok(filter instanceof SubstringFilter)
        const { initial, any: middle, final } = filter
        assert.deepEqual(
          [initial, ...middle, final].filter(one => one !== ''),
          [given],
        )
        const bytes = sent(filter)
        assert.ok(bytes.includes(Buffer.from(given)))
        assert.equal(bytes[0], 0xa4)
      }),
    )
    assert.equal(named('cn', { kind: 'contains', value: '', fold: false }), undefined)
  })

  test('written as text, such a filter reads as the same one', () => {
    fc.assert(
      fc.property(value, given => {
        const read = FilterParser.parseString(equals('cn', given).toString())
        assert.ok(read instanceof EqualityFilter)
        assert.equal(read.value.toString(), given)
      }),
    )
  })

  test('groups in groups are asked for by Active Directory’s rule', () => {
    const filter = inChain('member', 'cn=a,dc=x')
    assert.ok(filter instanceof ExtensibleFilter)
    assert.equal(filter.toString(), '(member:1.2.840.113556.1.4.1941:=cn=a,dc=x)')
    const reader = new BerReader(sent(filter))
    reader.readSequence(0xa9)
    assert.equal(reader.readString(0x81), '1.2.840.113556.1.4.1941')
    assert.equal(reader.readString(0x82), 'member')
    assert.equal(reader.readString(0x83), 'cn=a,dc=x')
  })

  test('an operator’s own filter stands beside the others, with brackets or without', () => {
    for (const text of ['(uid=a)', 'uid=a', ' (uid=a) ']) {
      const filter = all(present('uid'), ...written('user_filter', text), any(equals('cn', 'b')))
      assert.equal(filter.toString(), '(&(uid=*)(uid=a)(|(cn=b)))')
    }
    assert.deepEqual([written('x', null), written('x', ' ')], [[], []])
    for (const text of ['((', '(uid=a', '(&(a=b)']) assert.throws(() => written('user_filter', text), /user_filter/)
  })

  test('identifiers of Active Directory are found by their bytes', () => {
    const text = '6b29fc40-ca47-1067-b31d-00dd010662da'
    const bytes = Buffer.from('40fc296b47ca6710b31d00dd010662da', 'hex')
    assert.deepEqual(guidBytes(text), bytes)
    assert.equal(guidText(bytes), text)
    assert.ok(sent(equals('objectGUID', text)).includes(bytes))
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), some => {
        assert.deepEqual(guidBytes(guidText(Buffer.from(some))), Buffer.from(some))
      }),
    )
  })
})
