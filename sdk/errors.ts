/** A service's refusal, or its silence. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number
  /** `compute`, `network`, … */
  readonly service: string
  /** The answer's body, as JSON when it is that. Not enumerable, so that logs of the error don't show what it may hold. */
  declare readonly body: unknown
  /** True when trying again later may help: no answer, 429, 502, 503 or 504. */
  readonly transient: boolean
  constructor(init: { service: string; status: number; message: string; body?: unknown; cause?: unknown }) {
    super(init.message, { cause: init.cause })
    this.service = init.service
    this.status = init.status
    Object.defineProperty(this, 'body', { value: init.body, enumerable: false })
    this.transient = [0, 429, 502, 503, 504].includes(init.status)
  }
}

/** The words of an error body, whichever family's it is. */
export function messageOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const record = body as Record<string, unknown>
  for (const name of ['message', 'detail'])
    if (typeof record[name] === 'string' && record[name] !== '') return record[name]
  for (const inner of Object.values(record)) {
    const found = messageOf(Array.isArray(inner) ? inner[0] : inner)
    if (found !== undefined) return found
  }
  return undefined
}
