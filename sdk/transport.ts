/** How a request reaches a service. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import type { Server } from '@strata/toolkit/service'
import { ApiError } from './errors.ts'

export interface TransportRequest {
  readonly service: string
  readonly method: string
  /** Below the service's root, with its query: `/v2.0/ports?name=a`. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | Readable
  readonly signal?: AbortSignal
}

export interface TransportResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Readable
}

/** Throws an `ApiError` with status 0 when no answer comes. */
export type Transport = (request: TransportRequest) => Promise<TransportResponse>

/** Straight into the router of a server in this process: no socket, the same path and checks. */
export function routerTransport(server: Server): Transport {
  return async ({ service, method, path, headers, body, signal }) => {
    signal?.throwIfAborted()
    const answer = await server.inject({
      method: method as 'GET',
      url: `/${service}${path}`,
      headers: { ...headers },
      payload: body as string | undefined,
      signal,
      payloadAsStream: true,
    })
    return { status: answer.statusCode, headers: answer.headers as TransportResponse['headers'], body: answer.stream() }
  }
}

/** Over HTTP; `root` gives the URL of a service's root, without a slash at its end. */
export function httpTransport(root: (service: string) => string): Transport {
  return ({ service, method, path, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const url = new URL(root(service) + path)
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest
      const outgoing = send(url, { method, headers, signal }, (answer: IncomingMessage) =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: answer }),
      )
      outgoing.on('error', cause =>
        reject(new ApiError({ service, status: 0, message: `${service} does not answer: ${cause.message}`, cause })),
      )
      if (body instanceof Readable) body.pipe(outgoing)
      else outgoing.end(body)
    })
}
