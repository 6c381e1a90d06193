/**
 * Keys of tokens that are signed JSON. `private/private.pem` signs, `private/staged.pem` will sign next, and `public/` has the
 * public key of each, named by a number, from before it signs until the last token that it signed has ended. Public keys that
 * the operator puts there under other names (of replicas that share no folder, say) are believed, too, and left alone.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Runtime } from '@strata/toolkit/runtime'
import type { JwsHeader } from '../rules/jws-token.ts'
import {
  changedAt,
  type KeyRing,
  type ListedKey,
  locked,
  makeFolder,
  makeOnce,
  outlived,
  readSteadily,
  signatureOf,
  writeKey,
} from './key-folder.ts'

export interface JwsKeys extends KeyRing {
  signing(): { readonly key: KeyObject; readonly kid: string }
  /** Those that a token with this header may be signed with. */
  publicKeys(header: JwsHeader): readonly KeyObject[]
}

interface Loaded {
  readonly signature: string
  readonly signing: { readonly key: KeyObject; readonly kid: string }
  readonly byKid: ReadonlyMap<string, KeyObject>
  readonly since: number
}

/** Opens the folder, made with its first keys if absent. */
export function openJwsKeys(options: {
  readonly folder: string
  readonly runtime: Runtime
  /** Public keys of its own that are kept at most, the staged one included. */
  readonly maxActive: number
  /** Milliseconds for which a key that was replaced is kept in any case. */
  readonly keepFor: number
}): JwsKeys {
  const { folder, runtime, maxActive, keepFor } = options
  const [privates, publics] = [join(folder, 'private'), join(folder, 'public')]
  const [signing, staged] = [join(privates, 'private.pem'), join(privates, 'staged.pem')]
  for (const path of [folder, privates, publics]) makeFolder(path)
  const publicPath = (number: number) => join(publics, `${number}.pem`)
  /** The newest first: that of the staged key. */
  const numbers = () =>
    readdirSync(publics)
      .flatMap(name => /^(\d+)\.pem$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => b - a)
  const signature = () => `${signatureOf(privates)};${signatureOf(publics)}`
  const generate = (file: string) => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    // Everybody must be able to check what it signs before it signs anything.
    writeKey(publicPath((numbers()[0] ?? 0) + 1), pair.publicKey.export({ type: 'spki', format: 'pem' }).toString())
    writeKey(file, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  }
  const load = (): Loaded =>
    readSteadily(() => {
      const seen = signature()
      const key = createPrivateKey(readFileSync(signing))
      const byKid = new Map<string, KeyObject>()
      for (const name of readdirSync(publics).filter(one => one.endsWith('.pem') && !one.startsWith('.'))) {
        const known = readPublic(join(publics, name))
        byKid.set(kidOf(known), known)
      }
      // An operator's private key may have come without its public one.
      const own = createPublicKey(key)
      byKid.set(kidOf(own), own)
      return { signature: seen, signing: { key, kid: kidOf(own) }, byKid, since: changedAt(signing) }
    })
  const lacks = () => [signing, staged].filter(file => !existsSync(file))
  makeOnce(
    folder,
    runtime.now,
    () => lacks().length === 0,
    () => lacks().forEach(generate),
  )
  let loaded = load()
  const reload = () => {
    loaded = load()
  }
  const change = (): boolean => {
    const before = loaded.signing.kid
    reload()
    if (loaded.signing.kid !== before) return false
    renameSync(staged, signing)
    generate(staged)
    const own = numbers()
    // Of the newest two, one signs and one is staged; each other was replaced when its successor's successor was made.
    const replacedAt = (number: number) => changedAt(publicPath(own[Math.max(0, own.indexOf(number) - 2)]!))
    const going = outlived(own, { count: maxActive, keepFor, now: runtime.now(), replacedAt })
    for (const number of going) rmSync(publicPath(number))
    reload()
    return true
  }
  return {
    signing: () => loaded.signing,
    publicKeys({ kid }) {
      if (kid === undefined) return [...loaded.byKid.values()]
      const key = loaded.byKid.get(kid)
      return key ? [key] : []
    },
    primarySince: () => loaded.since,
    reload,
    reloadIfChanged() {
      if (signature() === loaded.signature) return false
      reload()
      return true
    },
    rotate: () => locked(folder, runtime.now(), change) ?? false,
    list: () => readSteadily(() => listed(publics, { signing, staged })),
  }
}

function listed(publics: string, own: { readonly signing: string; readonly staged: string }): ListedKey[] {
  const kidIn = (file: string) => (existsSync(file) ? kidOf(createPublicKey(readFileSync(file))) : undefined)
  const [signing, staged] = [kidIn(own.signing), kidIn(own.staged)]
  return readdirSync(publics)
    .filter(name => name.endsWith('.pem') && !name.startsWith('.'))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map(name => {
      const file = join(publics, name)
      const kid = kidOf(readPublic(file))
      const ours = /^\d+\.pem$/.test(name)
      const state = kid === signing ? 'primary' : kid === staged ? 'staged' : ours ? 'secondary' : 'foreign'
      return { file: join('public', name), state, since: changedAt(kid === signing ? own.signing : file) }
    })
}

function readPublic(file: string): KeyObject {
  const key = createPublicKey(readFileSync(file))
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new Error(`${file} does not hold a key of the curve P-256`)
  return key
}

/** Of a public key: a hash of it, so that no two keys have the same. */
const kidOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
    .slice(0, 16)
