import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decrypt, encrypt, parseKey } from './fernet.ts'

// The vectors of the specification (generate.json, verify.json and invalid.json of github.com/fernet/spec).
const key = parseKey('cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=')!
const vector = 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=='
const madeAt = 499_162_800_000

test('a message is encrypted as the specification has it', () => {
  const iv = Uint8Array.from({ length: 16 }, (_, n) => n)
  assert.equal(encrypt({ key, message: Buffer.from('hello'), now: madeAt, iv }), vector)
})

test('the specification’s token is read, with and without its padding', () => {
  for (const token of [vector, vector.replaceAll('=', '')]) {
    const opened = decrypt([key], token)
    assert.equal(opened?.message.toString(), 'hello')
    assert.equal(opened?.madeAt, madeAt)
  }
})

test('the specification’s invalid tokens are refused', () => {
  const invalid = {
    'incorrect mac':
      'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==',
    'too short': 'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==',
    'invalid base64':
      '%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==',
    'payload size not multiple of block size':
      'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm',
    'payload padding error':
      'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==',
    'incorrect iv (causes padding error)':
      'gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==',
  }
  for (const [why, token] of Object.entries(invalid)) assert.equal(decrypt([key], token), undefined, why)
})

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

test('what was encrypted with one of the keys is read, and with none of the others', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes(32), bytes(32), bytes(16), (message, one, other, iv) => {
      const token = encrypt({ key: one, message, now: 1_000_000, iv })
      assert.deepEqual(decrypt([other, one], token)?.message, Buffer.from(message))
      if (Buffer.compare(one.subarray(0, 16), other.subarray(0, 16)) !== 0)
        assert.equal(decrypt([other], token), undefined)
    }),
    { numRuns: 50 },
  )
})

test('a token of which one character was changed is refused', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  fc.assert(
    fc.property(fc.nat(vector.length - 3), fc.nat(63), (at, character) => {
      const changed = vector.slice(0, at) + alphabet[character] + vector.slice(at + 1)
      fc.pre(changed !== vector)
      assert.equal(decrypt([key], changed), undefined)
    }),
    { numRuns: 300 },
  )
})

test('a key that is not 32 bytes is none', () => {
  assert.equal(parseKey('c2hvcnQ='), undefined)
  assert.equal(parseKey('not base64!'), undefined)
})
