/** The HTTP server that services are mounted on. */
import Fastify, { type FastifyInstance } from 'fastify'

export type Server = FastifyInstance

/** A server without routes. Bodies that are not JSON are refused unless an operation takes them. */
export function createServer(): Server {
  const server = Fastify({
    logger: false,
    // Long names (image properties, tags) stand in paths.
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    bodyLimit: 114_688,
    forceCloseConnections: true,
    keepAliveTimeout: 75_000,
    requestTimeout: 0,
    exposeHeadRoutes: false,
    return503OnClosing: true,
  })
  return server
}
