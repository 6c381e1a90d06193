/** For tests: a consumer of OAuth 1.0 that signs its requests. */
import { createHmac, randomUUID } from 'node:crypto'
import { formPairs, type OAuth1Header, readOAuth1Header, signatureBase } from './logic/rules/oauth1-signature.ts'

export interface Signer {
  readonly key: string
  readonly secret: string
  readonly token?: { readonly id: string; readonly secret: string }
}

const escaped = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, one => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

/** The header `Authorization` of a POST; `changes` are parameters of the protocol. */
export function authorization(
  url: string,
  { key, secret, token }: Signer,
  changes: Readonly<Record<string, string | undefined>> = {},
): string {
  const parameters = {
    oauth_consumer_key: key,
    oauth_token: token?.id,
    oauth_signature_method: 'HMAC-SHA1',
    oauth_timestamp: String(Math.floor(Date.now() / 1000)),
    oauth_nonce: randomUUID(),
    oauth_version: '1.0',
    ...changes,
  }
  const written = (given: object) =>
    `OAuth realm="",${Object.entries(given)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}="${escaped(value)}"`)
      .join(',')}`
  const header = readOAuth1Header(written({ ...parameters, oauth_signature: 'x' })) as OAuth1Header
  const [bare = '', query = ''] = url.split('?')
  const base = signatureBase({ method: 'POST', url: bare, parameters: formPairs(query), header })
  const signature = createHmac('sha1', `${escaped(secret)}&${escaped(token?.secret ?? '')}`)
    .update(base)
    .digest('base64')
  return written({ ...parameters, oauth_signature: signature })
}
