import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { KeyError, sshFingerprint, sshLine } from './public-key.ts'

// Made by `ssh-keygen`, with the fingerprints that `ssh-keygen -l -E md5` tells.
const known: [line: string, fingerprint: string][] = [
  [
    'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCsIOijTKW2XUIwnG2Acl/e+PDz5UyMXMZqXKc5sV5QYLATHQqkfK1oSOj1xt2Q7HvwfWjTLrnBXIkyJ7xs4e/e3hvCBLoiE85Oy7nFO7oIGKiMwX0W1EL9UOU2FuufX/0MWKOW8DlUS6uQetEkzcDiivpVm3APPBqgLElZJp4B342q63en1Eg1km+LqXYgBBr+iYzuoGQphYiGdvmn3Ih9shAi8QxjeVX0LiIvkYD4ldtQCxvueDxwfjbEmB3mpu/XOf6lqlWq/kzrTy1KNhX5zZyFui9wSZwFiJ+ftLsP8SsiJr0yD7Z3Gq5JqzRQWkOsfiCPCojv1Pa/4TWvra1l me@here',
    'ec:b2:9a:95:3c:a8:c2:af:df:ac:1a:a7:95:72:87:78',
  ],
  [
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILexQSeBKmesALml2QM6vhmTN1fRU0m9Vdgb4cjqt4d4 me@here',
    'cc:04:a0:43:e7:1b:ef:5a:af:0c:81:93:56:05:dd:e2',
  ],
  [
    'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBNO4q9ky3EFflljNQdmHPx94hI/jUddp01BbpElUhpWLwm/jyMXxxX5SVNN5THE+5k2t9Ph6f5exQJHwKb+CG3I= me at home',
    '76:35:dc:a0:5d:e9:51:d9:68:14:9a:3c:ad:04:20:bf',
  ],
]

for (const [line, fingerprint] of known)
  test(`${line.split(' ')[0]} has its fingerprint`, () => assert.equal(sshFingerprint(line), fingerprint))

const [rsa, ed25519, ecdsa] = known.map(([line]) => line) as [string, string, string]
const refused: [string, string, RegExp][] = [
  ['nothing', '', /not of the form/],
  ['one word', 'ssh-rsa', /not of the form/],
  ['no base64', 'ssh-rsa ???', /not base64/],
  ['two lines', `${ed25519}\n${ed25519}`, /more than one line/],
  ['another type', ed25519.replace('ssh-ed25519 ', 'ssh-rsa '), /not hold a key of the type/],
  ['an unknown type', `ssh-none ${Buffer.from('\0\0\0\x08ssh-none').toString('base64')}`, /not known/],
  ['a cut', `ssh-rsa ${rsa.split(' ')[1]!.slice(0, 200)}`, /cut off/],
  ['a key without its parts', `ssh-rsa ${Buffer.from('\0\0\0\x07ssh-rsa').toString('base64')}`, /damaged/],
]
for (const [what, line, message] of refused)
  test(`${what} is refused`, () => assert.throws(() => sshFingerprint(line), { name: 'KeyError', message }))

test('a point beside its curve is refused', () => {
  const blob = Buffer.from(ecdsa.split(' ')[1]!, 'base64')
  blob[blob.length - 1]! ^= 1
  assert.throws(() => sshFingerprint(`${ecdsa.split(' ')[0]} ${blob.toString('base64')}`), /not on the curve/)
})

test('a short RSA key is refused', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 768 })
  assert.throws(() => sshFingerprint(sshLine(publicKey, 'x')), /fewer than 1024 bits/)
})

test('a line that is written can be read', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  assert.match(sshFingerprint(sshLine(publicKey, 'me')), /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/)
})

test('whatever is sent is taken or refused in words, never a crash', () => {
  const blobs = fc.tuple(fc.constantFrom('ssh-rsa', 'ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-dss'), fc.uint8Array())
  fc.assert(
    fc.property(blobs, ([type, bytes]) => {
      const head = Buffer.concat([Buffer.from([0, 0, 0, type.length]), Buffer.from(type), bytes])
      try {
        sshFingerprint(`${type} ${head.toString('base64')}`)
      } catch (thrown) {
        assert.ok(thrown instanceof KeyError)
      }
    }),
  )
})
