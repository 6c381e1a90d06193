/** For tests: whatever may lie inside a token. */
import fc from 'fast-check'
import { delegations, methods, type TokenPayload } from './token-payload.ts'

const hexId = fc.uuid().map(id => id.replaceAll('-', ''))
const id = fc.oneof(hexId, fc.constantFrom('default', 'LDAP:ü/1'), fc.string({ minLength: 1, maxLength: 60 }))
const auditId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytes => Buffer.from(bytes).toString('base64url'))
const time = fc.integer({ min: 0, max: 2 ** 45 })
const plain = { noNullPrototype: true } as const
export const anyPayload: fc.Arbitrary<TokenPayload> = fc.record(
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
    delegation: fc.record({ type: fc.constantFrom(...delegations), id }, plain),
    federation: fc.record({ idpId: id, protocolId: id, groupIds: fc.array(hexId, { maxLength: 300 }) }, plain),
  },
  { ...plain, requiredKeys: ['userId', 'scope', 'methods', 'issuedAt', 'expiresAt', 'auditIds'] },
)
