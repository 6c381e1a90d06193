import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemRuntime } from '@strata/toolkit/runtime'
import { selfSigned } from './certificate.ts'
import { samlKeys } from './keys.ts'

test('a certificate of our own is one that OpenSSL reads and finds signed by its key', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const serial = new Uint8Array(16).fill(0xff)
  for (const [notAfter, shown] of [
    [Date.UTC(2036, 4, 6), 'May  6 00:00:00 2036 GMT'],
    [Date.UTC(2051, 4, 6), 'May  6 00:00:00 2051 GMT'],
  ] as const) {
    const pem = selfSigned({ key, name: 'a cloud & möre', serial, notBefore: Date.UTC(2026, 0, 2), notAfter })
    const certificate = new X509Certificate(pem)
    assert.equal(certificate.subject, 'CN=a cloud & möre')
    assert.equal(certificate.verify(certificate.publicKey), true)
    assert.equal(certificate.checkPrivateKey(privateKey), true)
    assert.deepEqual([certificate.ca, certificate.serialNumber], [false, '7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF'])
    const dates = execFileSync('openssl', ['x509', '-noout', '-dates'], { input: pem, encoding: 'utf8' })
    assert.equal(dates, `notBefore=Jan  2 00:00:00 2026 GMT\nnotAfter=${shown}\n`)
  }
})

test('a pair is made once, for its owner alone, and read from then on; own files must belong together', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'strata-test-'))
  try {
    const options = { folder: join(folder, 'saml'), runtime: systemRuntime, name: 'cloud' }
    const [one, other] = await Promise.all([samlKeys(options).signing(), samlKeys(options).signing()])
    assert.deepEqual(one, other)
    assert.deepEqual(await samlKeys(options).signing(), one)
    assert.deepEqual(readdirSync(options.folder), ['signing.pem'])
    assert.equal(statSync(join(options.folder, 'signing.pem')).mode & 0o777, 0o600)
    const [keyfile, certfile] = [join(folder, 'key'), join(folder, 'cert')]
    writeFileSync(keyfile, one.key)
    writeFileSync(certfile, one.certificate)
    assert.deepEqual(await samlKeys({ ...options, keyfile, certfile }).signing(), one)
    writeFileSync(certfile, (await samlKeys(options).encryption()).certificate)
    assert.throws(() => samlKeys({ ...options, keyfile, certfile }), /are no pair/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
