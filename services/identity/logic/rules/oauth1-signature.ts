/**
 * Requests that are signed as OAuth 1.0 has it (RFC 5849): by a *consumer* with its secret, and with that of the token that it
 * holds, if any. What is signed is the method, the address and all parameters; the parameters of the protocol itself
 * (`oauth_…`) come in the header `Authorization`.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

export type Pair = readonly [name: string, value: string]

/** The parameters of the protocol. */
export interface OAuth1Header {
  readonly consumerKey: string
  readonly token?: string
  readonly verifier?: string
  readonly callback?: string
  readonly method: keyof typeof hashes
  readonly signature: string
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly nonce: string
  /** All but the signature and the realm: what is signed of them. */
  readonly signed: readonly Pair[]
}

/** PLAINTEXT is not among them: it would show the secret to whoever stands between. */
const hashes = { 'HMAC-SHA1': 'sha1', 'HMAC-SHA256': 'sha256', 'HMAC-SHA512': 'sha512' } as const

export interface SignedOAuth1Request {
  /** POST, … */
  readonly method: string
  /** Without query. */
  readonly url: string
  /** Parameters of the query, and of a body that is a form. */
  readonly parameters: readonly Pair[]
  readonly header: OAuth1Header
}

export interface OAuth1Secrets {
  readonly consumer: string
  readonly token?: string
}

/** The value of a header `Authorization: OAuth …`; a text names what is wrong with it (section 3.5.1). */
export function readOAuth1Header(value: string | undefined): OAuth1Header | string {
  const pairs = pairsIn(value)
  if (!pairs) return 'an Authorization header of the scheme OAuth'
  const given = new Map(pairs)
  if (given.size !== pairs.length) return 'each oauth parameter once'
  const needed = (name: string) => given.get(`oauth_${name}`) || undefined
  for (const name of ['consumer_key', 'signature_method', 'signature', 'timestamp', 'nonce'])
    if (needed(name) === undefined) return `oauth_${name}`
  const method = needed('signature_method')!
  if (!Object.hasOwn(hashes, method)) return `oauth_signature_method of ${Object.keys(hashes).join(', ')}`
  const timestamp = needed('timestamp')!
  if (!/^\d{1,12}$/.test(timestamp)) return 'oauth_timestamp in seconds'
  if ((given.get('oauth_version') ?? '1.0') !== '1.0') return 'oauth_version 1.0'
  return {
    consumerKey: needed('consumer_key')!,
    token: needed('token'),
    verifier: needed('verifier'),
    callback: needed('callback'),
    method: method as OAuth1Header['method'],
    signature: needed('signature')!,
    timestamp: Number(timestamp),
    nonce: needed('nonce')!,
    signed: pairs.filter(([name]) => name !== 'oauth_signature' && name !== 'realm'),
  }
}

/** True when the request was signed with these secrets. Takes the same time however wrong the signature is. */
export function isSignedOAuth1(request: SignedOAuth1Request, secrets: OAuth1Secrets): boolean {
  const { header } = request
  const key = `${encode(secrets.consumer)}&${encode(secrets.token ?? '')}`
  const expected = createHmac(hashes[header.method], key).update(signatureBase(request)).digest()
  const given = Buffer.from(header.signature, 'base64')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** What is signed (section 3.4.1). */
export function signatureBase({ method, url, parameters, header }: SignedOAuth1Request): string {
  const encoded = [...header.signed, ...parameters].map(([name, value]) => [encode(name), encode(value)] as const)
  const sorted = encoded.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
  const joined = sorted.map(([name, value]) => `${name}=${value}`).join('&')
  return [method.toUpperCase(), encode(baseUri(url)), encode(joined)].join('&')
}

/** Parameters as a query or a form has them: a plus is a blank. */
export const formPairs = (text: string): Pair[] => [...new URLSearchParams(text)]

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** `URL` writes scheme and host in lower case, and leaves out a port that is the scheme's own. */
function baseUri(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

/** Section 3.6: all but the unreserved characters of RFC 3986. */
const encode = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, one => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

function pairsIn(value: string | undefined): Pair[] | undefined {
  const [, list] = /^OAuth\s+(.*)$/is.exec(value ?? '') ?? []
  if (list === undefined || list.length > 8192) return undefined
  const pairs: Pair[] = []
  for (const part of list.split(',')) {
    const [, name, text] = /^\s*([\w.~%-]+)="([^"]*)"\s*$/.exec(part) ?? []
    if (name === undefined || text === undefined) return undefined
    try {
      pairs.push([decodeURIComponent(name), decodeURIComponent(text)])
    } catch {
      return undefined
    }
  }
  return pairs
}
