/**
 * What a request meets, the same for every service: request id, microversion, size of its body, token, policy, validation,
 * handler, view; one place where whatever was thrown becomes the family's error body; and one where the end of each request,
 * however it ended, is measured and logged.
 */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { createContext, type TokenInfo } from '../context/index.ts'
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
import { createWriter, Exchange, exchangeOf } from './exchange.ts'
import { carriesOn, type ThumbprintOf, takeBearer } from './holder.ts'
import { Incoming } from './incoming.ts'
import { negotiate } from './microversion.ts'
import type { Operation } from './operation.ts'
import { chooser, type Prepared } from './prepare.ts'

export interface PipelineOptions {
  readonly service: ServiceInstance
  readonly verifyToken: TokenVerifier
  readonly runtime: Runtime
  readonly log: Log
  readonly metrics: Metrics
  /** Where identity answers, told to callers without a token: `http://host:port/identity`. */
  readonly identityUrl: (request: FastifyRequest) => string
  /** Without it, tokens that are bound to a certificate are good for nobody. */
  readonly thumbprintOf?: ThumbprintOf
  /** Path of the service's root, without a slash at its end. */
  readonly root: string
}

/** Status under which requests are counted whose caller went away before the answer was complete, as nginx has it. */
const callerGone = 499

export function createPipeline(options: PipelineOptions) {
  const { service, runtime, log, root } = options
  const { dialect, microversions: range } = service
  const streams = new Set(service.operations.flatMap(one => one.stream ?? []))
  const write = createWriter(service)
  const ended = endOf(options)

  const enter = (request: FastifyRequest, reply: FastifyReply): Exchange => {
    const exchange = new Exchange(request, reply, `req-${runtime.uuid()}`, runtime.monotonic())
    reply.raw.on('close', () => ended(exchange))
    return exchange
  }

  /** What the head of a request says, of those too for which there is no route. Throws for a version that there is not. */
  const read = (request: FastifyRequest, reply: FastifyReply): Exchange => {
    const exchange = enter(request, reply)
    takeBearer(request)
    if (range) exchange.minor = negotiate(range, request.headers)
    return exchange
  }

  /** Hook at the head of requests with a body, which is read only after it. */
  const begin = (request: FastifyRequest, reply: FastifyReply, done: (err?: Error) => void) => {
    try {
      read(request, reply)
      if (announcesTooMuch(request, streams)) throw bodyTooLarge()
    } catch (thrown) {
      return done(thrown as Error)
    }
    done()
  }

  /**
   * Goes on as far as it can without waiting: the token of most requests is known already, and a promise for each layer
   * would cost more than what the layer does.
   */
  const handle = (operations: readonly Operation[]) => {
    const choose = chooser(operations)
    return (request: FastifyRequest, reply: FastifyReply): void => {
      try {
        const exchange = exchangeOf(request) ?? read(request, reply)
        const prepared = choose(exchange.minor ?? 0, request.body)
        const asking = authenticate(prepared, exchange)
        const answering =
          asking instanceof Promise
            ? asking.then(token => answer(prepared, exchange, token))
            : answer(prepared, exchange, asking)
        answering?.catch(thrown => fail(thrown, request, reply))
      } catch (thrown) {
        fail(thrown, request, reply)
      }
    }
  }

  const answer = (prepared: Prepared, exchange: Exchange, token: TokenInfo | undefined): Promise<void> | undefined => {
    const { request } = exchange
    const context = createContext({
      requestId: exchange.id,
      globalRequestId: globalId(request),
      token,
      tokenText: sentToken(prepared, request),
      policy: service.policy,
      log,
    })
    exchange.context = context
    const incoming = new Incoming(exchange, context, root)
    if (prepared.policy !== undefined) {
      const { projectId, userId, domainId } = context
      const target = { project_id: projectId || undefined, user_id: userId, domain_id: domainId || undefined }
      context.enforce(prepared.policy, { ...target, ...incoming.params })
    }
    const { minor, body } = incoming
    if (prepared.query) check(prepared.query(minor), incoming.query, 'query', dialect)
    if (body instanceof Readable) {
      // Which types are streams is known per service; that another operation of it takes one is no help to this one.
      if (!prepared.operation.stream?.includes(mediaType(request))) throw unsupportedType(request)
    } else if (prepared.body) check(prepared.body(minor), body, 'body', dialect)
    const result = prepared.handler(incoming)
    if (result instanceof Promise) return result.then(made => send(write, exchange, made, prepared.status))
    send(write, exchange, result, prepared.status)
    return undefined
  }

  /** What the caller's token says; undefined where none is needed. Throws a 401, or rejects with one. */
  const authenticate = (
    prepared: Prepared,
    exchange: Exchange,
  ): TokenInfo | undefined | Promise<TokenInfo | undefined> => {
    const text = sentToken(prepared, exchange.request)
    if (text === undefined) {
      if (prepared.auth === 'token') throw unauthenticated()
      return undefined
    }
    const found = options.verifyToken(text)
    return found instanceof Promise ? found.then(token => accept(token, exchange)) : accept(found, exchange)
  }

  const accept = (token: TokenInfo | undefined, exchange: Exchange): TokenInfo | Promise<TokenInfo> => {
    if (!token) throw unauthenticated()
    const limited = token.applicationCredential?.accessRules !== undefined || token.certificate !== undefined
    return limited ? withinLimits(token, exchange) : token
  }

  /** A token that is good for some requests alone, or in the hands of one client alone. */
  const withinLimits = async (token: TokenInfo, { request, path }: Exchange): Promise<TokenInfo> => {
    const { headers, method, ip: clientAddress } = request
    if (token.certificate !== undefined && options.thumbprintOf?.({ headers, clientAddress }) !== token.certificate) {
      if (!(await carriesOn(headers, options.verifyToken)))
        throw unauthorized('The token is bound to another client certificate.')
    }
    const rules = token.applicationCredential?.accessRules
    const asked = { service: service.type, method }
    if (rules && !permits(rules, { ...asked, path: path.slice(root.length) }) && !permits(rules, { ...asked, path })) {
      if (!(await carriesOn(headers, options.verifyToken)))
        throw unauthorized('The access rules of the application credential do not permit this request.')
    }
    return token
  }

  /** Answers a failure; also of requests that never reached a handler. */
  const fail = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const exchange = exchangeOf(request) ?? enter(request, reply)
    const { id: requestId, minor, path } = exchange
    const fault = faultOf(thrown)
    if (fault.status >= 500 && !(thrown instanceof Fault))
      log.error({ err: thrown, request_id: requestId, method: request.method, path }, 'request failed')
    // The answer was under way already when it failed: there is nothing left to say.
    if (reply.sent) return
    const word = fault.status === 401 ? keystoneMiddleware : dialect.error
    const { headers, body } = word(fault, { requestId, root, minor })
    if (fault.status === 413) discardRest(request, runtime.timer)
    const all = {
      ...headers,
      ...fault.headers,
      ...(fault.status === 401 && { 'www-authenticate': `Keystone uri="${options.identityUrl(request)}"` }),
      'content-type': 'application/json',
    }
    write(exchange, fault.status, all, request.method === 'HEAD' ? '' : JSON.stringify(body))
  }

  /** No route fits. `routes` are `METHOD /path`. */
  const missing = (routes: readonly string[], request: FastifyRequest, reply: FastifyReply): void => {
    try {
      throw noRoute(routes, request.method, read(request, reply).path.slice(root.length))
    } catch (thrown) {
      fail(thrown, request, reply)
    }
  }

  return { begin, handle, fail, missing }
}

