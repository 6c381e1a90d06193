/**
 * What a request meets, the same for every service: request id, microversion, size of its body, token, policy, validation,
 * handler, view; one place where whatever was thrown becomes the family's error body; and one where the end of each request,
 * however it ended, is measured and logged.
 */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { createContext, type RequestContext, type TokenInfo } from '../context/index.ts'
import type { Dialect } from '../dialect/index.ts'
import { badRequest, Fault, methodNotAllowed, notFound, unauthorized } from '../fault/index.ts'
import type { Log } from '../log/index.ts'
import type { Metrics } from '../metrics/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { Validator } from '../schema/index.ts'
import { permits, type TokenVerifier } from '../tokens/index.ts'
import { faultOf, send } from './answer.ts'
import { announcesTooMuch, bodyTooLarge, discardRest, mediaType, unsupportedType } from './body.ts'
import type { ServiceInstance } from './definition.ts'
import { negotiate, varyHeader, versionHeaders } from './microversion.ts'
import type { ApiRequest, Operation } from './operation.ts'
import { type Prepared, prepare, select } from './prepare.ts'

export interface PipelineOptions {
  readonly service: ServiceInstance
  readonly verifyToken: TokenVerifier
  readonly runtime: Runtime
  readonly log: Log
  readonly metrics: Metrics
  /** Where identity answers, told to callers without a token: `http://host:port/identity`. */
  readonly identityUrl: (request: FastifyRequest) => string
  /** Path of the service's root, without a slash at its end. */
  readonly root: string
}

/** What is known of a request so far. */
interface State {
  readonly id: string
  readonly started: number
  minor: number | undefined
  context: RequestContext | undefined
}

/** Where a request carries its state: a weak map would cost the garbage collector a visit for each request. */
const stateKey = Symbol('state')
type Stateful = FastifyRequest & { [stateKey]?: State }

/** Status under which requests are counted whose caller went away before the answer was complete, as nginx has it. */
const callerGone = 499

