/**
 * The pairs of keys that this cloud signs with and has assertions encrypted for, in files that the owner alone can read. A pair is
 * made when it is first asked for, unless the operator names files of their own.
 */
import { createPrivateKey, generateKeyPair, X509Certificate } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Runtime } from '@strata/toolkit/runtime'
import { selfSigned } from './certificate.ts'
import type { SigningKey } from './signature.ts'

export interface SamlKeys {
  signing(): Promise<SigningKey>
  encryption(): Promise<SigningKey>
}

const years = 365.25 * 24 * 3_600_000
const validFor = 10 * years
const generate = promisify(generateKeyPair)

export function samlKeys(options: {
  readonly folder: string
  readonly runtime: Runtime
  /** What the certificate is called. */
  readonly name: string
  /** The operator's own files for signatures; both or none. */
  readonly keyfile?: string
  readonly certfile?: string
}): SamlKeys {
  const { keyfile, certfile } = options
  const given = keyfile !== undefined && certfile !== undefined ? readPair(keyfile, certfile) : undefined
  const made = (name: string) => once(() => pairIn({ ...options, file: name }))
  return { signing: given ? async () => given : made('signing'), encryption: made('encryption') }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => {
    result ??= make().catch(thrown => {
      result = undefined
      throw thrown
    })
    return result
  }
}

/** Throws when they do not belong together. */
function readPair(keyfile: string, certfile: string): SigningKey {
  const key = readFileSync(keyfile, 'utf8')
  const certificate = readFileSync(certfile, 'utf8')
  return checkedPair(key, certificate, `${keyfile} and ${certfile}`)
}

function checkedPair(key: string, certificate: string, where: string): SigningKey {
  const parsed = new X509Certificate(certificate)
  if (parsed.publicKey.asymmetricKeyType !== 'rsa' || !parsed.checkPrivateKey(createPrivateKey(key)))
    throw new Error(`${where} are no pair of an RSA key and its certificate`)
  return { key, certificate: parsed.toString() }
}

async function pairIn(options: {
  readonly folder: string
  readonly runtime: Runtime
  readonly name: string
  readonly file: string
}): Promise<SigningKey> {
  const { folder, runtime } = options
  const path = join(folder, `${options.file}.pem`)
  const known = read(path)
  if (known !== undefined) return split(known, path)
  const { privateKey } = await generate('rsa', { modulusLength: 3072 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const now = runtime.now()
  const certificate = selfSigned({
    key,
    name: options.name,
    serial: runtime.bytes(16),
    notBefore: now - 3_600_000,
    notAfter: now + validFor,
  })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const temporary = `${path}.${runtime.uuid()}`
  writeFileSync(temporary, key + certificate, { mode: 0o600 })
  try {
    // Another replica may have been faster: its pair is the one that metadata tell of.
    linkSync(temporary, path)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
  } finally {
    rmSync(temporary)
  }
  return split(readFileSync(path, 'utf8'), path)
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw thrown
  }
}

function split(text: string, path: string): SigningKey {
  const at = text.indexOf('-----BEGIN CERTIFICATE-----')
  return checkedPair(text.slice(0, at), text.slice(at), path)
}