/** Measures and logs an exchange once it is over. */
function endOf({ service, runtime, log, metrics }: PipelineOptions) {
  const durations = metrics.latency<'service' | 'method' | 'status'>(
    'strata_http_request_duration_seconds',
    'Time from the head of a request to the end of its answer; status 499: the caller went away before.',
  )
  const byMethod = new Map<string, Map<number, ReturnType<typeof durations.labels>>>()
  const durationOf = (method: string, status: number) => {
    const known = byMethod.get(method)?.get(status)
    if (known) return known
    const made = durations.labels({ service: service.type, method, status: String(status) })
    const byStatus = byMethod.get(method) ?? new Map<number, typeof made>()
    byMethod.set(method, byStatus.set(status, made))
    return made
  }
  const tellsAll = log.level === 'debug' || log.level === 'trace'
  return (exchange: Exchange): void => {
    const { request, reply, context } = exchange
    const ms = runtime.monotonic() - exchange.started
    const status = reply.raw.writableEnded ? reply.raw.statusCode : callerGone
    const { method } = request
    durationOf(method, status).observe(ms / 1000)
    const changes = method !== 'GET' && method !== 'HEAD'
    if (!changes && !tellsAll) return
    log[changes ? 'info' : 'debug'](
      {
        request_id: exchange.id,
        global_request_id: globalId(request),
        method,
        path: exchange.path,
        status,
        user_id: context?.userId,
        project_id: context?.projectId,
        ms: Math.round(ms * 10) / 10,
      },
      'request',
    )
  }
}

const unauthenticated = () => unauthorized('The request you have made requires authentication.')

/** Undefined when there is none, or it is not to be looked at. */
function sentToken({ auth }: Prepared, { headers }: FastifyRequest): string | undefined {
  const sent = headers['x-auth-token']
  return auth === 'none' || typeof sent !== 'string' || sent === '' ? undefined : sent
}

function globalId({ headers }: FastifyRequest): string | undefined {
  const sent = headers['x-openstack-request-id']
  return typeof sent === 'string' && /^req-[0-9a-f-]{36}$/.test(sent) ? sent : undefined
}

/** 401 looks the same everywhere: in OpenStack a middleware of Keystone's answers it before any service does. */
const keystoneMiddleware: Dialect['error'] = fault => ({
  body: { error: { code: 401, title: 'Unauthorized', message: fault.message } },
})

function check(validator: Validator, value: unknown, where: 'body' | 'query', dialect: Dialect): void {
  const [violation] = validator(value ?? {})
  if (violation) throw badRequest(dialect.invalid(violation, where), 'ValidationError')
}

/** 405 where another method would have found a route, else 404. */
function noRoute(routes: readonly string[], method: string, path: string): Fault {
  // After a slash at the end stands the id of one of the collection, if an empty one: there is no such thing.
  const methods = /.\/$/.test(path)
    ? []
    : routes
        .map(key => key.split(' ') as [string, string])
        .filter(([, pattern]) => matches(pattern, path))
        .map(([other]) => other)
  if (methods.length === 0) return notFound('The resource could not be found.')
  const headers = { allow: [...new Set(methods)].join(', ') }
  return methodNotAllowed(`The method ${method} is not allowed for this resource.`, undefined, { headers })
}

function matches(pattern: string, path: string): boolean {
  const want = pattern.replace(/\/+$/, '').split('/')
  const have = path.replace(/\/+$/, '').split('/')
  return want.length === have.length && want.every((part, at) => part.startsWith(':') || part === have[at])
}
