/** Puts the operations of a service on the HTTP server, as routes below its prefix; `pipeline.ts` is what requests meet there. */
import type { FastifyInstance } from 'fastify'
import { addBodyParsers, defaultBodyLimit } from './body.ts'
import { exchangeKey } from './exchange.ts'
import type { Method, Operation } from './operation.ts'
import { createPipeline, type PipelineOptions } from './pipeline.ts'

export interface MountOptions extends Omit<PipelineOptions, 'root'> {
  readonly server: FastifyInstance
  /** `/compute`; by default a slash and the service's type. */
  readonly prefix?: string
}

/** Registers all operations of a service under its prefix. */
export async function mount(options: MountOptions): Promise<void> {
  const { server, service, prefix = `/${service.type}` } = options
  const routes = groupByRoute(service.operations)
  await server.register(
    async scope => {
      addBodyParsers(scope, service.operations)
      scope.decorateRequest(exchangeKey, null)
      const pipeline = createPipeline({ ...options, root: prefix })
      for (const [key, operations] of routes) {
        const [method, url] = key.split(' ') as [Method, string]
        scope.route({
          ...(method !== 'GET' && method !== 'HEAD' && { onRequest: pipeline.begin }),
          method: method === 'GET' && !routes.has(`HEAD ${url}`) ? ['GET', 'HEAD'] : method,
          url: url === '/' ? '' : url,
          bodyLimit: Math.max(...operations.map(o => o.bodyLimit ?? defaultBodyLimit)),
          handler: pipeline.handle(operations),
        })
      }
      scope.setErrorHandler((error, request, reply) => pipeline.fail(error, request, reply))
      scope.setNotFoundHandler((request, reply) => pipeline.missing([...routes.keys()], request, reply))
    },
    { prefix },
  )
}

/** Operations that share a method and path, in one list: they differ in their action or in their versions. */
function groupByRoute(operations: readonly Operation[]): Map<string, readonly Operation[]> {
  const routes = new Map<string, Operation[]>()
  for (const operation of operations) {
    const key = `${operation.method} ${operation.path}`
    routes.set(key, [...(routes.get(key) ?? []), operation])
  }
  return routes
}
