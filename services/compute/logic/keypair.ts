/** What is done with key pairs: a public key is imported, or (before 2.92) made, with the private one told once. */
import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { badRequest, conflict, type Fault, forbidden, notFound } from '@strata/toolkit/fault'
import { isoTime } from '@strata/toolkit/runtime'
import type { Keypair, KeypairCreation, KeypairType } from '../contract/keypair.ts'
import { findKeypair, insertKeypair, listKeypairs, removeKeypair } from '../store/keypairs.ts'
import type { Compute } from './compute.ts'
import { keyPairUse, limitsFor } from './quota.ts'
import { KeyError, sshFingerprint, sshLine, x509Fingerprint } from './rules/public-key.ts'

export type KeypairDeps = Pick<Compute, 'store' | 'runtime' | 'config'>

const missing = (userId: string, name: string): Fault =>
  notFound(`Keypair ${name} not found for user ${userId}`, 'KeypairNotFound')

const invalid = (reason: string): Fault => badRequest(`Keypair data is invalid: ${reason}`, 'InvalidKeypair')

/** Throws 400 for what is not a key, 403 over quota, and 409 for a name that the user has already. */
export async function createKeypair(
  { store, runtime, config }: KeypairDeps,
  owner: { readonly userId: string; readonly projectId: string },
  given: KeypairCreation,
): Promise<{ readonly keypair: Keypair; readonly privateKey?: string }> {
  const { userId } = owner
  const type = given.type ?? 'ssh'
  const made = given.public_key === undefined ? await generate(type) : { publicKey: given.public_key }
  const fingerprint = fingerprintOf(type, made.publicKey)
  const keypair = await store.transaction(async tx => {
    if (await findKeypair(tx, userId, given.name))
      throw conflict(`Key pair '${given.name}' already exists.`, 'KeyPairExists')
    const { key_pairs: limit } = await limitsFor(tx, config, { projectId: owner.projectId })
    if (limit >= 0 && (await keyPairUse(tx, userId)) >= limit)
      throw forbidden('Quota exceeded, too many key pairs.', 'KeypairLimitExceeded')
    return insertKeypair(tx, {
      user_id: userId,
      name: given.name,
      type,
      public_key: made.publicKey,
      fingerprint,
      created_at: isoTime(runtime.now()),
    })
  })
  return { keypair, ...('privateKey' in made ? { privateKey: made.privateKey } : {}) }
}

function fingerprintOf(type: KeypairType, publicKey: string): string {
  try {
    return type === 'ssh' ? sshFingerprint(publicKey) : x509Fingerprint(publicKey)
  } catch (thrown) {
    if (thrown instanceof KeyError) throw invalid(`public_key: ${thrown.message}`)
    throw thrown
  }
}

async function generate(type: KeypairType): Promise<{ publicKey: string; privateKey: string }> {
  if (type === 'x509') throw invalid('public_key is required: certificates are imported, not made')
  // PKCS #1 is what every SSH client reads, the oldest ones too.
  const pair = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  return {
    publicKey: sshLine(pair.publicKey, 'Generated-by-Strata'),
    privateKey: pair.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string,
  }
}

export async function needKeypair({ store }: KeypairDeps, userId: string, name: string): Promise<Keypair> {
  const found = await findKeypair(store.db, userId, name)
  if (!found) throw missing(userId, name)
  return found
}

/** One more than `limit`, where there are more. Throws a 400 for a marker that is not there. */
export async function keypairsOf(
  { store }: KeypairDeps,
  userId: string,
  range: { readonly marker: string | undefined; readonly limit: number },
): Promise<readonly Keypair[]> {
  if (range.marker !== undefined && !(await findKeypair(store.db, userId, range.marker)))
    throw badRequest(`Marker ${range.marker} could not be found.`, 'MarkerNotFound')
  return listKeypairs(store.db, userId, { after: range.marker, limit: range.limit + 1 })
}

export async function deleteKeypair({ store }: KeypairDeps, userId: string, name: string): Promise<void> {
  if (!(await removeKeypair(store.db, userId, name))) throw missing(userId, name)
}
