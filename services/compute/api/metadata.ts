/**
 * The metadata service: plain HTTP that guests reach at 169.254.169.254 through their network's proxy, which adds who asks
 * (`X-OVN-Network-ID`, `X-Forwarded-For`). It has no tokens: an address of a network is the guest's identity, and the
 * proxy, not the guest, speaks to the socket that this listens on.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import type { Log } from '@strata/toolkit/log'
import type { Runtime } from '@strata/toolkit/runtime'
import { contentOf, lookUp, type MetadataSubject, metadataTree } from '../logic/rules/metadata.ts'

export interface MetadataHandlerOptions {
  /** The server that has this address on this network. */
  readonly findSubject: (guest: {
    readonly networkId: string
    readonly address: string
  }) => Promise<MetadataSubject | undefined>
  readonly runtime: Pick<Runtime, 'bytes'>
  readonly log: Log
  readonly dhcpDomain?: string
}

/** Guests whose random seed is remembered, so that one boot reads the same seed each time. */
const rememberedSeeds = 2048

/** A listener for `http.createServer`. It never rejects. */
export function createMetadataHandler(
  options: MetadataHandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const seeds = new Map<string, Uint8Array>()
  const seedOf = (serverId: string): Uint8Array => {
    let seed = seeds.get(serverId)
    if (!seed) {
      seed = options.runtime.bytes(512)
      if (seeds.size >= rememberedSeeds) seeds.delete(seeds.keys().next().value!)
      seeds.set(serverId, seed)
    }
    return seed
  }
  return async (request, response) => {
    // A body is of no use here, but left unread it would hold up the connection.
    request.resume()
    try {
      const { status, body, type = 'text/plain' } = await answer(options, seedOf, request)
      response.writeHead(status, {
        'content-type': `${type}; charset=UTF-8`,
        'content-length': Buffer.byteLength(body),
        ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
      })
      response.end(request.method === 'HEAD' ? undefined : body)
    } catch (err) {
      options.log.error({ err, path: request.url }, 'a metadata request failed')
      response.writeHead(500, { 'content-type': 'text/plain' })
      response.end('An unknown error has occurred. Please try your request again.')
    }
  }
}

interface Answer {
  readonly status: number
  readonly body: string | Uint8Array
  readonly type?: string
}

async function answer(
  options: MetadataHandlerOptions,
  seedOf: (serverId: string) => Uint8Array,
  request: IncomingMessage,
): Promise<Answer> {
  const path = (request.url ?? '/').split('?')[0]!
  if (request.method === 'POST' && /^\/openstack\/[^/]+\/password\/?$/.test(path))
    return { status: 501, body: 'Passwords of guests are not kept here.' }
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, body: 'The method is not allowed for this resource.' }
  const networkId = single(request.headers['x-ovn-network-id'])
  // Each proxy appends the peer that it saw; only the last one is ours, the others a guest may have made up.
  const address = single(request.headers['x-forwarded-for'])?.split(',').at(-1)?.trim()
  if (networkId === undefined) return { status: 400, body: 'X-OVN-Network-ID header is missing from request.' }
  if (address === undefined) return { status: 400, body: 'X-Forwarded-For header is missing from request.' }
  if (isIP(address) === 0) return { status: 400, body: 'X-Forwarded-For header is not an address.' }
  const subject = await options.findSubject({ networkId, address })
  if (!subject) {
    options.log.info({ network_id: networkId, address }, 'no server has the address that asked for metadata')
    return { status: 404, body: 'The resource could not be found.' }
  }
  const tree = metadataTree(subject, { dhcpDomain: options.dhcpDomain, randomSeed: seedOf(subject.id) })
  const node = lookUp(tree, path)
  if (!node) return { status: 404, body: 'The resource could not be found.' }
  return { status: 200, body: contentOf(node), type: node.kind === 'leaf' ? node.type : 'text/plain' }
}

function single(header: string | string[] | undefined): string | undefined {
  const value = Array.isArray(header) ? header.at(-1) : header
  return value === '' ? undefined : value
}
