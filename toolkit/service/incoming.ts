/** A request as handlers see it. What most of them never look at is made on demand. */
import type { FastifyRequest } from 'fastify'
import type { RequestContext } from '../context/index.ts'
import type { Exchange } from './exchange.ts'
import type { ApiRequest } from './operation.ts'

export class Incoming implements ApiRequest {
  readonly context: RequestContext
  readonly params: Record<string, string>
  readonly query: Record<string, string | string[] | undefined>
  readonly body: unknown
  readonly headers: FastifyRequest['headers']
  readonly minor: number
  // Not `#private`: `withChanges` copies a request with all that it has.
  readonly exchange: Exchange
  readonly root: string
  controller: AbortController | undefined = undefined

  constructor(exchange: Exchange, context: RequestContext, root: string) {
    const { request } = exchange
    this.context = context
    this.params = request.params as Record<string, string>
    this.query = request.query as Record<string, string | string[] | undefined>
    this.body = request.body
    this.headers = request.headers
    this.minor = exchange.minor ?? 0
    this.exchange = exchange
    this.root = root
  }

  get baseUrl(): string {
    const { request } = this.exchange
    return `${request.protocol}://${request.host}${this.root}`
  }

  get path(): string {
    return this.exchange.path.slice(this.root.length) || '/'
  }

  get clientAddress(): string {
    return this.exchange.request.ip
  }

  get signal(): AbortSignal {
    if (!this.controller) {
      const made = new AbortController()
      const { raw } = this.exchange.reply
      this.controller = made
      raw.once('close', () => {
        if (!raw.writableFinished) made.abort(new Error('the caller went away'))
      })
    }
    return this.controller.signal
  }
}
