import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyPayload } from './test-payload.ts'
import { packToken, unpackToken } from './token-payload.ts'

test('a token says what was put into it', () => {
  fc.assert(
    fc.property(anyPayload, one => {
      // Ids are text that came in as JSON or from the database: well-formed.
      fc.pre(one.userId.isWellFormed())
      assert.deepEqual(unpackToken(packToken(one)), one)
    }),
  )
})

test('whatever the bytes, reading them ends in a payload or in none', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), bytes => void unpackToken(Buffer.from(bytes))))
})

test('bytes that are cut off or follow the end are no token', () => {
  const packed = packToken({
    userId: 'a'.repeat(32),
    scope: { type: 'project', id: 'default' },
    methods: ['password'],
    issuedAt: 1,
    expiresAt: 2,
    auditIds: ['AAAAAAAAAAAAAAAAAAAAAA'],
    delegation: { type: 'application_credential', id: 'b'.repeat(32) },
  })
  // What a token without a delegation is, cut off before it, is a token of its own: only a key's holder can make one.
  const bare = packed.length - 1 - 17
  for (let length = 0; length < packed.length; length++)
    if (length !== bare) assert.equal(unpackToken(packed.subarray(0, length)), undefined, `${length} bytes`)
  assert.equal(unpackToken(Buffer.concat([packed, Buffer.from([0])])), undefined)
})
