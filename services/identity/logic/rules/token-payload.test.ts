import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { methods, packToken, type TokenPayload, unpackToken } from './token-payload.ts'

const hexId = fc.uuid().map(id => id.replaceAll('-', ''))
const id = fc.oneof(hexId, fc.constantFrom('default', 'LDAP:ü/1'), fc.string({ minLength: 1, maxLength: 60 }))
const auditId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytes => Buffer.from(bytes).toString('base64url'))
const time = fc.integer({ min: 0, max: 2 ** 45 })
const plain = { noNullPrototype: true } as const
const payload: fc.Arbitrary<TokenPayload> = fc.record(
  {
    userId: id,
    scope: fc.oneof(
      fc.constantFrom({ type: 'unscoped' } as const, { type: 'system' } as const),
      fc.record({ type: fc.constantFrom('project', 'domain'), id }, plain),
    ),
    methods: fc.subarray([...methods]),
    issuedAt: time,
    expiresAt: time,
    auditIds: fc.array(auditId, { minLength: 1, maxLength: 2 }),
    delegation: fc.record(
      { type: fc.constantFrom('application_credential', 'trust', 'access_token', 'certificate'), id },
      plain,
    ),
    federation: fc.record({ idpId: id, protocolId: id, groupIds: fc.array(hexId, { maxLength: 300 }) }, plain),
  },
  { ...plain, requiredKeys: ['userId', 'scope', 'methods', 'issuedAt', 'expiresAt', 'auditIds'] },
)

test('a token says what was put into it', () => {
  fc.assert(
    fc.property(payload, one => {
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
