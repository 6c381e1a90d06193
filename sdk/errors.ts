/** A service's refusal, or its silence. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number
  /** `compute`, `network`, … */
  readonly service: string
  /** The answer's body, as JSON when it is that. */
  readonly body: unknown
  /** True when trying again later may help: no answer, 429, 502, 503 or 504. */
  readonly transient: boolean
  constructor(init: { service: string; status: number; message: string; body?: unknown; cause?: unknown }) {
    super(init.message, { cause: init.cause })
    this.service = init.service
    this.status = init.status
    this.body = init.body
    this.transient = [0, 429, 502, 503, 504].includes(init.status)
  }
}

/** The words of an error body, whichever family's it is. */
export function messageOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const record = body as Record<string, unknown>
  if (typeof record['message'] === 'string') return record['message']
  if (typeof record['detail'] === 'string') return record['detail']
  const [first] = Object.values(record)
  return messageOf(Array.isArray(first) ? first[0] : first)
}
