import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { openJws, signJws } from './jws-token.ts'
import { anyPayload } from './test-payload.ts'
import type { TokenPayload } from './token-payload.ts'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const only = (key: KeyObject) => () => [key]
const open = (text: string) => openJws(text, only(pair.publicKey))
const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const payload: TokenPayload = {
  userId: 'u',
  scope: { type: 'project', id: 'p' },
  methods: ['password'],
  issuedAt: 1_700_000_000_123,
  expiresAt: 1_700_003_600_123,
  auditIds: ['AAAAAAAAAAAAAAAAAAAAAA'],
}
/** A token with whatever head and body, rightly signed. */
function forge(header: unknown, body: unknown, key: KeyObject = pair.privateKey): string {
  const text = `${encode(header)}.${encode(body)}`
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
const parts = (text: string) => text.split('.') as [string, string, string]
const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())

describe('tokens as signed JSON', () => {
  test('one says what was put into it', () => {
    fc.assert(fc.property(anyPayload, one => assert.deepEqual(open(signJws(one, pair.privateKey, 'k')), one)))
  })

  test('its claims are those of the field', () => {
    const [head, body] = parts(signJws(payload, pair.privateKey, 'k'))
    assert.deepEqual(read(head), { alg: 'ES256', typ: 'JWT', kid: 'k' })
    assert.deepEqual(read(body), {
      sub: 'u',
      iat: 1_700_000_000.123,
      exp: 1_700_003_600.123,
      openstack_methods: ['password'],
      openstack_audit_ids: ['AAAAAAAAAAAAAAAAAAAAAA'],
      openstack_project_id: 'p',
    })
    // As another maker of such tokens writes them: whole seconds, no key id.
    const claims = { ...read(body), iat: 1_700_000_000, exp: 1_700_003_600 }
    const theirs = open(forge({ typ: 'JWT', alg: 'ES256' }, claims))
    assert.deepEqual(theirs, { ...payload, issuedAt: 1_700_000_000_000, expiresAt: 1_700_003_600_000 })
  })

  test('no other algorithm, key or form is believed', () => {
    const good = signJws(payload, pair.privateKey, 'k')
    const [head, body, signature] = parts(good)
    const claims = read(body)
    const pem = pair.publicKey.export({ type: 'spki', format: 'pem' })
    const hs256 = `${encode({ alg: 'HS256', typ: 'JWT' })}.${body}`
    const der = sign('sha256', Buffer.from(`${head}.${body}`), pair.privateKey).toString('base64url')
    const wrong: Record<string, string> = {
      none: `${encode({ alg: 'none' })}.${body}.`,
      'none, but signed': forge({ alg: 'none' }, claims),
      'the public key as a secret': `${hs256}.${createHmac('sha256', pem).update(hs256).digest('base64url')}`,
      'another algorithm in the head': forge({ alg: 'ES384' }, claims),
      'nobody’s signature': `${head}.${body}.${'A'.repeat(86)}`,
      'a signature in another form': `${head}.${body}.${der}`,
      'another key': forge(read(head), claims, other.privateKey),
      'another body': `${head}.${encode({ ...claims, sub: 'admin' })}.${signature}`,
      'something critical': forge({ alg: 'ES256', crit: ['b64'], b64: false }, claims),
      'a head that is no object': forge('null', claims),
      'a body that is no object': forge(read(head), '[]'),
      'no time': forge(read(head), { ...claims, exp: undefined }),
      'a time as text': forge(read(head), { ...claims, exp: '1700003600' }),
      'no user': forge(read(head), { ...claims, sub: '' }),
      'an unknown method': forge(read(head), { ...claims, openstack_methods: ['magic'] }),
      'more parts': `${good}.x`,
      'fewer parts': `${head}.${body}`,
      'another spelling': `${head}=.${body}.${signature}`,
    }
    assert.deepEqual(open(good), payload)
    for (const [what, text] of Object.entries(wrong)) assert.equal(open(text), undefined, what)
  })

  test('the key is looked for by its id, and whatever the text, reading it ends', () => {
    const asked: unknown[] = []
    openJws(signJws(payload, pair.privateKey, 'k'), header => {
      asked.push(header.kid)
      return []
    })
    assert.deepEqual(asked, ['k'])
    assert.equal(open(forge({ alg: 'ES256', kid: { x: 1 } }, {})), undefined)
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => void open(`${a}.${b}.${'A'.repeat(86)}`)))
  })
})
