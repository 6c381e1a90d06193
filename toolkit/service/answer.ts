/** Answers on their way out: what handlers return and what they throw, as statuses, headers and bodies. */
import { Readable } from 'node:stream'
import { Fault } from '../fault/index.ts'
import { bodyTooLarge } from './body.ts'
import type { Exchange, Write } from './exchange.ts'
import type { Reply } from './operation.ts'

const json = { 'content-type': 'application/json' }
const octets = { 'content-type': 'application/octet-stream' }

/** `status`: of an answer that names none. */
export function send(
  write: Write,
  exchange: Exchange,
  result: Reply | object | undefined,
  status: number | undefined,
): void {
  if (result === undefined) write(exchange, status ?? 204, undefined, undefined)
  else if (isReply(result)) sendReply(write, exchange, result)
  else write(exchange, status ?? 200, json, JSON.stringify(result))
}

function sendReply(write: Write, exchange: Exchange, result: Reply): void {
  const { body, headers } = result
  if (body === undefined || body === null) write(exchange, result.status, headers, undefined)
  else if (typeof body === 'string' || body instanceof Uint8Array || body instanceof Readable)
    write(exchange, result.status, headers?.['content-type'] ? headers : { ...octets, ...headers }, body)
  else write(exchange, result.status, headers ? { ...headers, ...json } : json, JSON.stringify(body))
}

function isReply(result: object): result is Reply {
  return (result as Reply).reply === true
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
