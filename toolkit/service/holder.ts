/**
 * Who holds a token. It may come as OAuth 2.0 has it (`Authorization: Bearer`, RFC 6750) instead of in `X-Auth-Token`; and one
 * that is bound to a client certificate (RFC 8705) is refused in requests that come without that.
 */
import type { FastifyRequest } from 'fastify'
import type { TokenVerifier } from '../tokens/index.ts'
import type { ApiRequest } from './operation.ts'

/** Thumbprint of the certificate that the client showed, as identity gives it to tokens; undefined when it showed none. */
export type ThumbprintOf = (request: Pick<ApiRequest, 'headers' | 'clientAddress'>) => string | undefined

/** Makes of a bearer token one that is sent in the usual way. */
export function takeBearer({ headers }: FastifyRequest): void {
  if (headers.authorization === undefined || headers['x-auth-token']) return
  const [, token] = /^Bearer +([\w.~+/=-]+)$/i.exec(headers.authorization) ?? []
  if (token !== undefined) headers['x-auth-token'] = token
}

/** A service that carries on what the caller was permitted to begin shows a token of its own beside the caller's. */
export async function carriesOn(headers: ApiRequest['headers'], verifyToken: TokenVerifier): Promise<boolean> {
  const own = headers['x-service-token']
  const from = typeof own === 'string' ? await verifyToken(own) : undefined
  // A service's own token may not be somebody else's either; services bind theirs to nothing.
  return from !== undefined && from.certificate === undefined && from.roles.some(role => role.name === 'service')
}
