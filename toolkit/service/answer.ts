/** Answers on their way out: what handlers return and what they throw, as statuses, headers and bodies. */
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { Fault } from '../fault/index.ts'
import { bodyTooLarge } from './body.ts'
import type { Operation, Reply } from './operation.ts'

export function send(operation: Operation, result: Reply | object | undefined, reply: FastifyReply): void {
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

/** Whatever was thrown as what the caller is told; a defect tells the caller nothing. */
export function faultOf(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown
  const { code, statusCode, message } = (thrown ?? {}) as { code?: string; statusCode?: number; message?: string }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return bodyTooLarge()
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new Fault({ status: statusCode, code: 'BadRequest', message: message ?? 'Bad request' })
  return new Fault({
    status: 500,
    code: 'InternalServerError',
    message: 'An unexpected error prevented the server from fulfilling your request.',
  })
}
