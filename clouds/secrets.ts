/** Passwords of a cloud, made at random at its first start and kept in `secrets.json`, readable by its owner alone. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Runtime } from '@strata/toolkit/runtime'

export interface Secrets {
  readonly admin: string
  readonly demo: string
  /** The services' own users share one, since they share a process. */
  readonly service: string
}

export function loadSecrets(state: string, runtime: Runtime): Secrets {
  const file = join(state, 'secrets.json')
  const known = read(file)
  if (known) return known
  const password = () => Buffer.from(runtime.bytes(18)).toString('base64url')
  const secrets: Secrets = { admin: password(), demo: password(), service: password() }
  writeFileSync(`${file}.new`, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return secrets
}

function read(file: string): Secrets | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Secrets
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`${file} cannot be read: ${(thrown as Error).message}`, { cause: thrown })
  }
}
