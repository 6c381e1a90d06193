/**
 * What a request meets, the same for every service: route, request id, token, microversion, policy, validation, handler,
 * view; and one place where whatever was thrown becomes the family's error body.
 */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { createContext, type RequestContext, type TokenInfo } from '../context/index.ts'
import type { Dialect } from '../dialect/index.ts'
import {
  badRequest,
  Fault,
  methodNotAllowed,
  notFound,
  tooLarge,
  unauthorized,
  unsupportedMediaType,
} from '../fault/index.ts'
import type { Log } from '../log/index.ts'
import type { Metrics } from '../metrics/index.ts'
import type { Runtime } from '../runtime/index.ts'
import { compileSchema, type JsonSchema, type Validator } from '../schema/index.ts'
import type { TokenVerifier } from '../tokens/index.ts'
import type { ServiceInstance } from './index.ts'
import { negotiate, versionHeaders } from './microversion.ts'
import type { ApiRequest, Method, Operation, Reply } from './operation.ts'

export interface MountOptions {
  readonly server: FastifyInstance
  readonly service: ServiceInstance
  readonly verifyToken: TokenVerifier
  readonly runtime: Runtime
  readonly log: Log
  readonly metrics: Metrics
  /** Where identity answers, told to callers without a token: `http://host:port/identity`. */
  readonly identityUrl: (request: FastifyRequest) => string
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
      const pipeline = createPipeline(options)
      for (const [key, operations] of routes) {
        const [method, url] = key.split(' ') as [Method, string]
        scope.route({
          method: method === 'GET' && !routes.has(`HEAD ${url}`) ? ['GET', 'HEAD'] : method,
          url: url === '/' ? '' : url,
          bodyLimit: Math.max(...operations.map(o => o.bodyLimit ?? 114_688)),
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

function addBodyParsers(scope: FastifyInstance, operations: readonly Operation[]): void {
  scope.removeAllContentTypeParsers()
  const parseJson = (_: unknown, text: string, done: (err: Error | null, body?: unknown) => void) => {
    if (text.trim() === '') return done(null, undefined)
    try {
      const body: unknown = JSON.parse(text)
      if (text.includes('__proto__') && JSON.stringify(body).includes('"__proto__"'))
        return done(badRequest('The body may not have a member named __proto__.'))
      return done(null, body)
    } catch (err) {
      return done(badRequest(`The request body is not valid JSON: ${(err as Error).message}`, 'MalformedRequestBody'))
    }
  }
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, parseJson)
  scope.addContentTypeParser(/^application\/[\w.-]+[+-]json/, { parseAs: 'string' }, parseJson)
  for (const type of new Set(operations.flatMap(o => o.stream ?? [])))
    scope.addContentTypeParser(type, (_request, payload, done) => done(null, payload))
  scope.addContentTypeParser(
    '*',
    { parseAs: 'string' },
    (request: FastifyRequest, text: string, done: (err: Error | null, body?: unknown) => void) => {
      if (text === '') return done(null, undefined)
      // Some clients send JSON under the wrong name, or none at all; what is not JSON is refused by its name.
      if (/^\s*[{[]/.test(text)) return parseJson(request, text, done)
      return done(unsupportedMediaType(`Unsupported Content-Type: ${request.headers['content-type'] ?? 'none'}`))
    },
  )
}

interface Known {
  readonly body: (minor: number) => Validator | undefined
  readonly query: (minor: number) => Validator | undefined
}

const known = new WeakMap<Operation, Known>()

/** Validators of an operation, compiled once for each version in which the schema differs. */
function validators(operation: Operation): Known {
  const seen = known.get(operation)
  if (seen) return seen
  const perVersion = (schema: Operation['body']) => {
    if (schema === undefined) return () => undefined
    if (typeof schema !== 'function') {
      const validator = compileSchema(schema)
      return () => validator
    }
    const bySchema = new Map<JsonSchema, Validator>()
    const byMinor = new Map<number, Validator>()
    return (minor: number) => {
      let validator = byMinor.get(minor)
      if (!validator) {
        const made = schema(minor)
        validator = bySchema.get(made) ?? compileSchema(made)
        bySchema.set(made, validator)
        byMinor.set(minor, validator)
      }
      return validator
    }
  }
  const made = { body: perVersion(operation.body), query: perVersion(operation.query) }
  known.set(operation, made)
  return made
}

function createPipeline(options: MountOptions) {
  const { service, dialect, runtime, log } = { ...options, dialect: options.service.dialect }
  const range = service.microversions
  const root = options.prefix ?? `/${service.type}`
  const requests = options.metrics.histogram(
    'strata_http_request_duration_seconds',
    'Time from the head of a request to its answer.',
    ['service', 'method', 'status'],
  )

  const idOf = (request: FastifyRequest): string => {
    const holder = request as FastifyRequest & { strataId?: string }
    holder.strataId ??= `req-${runtime.uuid()}`
    return holder.strataId
  }

  const handle = (operations: readonly Operation[]) => async (request: FastifyRequest, reply: FastifyReply) => {
    const started = runtime.monotonic()
    const requestId = idOf(request)
    reply.header('x-openstack-request-id', requestId)
    if (service.requestIdHeader) reply.header(service.requestIdHeader, requestId)
    const minor = range ? negotiate(range, request.headers) : 0
    if (range) reply.headers(versionHeaders(range, minor))
    const operation = select(operations, minor, request)
    const context = await authenticate(operation, request, requestId)
    if (operation.policy !== undefined) enforcePolicy(operation.policy, context, request)
    check(validators(operation).query(minor), request.query, 'query', dialect)
    if (!(request.body instanceof Readable)) check(validators(operation).body(minor), request.body, 'body', dialect)
    const result = await operation.handler(apiRequest({ request, reply, context, minor, root }))
    send(operation, result, reply)
    requests.observe(
      { service: service.type, method: request.method, status: String(reply.statusCode) },
      (runtime.monotonic() - started) / 1000,
    )
    if (log.level === 'debug' || (log.level === 'info' && request.method !== 'GET' && request.method !== 'HEAD'))
      logAnswer(request, reply, context, started)
    return reply
  }

  const logAnswer = (request: FastifyRequest, reply: FastifyReply, context: RequestContext, started: number) =>
    log.info(
      {
        request_id: context.requestId,
        global_request_id: context.globalRequestId,
        method: request.method,
        path: request.url.split('?')[0],
        status: reply.statusCode,
        user_id: context.userId,
        project_id: context.projectId,
        ms: Math.round((runtime.monotonic() - started) * 10) / 10,
      },
      'request',
    )

  const authenticate = async (
    operation: Operation,
    request: FastifyRequest,
    requestId: string,
  ): Promise<RequestContext> => {
    const auth = operation.auth ?? 'token'
    const sent = request.headers['x-auth-token']
    const tokenText = auth === 'none' || typeof sent !== 'string' || sent === '' ? undefined : sent
    let token: TokenInfo | undefined
    if (tokenText !== undefined) token = await options.verifyToken(tokenText)
    if (token === undefined && (auth === 'token' || tokenText !== undefined))
      throw unauthorized('The request you have made requires authentication.')
    const globalId = request.headers['x-openstack-request-id']
    return createContext({
      requestId,
      globalRequestId: typeof globalId === 'string' && /^req-[0-9a-f-]{36}$/.test(globalId) ? globalId : undefined,
      token,
      tokenText,
      policy: service.policy,
      log,
    })
  }

  const enforcePolicy = (rule: string, context: RequestContext, request: FastifyRequest) =>
    context.enforce(rule, {
      project_id: context.projectId || undefined,
      user_id: context.userId,
      domain_id: context.domainId || undefined,
      ...(request.params as Record<string, string>),
    })

  /** Answers a failure; also of requests that never reached a handler. */
  const fail = (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const requestId = idOf(request)
    const fault = faultOf(thrown)
    if (fault.status >= 500 && !(thrown instanceof Fault))
      log.error(
        { err: thrown, request_id: requestId, method: request.method, path: request.url.split('?')[0] },
        'request failed',
      )
    const { headers = {}, body } = (fault.status === 401 ? keystoneMiddleware : dialect.error)(fault, {
      requestId,
      root,
    })
    if (fault.status === 401) reply.header('www-authenticate', `Keystone uri="${options.identityUrl(request)}"`)
    requests.observe({ service: service.type, method: request.method, status: String(fault.status) }, 0)
    return reply
      .status(fault.status)
      .headers({ 'x-openstack-request-id': requestId, ...headers, ...fault.headers })
      .type('application/json')
      .send(request.method === 'HEAD' ? '' : JSON.stringify(body))
  }

  const missing = (routes: readonly string[], request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split('?')[0]!.slice(root.length) || '/'
    const methods = routes
      .map(key => key.split(' ') as [string, string])
      .filter(([, pattern]) => matches(pattern, path))
      .map(([method]) => method)
    if (methods.length === 0) return fail(notFound('The resource could not be found.'), request, reply)
    const allow = [...new Set(methods)].join(', ')
    return fail(
      methodNotAllowed(`The method ${request.method} is not allowed for this resource.`, undefined, {
        headers: { allow },
      }),
      request,
      reply,
    )
  }

  return { handle, fail, missing }
}

/** 401 looks the same everywhere: in OpenStack a middleware of Keystone's answers it before any service does. */
const keystoneMiddleware: Dialect['error'] = fault => ({
  body: { error: { code: 401, title: 'Unauthorized', message: fault.message } },
})

function select(operations: readonly Operation[], minor: number, request: FastifyRequest): Operation {
  const current = operations.filter(o => minor >= (o.since ?? 0) && minor <= (o.until ?? Number.POSITIVE_INFINITY))
  if (current.length === 0) throw notFound('The resource could not be found.')
  if (current[0]!.action === undefined) return current[0]!
  const names = typeof request.body === 'object' && request.body !== null ? Object.keys(request.body) : []
  if (names.length === 0) throw badRequest('There is no action in the body.', 'MalformedRequestBody')
  const found = current.find(o => names.includes(o.action!))
  if (!found) throw badRequest(`There is no such action: ${names.join(', ')}`, 'NoSuchAction')
  return found
}

function check(validator: Validator | undefined, value: unknown, where: 'body' | 'query', dialect: Dialect): void {
  if (!validator) return
  const [violation] = validator(value ?? {})
  if (violation) throw badRequest(dialect.invalid(violation, where), 'ValidationError')
}

function apiRequest(init: {
  request: FastifyRequest
  reply: FastifyReply
  context: RequestContext
  minor: number
  root: string
}): ApiRequest {
  const { request, reply, context, minor, root } = init
  let controller: AbortController | undefined
  return {
    context,
    params: request.params as Record<string, string>,
    query: request.query as Record<string, string | string[] | undefined>,
    body: request.body,
    headers: request.headers,
    minor,
    baseUrl: `${request.protocol}://${request.host}${root}`,
    path: request.url.split('?')[0]!.slice(root.length) || '/',
    clientAddress: request.ip,
    // Made on demand: most handlers never look.
    get signal() {
      if (!controller) {
        const made = new AbortController()
        controller = made
        reply.raw.once('close', () => {
          if (!reply.raw.writableFinished) made.abort(new Error('the caller went away'))
        })
      }
      return controller.signal
    },
  }
}

function send(operation: Operation, result: Reply | object | undefined, reply: FastifyReply): void {
  const answer: Reply = isReply(result)
    ? result
    : { reply: true, status: operation.status ?? (result === undefined ? 204 : 200), body: result }
  reply.status(answer.status)
  if (answer.headers) reply.headers(answer.headers)
  const { body } = answer
  if (body === undefined || body === null) {
    if (answer.status !== 204 && answer.status !== 304) reply.header('content-length', '0')
    reply.send()
  } else if (typeof body === 'string' || body instanceof Uint8Array || body instanceof Readable) {
    if (!reply.hasHeader('content-type')) reply.type('application/octet-stream')
    reply.send(body)
  } else reply.header('content-type', 'application/json').send(JSON.stringify(body))
}

function isReply(result: unknown): result is Reply {
  return typeof result === 'object' && result !== null && (result as Reply).reply === true
}

function faultOf(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown
  const { code, statusCode, message } = thrown as { code?: string; statusCode?: number; message?: string }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tooLarge('Request body too large.')
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return unsupportedMediaType('Unsupported Content-Type.')
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new Fault({ status: statusCode, code: 'BadRequest', message: message ?? 'Bad request' })
  return new Fault({
    status: 500,
    code: 'InternalServerError',
    message: 'An unexpected error prevented the server from fulfilling your request.',
  })
}

function matches(pattern: string, path: string): boolean {
  const want = pattern.split('/')
  const have = path.split('/')
  return want.length === have.length && want.every((part, at) => part.startsWith(':') || part === have[at])
}
