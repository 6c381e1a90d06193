/**
 * One request and its answer: what is known of it so far, and how its answer is written. An *exchange* begins with the head
 * of the request and ends when its connection has taken the answer, or was given up.
 *
 * Answers that are whole are written to the connection here, not by Fastify: its general way costs as much again as all
 * else that a small answer needs. Streams are left to it.
 */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RequestContext } from '../context/index.ts'
import { type MicroversionRange, varyHeader, versionHeaders } from './microversion.ts'

const key = Symbol('exchange')
type Carrier = FastifyRequest & { [key]: Exchange }

export class Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly id: string
  /** Of the runtime's monotonic clock. */
  readonly started: number
  /** Undefined where the service has no microversions, or the one that was asked for is none. */
  minor: number | undefined = undefined
  context: RequestContext | undefined = undefined

  constructor(request: FastifyRequest, reply: FastifyReply, id: string, started: number) {
    this.request = request
    this.reply = reply
    this.id = id
    this.started = started
    ;(request as Carrier)[key] = this
  }

  /** Path without the query. */
  get path(): string {
    const { url } = this.request
    const end = url.indexOf('?')
    return end < 0 ? url : url.slice(0, end)
  }
}

/** Makes room for the exchange in the requests of a server, so that they keep one shape. */
export const exchangeKey: symbol = key

/** The exchange of a request; undefined before it has begun. */
export const exchangeOf = (request: FastifyRequest): Exchange | undefined => (request as Carrier)[key]

/** Writes an answer of its status, headers (lower case) and body. */
export type Write = (
  exchange: Exchange,
  status: number,
  headers: Readonly<Record<string, string>> | undefined,
  body: string | Uint8Array | Readable | undefined,
) => void

/** How the answers of one service are written: each carries the ids of its request, and the version that answered. */
export function createWriter(service: {
  readonly microversions?: MicroversionRange
  readonly requestIdHeader?: string
}): Write {
  const { microversions: range, requestIdHeader } = service
  const idHeaders = ['x-openstack-request-id', ...(requestIdHeader ? [requestIdHeader] : [])]
  const versions = new Map<number | undefined, readonly string[]>()
  const headOf = (minor: number | undefined): readonly string[] => {
    const version = !range ? {} : minor === undefined ? { vary: varyHeader(range) } : versionHeaders(range, minor)
    const made = [...idHeaders.flatMap(name => [name, '']), ...Object.entries(version).flat()]
    versions.set(minor, made)
    return made
  }
  return (exchange, status, headers, body) => {
    const { reply, minor } = exchange
    const head = (versions.get(minor) ?? headOf(minor)).slice()
    for (let n = 0; n < idHeaders.length; n++) head[2 * n + 1] = exchange.id
    for (const name in headers) set(head, name, headers[name]!)
    if (body instanceof Readable) {
      reply.status(status)
      for (let n = 0; n < head.length; n += 2) reply.header(head[n]!, head[n + 1])
      reply.send(body)
      return
    }
    if (status !== 204 && status !== 304) head.push('content-length', String(sizeOf(body)))
    reply.raw.writeHead(status, head)
    // Only now, since a header that HTTP cannot carry throws, and is then to be answered as a failure.
    reply.hijack()
    reply.raw.end(body)
  }
}

/** What a handler says about a header that all answers have is the last word. */
function set(head: string[], name: string, value: string): void {
  for (let n = 0; n < head.length; n += 2)
    if (head[n] === name) {
      head[n + 1] = value
      return
    }
  head.push(name, value)
}

const sizeOf = (body: string | Uint8Array | undefined): number =>
  body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
