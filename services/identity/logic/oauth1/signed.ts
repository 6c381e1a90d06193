/** Whether a request of OAuth 1.0 is signed by whom it names, is recent, and was not seen before. */
import { createHash } from 'node:crypto'
import { badRequest, unauthorized } from '@strata/toolkit/fault'
import { expectedToFind } from '../../contract/errors.ts'
import { addNonce } from '../../store/oauth1.ts'
import type { Parts } from '../parts.ts'
import {
  isSignedOAuth1,
  type OAuth1Header,
  type OAuth1Secrets,
  type Pair,
  readOAuth1Header,
} from '../rules/oauth1-signature.ts'

/** Where a request went. */
export interface SentTo {
  /** The service's root as the caller reached it, and the path below it. */
  readonly baseUrl: string
  readonly path: string
  /** Of the query, and of a body that is a form. */
  readonly parameters: readonly Pair[]
}

export interface OAuth1Request extends SentTo {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** How far the time of a request may be from now, either way, in milliseconds. */
const tolerance = 10 * 60_000

/** Throws a 400 that names what is missing or malformed. */
export function oauth1HeaderOf({ headers }: Pick<OAuth1Request, 'headers'>): OAuth1Header {
  const { authorization } = headers
  const header = readOAuth1Header(typeof authorization === 'string' ? authorization : undefined)
  if (typeof header === 'string') throw expectedToFind(header, 'request')
  return header
}

/** All such requests are POST. Throws a 401, or a 400 for a time that is far from now. */
export async function requireSigned(
  parts: Pick<Parts, 'store' | 'runtime' | 'config'>,
  request: OAuth1Request,
  header: OAuth1Header,
  secrets: OAuth1Secrets,
): Promise<void> {
  const { store, runtime, config } = parts
  const now = runtime.now()
  const { path } = request
  const roots = [request.baseUrl, ...(config.public_endpoint ? [config.public_endpoint.replace(/\/+$/, '')] : [])]
  const signed = roots
    // Some clients leave the query out.
    .flatMap(root => [request.parameters, []].map(parameters => ({ url: `${root}${path}`, parameters })))
    .some(one => isSignedOAuth1({ ...one, method: 'POST', header }, secrets))
  if (!signed) throw unauthorized('Invalid signature')
  if (Math.abs(now - header.timestamp * 1000) > tolerance)
    throw badRequest('The oauth_timestamp is too far from the time of the server.', 'ValidationError')
  const { consumerKey, token, timestamp, nonce } = header
  const id = createHash('sha256')
    .update(JSON.stringify([consumerKey, token, timestamp, nonce]))
    .digest('hex')
  const expiresAt = timestamp * 1000 + tolerance
  // Only those of requests that were signed are kept: nobody else can fill the table.
  if (!(await addNonce(store.db, { id, expires_at: expiresAt }, now))) throw unauthorized('The nonce was used before.')
}
