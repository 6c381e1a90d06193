/**
 * A request's failure as the caller will see it: an HTTP status, a stable code, and words fit for the caller. Each API
 * family's dialect turns it into that family's error body. Anything else that is thrown is a defect: it is logged in
 * full, and the caller sees a plain 500.
 */
export interface FaultInit {
  readonly status: number
  /** The stable name, in the family's own style: `NetworkNotFound`, `itemNotFound`, `placement.concurrent_update`. */
  readonly code: string
  readonly message: string
  readonly headers?: Readonly<Record<string, string>>
  /** Further members of the error body, where the family has them. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

export class Fault extends Error {
  override readonly name = 'Fault'
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>
  readonly details: Readonly<Record<string, unknown>>
  constructor(init: FaultInit) {
    super(init.message, { cause: init.cause })
    this.status = init.status
    this.code = init.code
    this.headers = init.headers ?? {}
    this.details = init.details ?? {}
  }
}

const make =
  (status: number, fallback: string) =>
  (message: string, code = fallback, extra: Pick<FaultInit, 'headers' | 'details' | 'cause'> = {}): Fault =>
    new Fault({ status, code, message, ...extra })

export const badRequest = make(400, 'BadRequest')
export const unauthorized = make(401, 'Unauthorized')
export const forbidden = make(403, 'Forbidden')
export const notFound = make(404, 'NotFound')
export const methodNotAllowed = make(405, 'MethodNotAllowed')
export const notAcceptable = make(406, 'NotAcceptable')
export const conflict = make(409, 'Conflict')
export const gone = make(410, 'Gone')
export const tooLarge = make(413, 'RequestEntityTooLarge')
export const unsupportedMediaType = make(415, 'UnsupportedMediaType')
export const unprocessable = make(422, 'UnprocessableEntity')
export const notImplemented = make(501, 'NotImplemented')
export const unavailable = make(503, 'ServiceUnavailable')

/** The message of whatever was thrown. */
export function reason(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