export function createPipeline(options: PipelineOptions) {
  const { service, runtime, log, root } = options
  const { dialect, microversions: range, requestIdHeader } = service
  const streams = new Set(service.operations.flatMap(one => one.stream ?? []))
  const vary = range && varyHeader(range)
  const ended = endOf(options)

  const stateOf = (request: Stateful): State => {
    request[stateKey] ??= {
      id: `req-${runtime.uuid()}`,
      started: runtime.monotonic(),
      minor: undefined,
      context: undefined,
    }
    return request[stateKey]
  }

  /** Hook at the head of each request, also of those for which there is no route. */
  const begin = (request: FastifyRequest, reply: FastifyReply, done: (err?: Error) => void) => {
    const state = stateOf(request)
    reply.raw.once('close', () => ended(request, reply, state))
    reply.header('x-openstack-request-id', state.id)
    if (requestIdHeader) reply.header(requestIdHeader, state.id)
    try {
      if (range) {
        reply.header('vary', vary)
        state.minor = negotiate(range, request.headers)
        reply.headers(versionHeaders(range, state.minor))
      }
      if (announcesTooMuch(request, streams)) throw bodyTooLarge()
    } catch (thrown) {
      return done(thrown as Error)
    }
    done()
  }

  const answer = async (all: readonly Prepared[], request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const state = stateOf(request)
    const minor = state.minor ?? 0
    const { operation, body, query } = select(all, minor, request.body)
    const context = await authenticate(operation, request, state)
    if (operation.policy !== undefined) enforcePolicy(operation.policy, context, request)
    if (query) check(query(minor), request.query, 'query', dialect)
    if (request.body instanceof Readable) {
      // Which types are streams is known per service; that another operation of it takes one is no help to this one.
      if (!operation.stream?.includes(mediaType(request))) throw unsupportedType(request)
    } else if (body) check(body(minor), request.body, 'body', dialect)
    send(operation, await operation.handler(new Incoming({ request, reply, context, minor, root })), reply)
  }

  const handle = (operations: readonly Operation[]) => {
    const all = operations.map(prepare)
    return (request: FastifyRequest, reply: FastifyReply): void => {
      answer(all, request, reply).catch(thrown => fail(thrown, request, reply))
    }
  }

  const authenticate = async (operation: Operation, request: FastifyRequest, state: State): Promise<RequestContext> => {
    const auth = operation.auth ?? 'token'
    const sent = request.headers['x-auth-token']
    const tokenText = auth === 'none' || typeof sent !== 'string' || sent === '' ? undefined : sent
    let token: TokenInfo | undefined
    if (tokenText !== undefined) token = await options.verifyToken(tokenText)
    if (token === undefined && (auth === 'token' || tokenText !== undefined))
      throw unauthorized('The request you have made requires authentication.')
    if (token && !(await isWithinRules(token, request)))
      throw unauthorized('The access rules of the application credential do not permit this request.')
    state.context = createContext({
      requestId: state.id,
      globalRequestId: globalId(request),
      token,
      tokenText,
      policy: service.policy,
      log,
    })
    return state.context
  }

  /** A service that carries on what the caller was permitted to begin shows a token of its own beside the caller's. */
  const isWithinRules = async (token: TokenInfo, request: FastifyRequest): Promise<boolean> => {
    const rules = token.applicationCredential?.accessRules
    if (!rules) return true
    const path = pathOf(request)
    const asked = { service: service.type, method: request.method }
    if (permits(rules, { ...asked, path: path.slice(root.length) }) || permits(rules, { ...asked, path })) return true
    const servicesToken = request.headers['x-service-token']
    const from = typeof servicesToken === 'string' ? await options.verifyToken(servicesToken) : undefined
    return from?.roles.some(role => role.name === 'service') ?? false
  }

  /** Answers a failure; also of requests that never reached a handler. */
  const fail = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const { id: requestId, minor } = stateOf(request)
    const fault = faultOf(thrown)
    if (fault.status >= 500 && !(thrown instanceof Fault))
      log.error({ err: thrown, request_id: requestId, method: request.method, path: pathOf(request) }, 'request failed')
    // The answer was under way already when it failed: there is nothing left to say.
    if (reply.sent) return
    const word = fault.status === 401 ? keystoneMiddleware : dialect.error
    const { headers = {}, body } = word(fault, { requestId, root, minor })
    if (fault.status === 401) reply.header('www-authenticate', `Keystone uri="${options.identityUrl(request)}"`)
    if (fault.status === 413) discardRest(request, runtime.timer)
    // Fastify would close the connection after each body that it could not parse. Node tells of a close that the caller
    // itself asked for, unless somebody has touched the header.
    if (reply.hasHeader('connection')) reply.removeHeader('connection')
    reply.status(fault.status).headers({ ...headers, ...fault.headers })
    reply.type('application/json').send(request.method === 'HEAD' ? '' : JSON.stringify(body))
  }

  /** No route fits: 405 where another method would have, else 404. `routes` are `METHOD /path`. */
  const missing = (routes: readonly string[], request: FastifyRequest, reply: FastifyReply): void => {
    const path = pathOf(request).slice(root.length)
    // After a slash at the end stands the id of one of the collection, if an empty one: there is no such thing.
    const methods = /.\/$/.test(path)
      ? []
      : routes
          .map(key => key.split(' ') as [string, string])
          .filter(([, pattern]) => matches(pattern, path))
          .map(([method]) => method)
    const words = `The method ${request.method} is not allowed for this resource.`
    const headers = { allow: [...new Set(methods)].join(', ') }
    const fault =
      methods.length === 0
        ? notFound('The resource could not be found.')
        : methodNotAllowed(words, undefined, { headers })
    fail(fault, request, reply)
  }

  return { begin, handle, fail, missing }
}

