/** Request bodies: which are read, how far, and what of them is refused before a handler sees it. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { badRequest, type Fault, tooLarge, unsupportedMediaType } from '../fault/index.ts'
import type { Operation } from './operation.ts'

/** Bytes of a body whose operation says nothing else, as in OpenStack. */
export const defaultBodyLimit = 114_688

/** A body is larger than its operation takes. */
export const bodyTooLarge = (): Fault => tooLarge('Request body too large.')

type Done = (err: Error | null, body?: unknown) => void

/**
 * JSON is parsed, streams that some operation takes are handed on unread, forms are parsed for those that take them, anything
 * else is a 415.
 */
export function addBodyParsers(scope: FastifyInstance, operations: readonly Operation[]): void {
  const forms = new Set(operations.filter(one => one.form).map(one => `${one.method} ${scope.prefix}${one.path}`))
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, parseJson)
  scope.addContentTypeParser(/^application\/[\w.-]+[+-]json/, { parseAs: 'string' }, parseJson)
  for (const type of new Set(operations.flatMap(one => one.stream ?? [])))
    scope.addContentTypeParser(type, (_request, payload, done) => done(null, payload))
  scope.addContentTypeParser('*', { parseAs: 'string' }, (request: FastifyRequest, text: string, done: Done) => {
    if (text === '') return done(null, undefined)
    if (mediaType(request) === formType && forms.has(`${request.method} ${request.routeOptions.url}`))
      return done(null, parseForm(text))
    // Some clients send JSON under the wrong name, or none at all; what is not JSON is refused by its name.
    return /^\s*[{[]/.test(text) ? parseJson(request, text, done) : done(unsupportedType(request))
  })
}

const formType = 'application/x-www-form-urlencoded'

/** Of a field that is given twice, the last one counts. */
const parseForm = (text: string): Record<string, string> => Object.fromEntries(new URLSearchParams(text))

export const unsupportedType = (request: FastifyRequest): Fault =>
  unsupportedMediaType(`Unsupported Content-Type: ${request.headers['content-type'] ?? 'none'}`)

function parseJson(_request: FastifyRequest, text: string, done: Done): void {
  let body: unknown
  try {
    if (text.trim() !== '')
      // Only a text that could spell `__proto__` (also by escapes) pays for looking at each of its names.
      body = /__proto__|\\u/i.test(text) ? JSON.parse(text, refuseProto) : JSON.parse(text)
  } catch (thrown) {
    const words = `The request body is not valid JSON: ${(thrown as Error).message}`
    done(badRequest(words, 'MalformedRequestBody'))
    return
  }
  done(null, body)
}

function refuseProto(name: string, value: unknown): unknown {
  if (name === '__proto__') throw new Error('it may not have a member named __proto__')
  return value
}

/** True when the head of a request tells that its body is larger than the route takes and would be read. */
export function announcesTooMuch(request: FastifyRequest, streams: ReadonlySet<string>): boolean {
  const length = request.headers['content-length']
  if (length === undefined || Number(length) <= (request.routeOptions.bodyLimit ?? defaultBodyLimit)) return false
  return !streams.has(mediaType(request))
}

export const mediaType = (request: FastifyRequest): string =>
  (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()

const patience = 5_000

/**
 * After a body was refused unread: what its sender still sends is thrown away for a while, so that it can finish and read the
 * answer. Closing at once would reset the connection under a sender that writes all before it reads.
 */
export function discardRest(request: FastifyRequest, timer: (ms: number, fn: () => void) => () => void): void {
  const { raw } = request
  if (raw.complete) return
  const cancel = timer(patience, () => raw.destroy())
  raw.once('close', cancel).once('end', cancel)
  raw.resume()
}
