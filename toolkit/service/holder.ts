/**
 * Who holds a token. It may come as OAuth 2.0 has it (`Authorization: Bearer`, RFC 6750) instead of in `X-Auth-Token`; and one
 * that is bound to a client certificate (RFC 8705) is refused in requests that come without that.
 */
import type { FastifyRequest } from 'fastify'
import { unauthorized } from '../fault/index.ts'
import type { TokenVerifier } from '../tokens/index.ts'
import type { ApiRequest, Operation } from './operation.ts'

/** Thumbprint of the certificate that the client showed, as identity gives it to tokens; undefined when it showed none. */
export type ThumbprintOf = (request: Pick<ApiRequest, 'headers' | 'clientAddress'>) => string | undefined

/** Hook at the head of each request. */
export function takeBearer(request: FastifyRequest, _reply: unknown, done: () => void): void {
  const { headers } = request
  if (headers.authorization !== undefined && !headers['x-auth-token']) {
    const [, token] = /^Bearer +([\w.~+/=-]+)$/i.exec(headers.authorization) ?? []
    if (token !== undefined) headers['x-auth-token'] = token
  }
  done()
}

/** The operation, refusing tokens that are bound to another certificate than the caller's. */
export function heldRightly(
  operation: Operation,
  options: { readonly thumbprintOf?: ThumbprintOf; readonly verifyToken: TokenVerifier },
): Operation {
  const { thumbprintOf, verifyToken } = options
  const check = async (request: ApiRequest, bound: string) => {
    if (thumbprintOf?.(request) !== bound && !(await carriesOn(request, verifyToken)))
      throw unauthorized('The token is bound to another client certificate.')
    return operation.handler(request)
  }
  return {
    ...operation,
    handler(request) {
      const bound = request.context.token?.certificate
      return bound === undefined ? operation.handler(request) : check(request, bound)
    },
  }
}

/** A service that carries on what the caller was permitted to begin shows a token of its own beside the caller's. */
async function carriesOn({ headers }: ApiRequest, verifyToken: TokenVerifier): Promise<boolean> {
  const own = headers['x-service-token']
  const from = typeof own === 'string' ? await verifyToken(own) : undefined
  // A service's own token may not be somebody else's either; services bind theirs to nothing.
  return from !== undefined && from.certificate === undefined && from.roles.some(role => role.name === 'service')
}