/** Measures and logs a request once it is over. */
function endOf({ service, runtime, log, metrics }: PipelineOptions) {
  const durations = metrics.histogram(
    'strata_http_request_duration_seconds',
    'Time from the head of a request to the end of its answer; status 499: the caller went away before.',
    ['service', 'method', 'status'],
  )
  const children = new Map<string, { observe(seconds: number): void }>()
  /** Looking a metric up by its labels costs more than counting in it, so what was looked up is kept. */
  const durationOf = (method: string, status: number) => {
    const key = `${method} ${status}`
    const child = children.get(key) ?? durations.labels({ service: service.type, method, status: String(status) })
    children.set(key, child)
    return child
  }
  return (request: FastifyRequest, reply: FastifyReply, state: State): void => {
    const ms = runtime.monotonic() - state.started
    const status = reply.raw.writableEnded ? reply.raw.statusCode : callerGone
    const { method } = request
    durationOf(method, status).observe(ms / 1000)
    const changes = method !== 'GET' && method !== 'HEAD'
    if (!changes && log.level !== 'debug' && log.level !== 'trace') return
    log[changes ? 'info' : 'debug'](
      {
        request_id: state.id,
        global_request_id: globalId(request),
        method,
        path: pathOf(request),
        status,
        user_id: state.context?.userId,
        project_id: state.context?.projectId,
        ms: Math.round(ms * 10) / 10,
      },
      'request',
    )
  }
}

function globalId({ headers }: FastifyRequest): string | undefined {
  const sent = headers['x-openstack-request-id']
  return typeof sent === 'string' && /^req-[0-9a-f-]{36}$/.test(sent) ? sent : undefined
}

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0]!

const enforcePolicy = (rule: string, context: RequestContext, request: FastifyRequest): void =>
  context.enforce(rule, {
    project_id: context.projectId || undefined,
    user_id: context.userId,
    domain_id: context.domainId || undefined,
    ...(request.params as Record<string, string>),
  })

/** 401 looks the same everywhere: in OpenStack a middleware of Keystone's answers it before any service does. */
const keystoneMiddleware: Dialect['error'] = fault => ({
  body: { error: { code: 401, title: 'Unauthorized', message: fault.message } },
})

function check(validator: Validator, value: unknown, where: 'body' | 'query', dialect: Dialect): void {
  const [violation] = validator(value ?? {})
  if (violation) throw badRequest(dialect.invalid(violation, where), 'ValidationError')
}

class Incoming implements ApiRequest {
  readonly context: RequestContext
  readonly params: Record<string, string>
  readonly query: Record<string, string | string[] | undefined>
  readonly body: unknown
  readonly headers: FastifyRequest['headers']
  readonly minor: number
  readonly baseUrl: string
  readonly path: string
  readonly clientAddress: string
  // Not `#private`: `withChanges` copies a request with all that it has.
  readonly reply: FastifyReply
  controller: AbortController | undefined

  constructor(init: {
    request: FastifyRequest
    reply: FastifyReply
    context: RequestContext
    minor: number
    root: string
  }) {
    const { request, root } = init
    this.context = init.context
    this.params = request.params as Record<string, string>
    this.query = request.query as Record<string, string | string[] | undefined>
    this.body = request.body
    this.headers = request.headers
    this.minor = init.minor
    this.baseUrl = `${request.protocol}://${request.host}${root}`
    this.path = pathOf(request).slice(root.length) || '/'
    this.clientAddress = request.ip
    this.reply = init.reply
  }

  /** Made on demand: most handlers never look. */
  get signal(): AbortSignal {
    if (!this.controller) {
      const made = new AbortController()
      const { raw } = this.reply
      this.controller = made
      raw.once('close', () => {
        if (!raw.writableFinished) made.abort(new Error('the caller went away'))
      })
    }
    return this.controller.signal
  }
}

function matches(pattern: string, path: string): boolean {
  const want = pattern.replace(/\/+$/, '').split('/')
  const have = path.replace(/\/+$/, '').split('/')
  return want.length === have.length && want.every((part, at) => part.startsWith(':') || part === have[at])
}
