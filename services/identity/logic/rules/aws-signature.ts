/**
 * Signatures of the EC2 and S3 APIs: versions 2 and 4 of AWS's request signing, and the older one of S3. Who received a
 * request hands on its parts; the secret never leaves identity. Versions 0 and 1 let parameters be moved about under the
 * same signature and are refused.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { SignedRequest } from '../../contract/credential.ts'
import { parseTime } from './times.ts'

const algorithm4 = 'AWS4-HMAC-SHA256'

/** True when the request was signed with the secret. */
export function isSignedEc2(request: SignedRequest, secret: string): boolean {
  return hosts(request.host ?? '').some(host => equal(ec2Signature({ ...request, host }, secret), request.signature))
}

/** True when the text that a client of S3 signed was signed with the secret. */
export function isSignedS3(request: SignedRequest, secret: string): boolean {
  const text = Buffer.from(request.token ?? '', 'base64url')
  const lines = text.toString('utf8').split('\n')
  const expected =
    lines[0] === algorithm4
      ? version4(secret, lines[2] ?? '', text)
      : createHmac('sha1', secret).update(text).digest('base64')
  return text.length > 0 && equal(expected, request.signature)
}

/** When a request of EC2 says that it was signed (milliseconds since 1970); undefined when it does not say. */
export function signedAt(request: SignedRequest): number | undefined {
  const text = amzDate(request) ?? request.params?.['Timestamp'] ?? ''
  const extended = text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')
  return parseTime(extended)?.at
}

/** Some clients sign the host without its port. */
const hosts = (host: string): string[] => (host.includes(':') ? [host, host.slice(0, host.lastIndexOf(':'))] : [host])

function ec2Signature(request: SignedRequest, secret: string): string | undefined {
  const { params = {} } = request
  if (params['SignatureVersion'] === '2') return version2(request, secret)
  if (params['X-Amz-Algorithm'] === algorithm4 || header(request, 'authorization')?.startsWith(algorithm4))
    return version4Ec2(request, secret)
  return undefined
}

function version2({ verb = '', host = '', path = '', params = {} }: SignedRequest, secret: string): string {
  const { Signature: _, ...signed } = params
  const method = signed['SignatureMethod'] === 'HmacSHA1' ? 'sha1' : 'sha256'
  const text = [verb.toUpperCase(), host.toLowerCase(), path, canonicalQuery(signed)].join('\n')
  return createHmac(method, secret).update(text).digest('base64')
}

function version4Ec2(request: SignedRequest, secret: string): string | undefined {
  const { verb = '', path = '', params = {}, body_hash: bodyHash = '' } = request
  const authorization = header(request, 'authorization') ?? ''
  const inQuery = params['X-Amz-Algorithm'] === algorithm4
  const said = (name: string) => new RegExp(`${name}=([^,\\s]+)`).exec(authorization)?.[1]
  const credential = inQuery ? params['X-Amz-Credential'] : said('Credential')
  const names = (inQuery ? params['X-Amz-SignedHeaders'] : said('SignedHeaders'))?.split(';')
  const scope = credential?.split('/').slice(1).join('/')
  const date = amzDate(request)
  if (!scope || !names || !date) return undefined
  const { 'X-Amz-Signature': _, ...query } = params
  // The parameters of a form are in the body, which is signed by its hash.
  const queryText = verb.toUpperCase() === 'POST' && !inQuery ? '' : canonicalQuery(query)
  const value = (name: string) => (name === 'host' ? request.host : header(request, name)) ?? ''
  const headers = names.map(name => `${name.toLowerCase()}:${value(name).trim()}\n`).join('')
  const canonical = [verb.toUpperCase(), path, queryText, headers, names.join(';'), bodyHash].join('\n')
  const hash = createHash('sha256').update(canonical).digest('hex')
  return version4(secret, scope, [algorithm4, date, scope, hash].join('\n'))
}

/** `scope`: `20261120/RegionOne/ec2/aws4_request`. */
function version4(secret: string, scope: string, text: string | Uint8Array): string | undefined {
  const [date, region, service, end, ...rest] = scope.split('/')
  if (!date || region === undefined || !service || end !== 'aws4_request' || rest.length > 0) return undefined
  const step = (key: string | Buffer, word: string) => createHmac('sha256', key).update(word).digest()
  const key = [date, region, service, end].reduce<string | Buffer>(step, `AWS4${secret}`)
  return createHmac('sha256', key).update(text).digest('hex')
}

const amzDate = (request: SignedRequest): string | undefined =>
  header(request, 'x-amz-date') ?? request.params?.['X-Amz-Date']

function header({ headers = {} }: SignedRequest, name: string): string | undefined {
  return Object.entries(headers).find(([one]) => one.toLowerCase() === name.toLowerCase())?.[1]
}

/** RFC 3986: everything but letters, digits and `-_.~` is escaped. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

function canonicalQuery(params: Readonly<Record<string, string>>): string {
  return Object.keys(params)
    .sort()
    .map(name => `${escaped(name)}=${escaped(params[name]!)}`)
    .join('&')
}

function equal(expected: string | undefined, given: string): boolean {
  if (expected === undefined) return false
  const [one, other] = [Buffer.from(expected), Buffer.from(given)]
  return one.length === other.length && timingSafeEqual(one, other)
}
