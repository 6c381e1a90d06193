/** Operations made ready for requests: their schemas compiled, and chosen among by microversion and action. */
import { badRequest, notFound } from '../fault/index.ts'
import { compileSchema, type JsonSchema, type Validator } from '../schema/index.ts'
import type { Operation } from './operation.ts'

/** An operation with the validators of its body and query, by minor. All have the same members, set or not. */
export interface Prepared {
  readonly operation: Operation
  readonly handler: Operation['handler']
  readonly auth: 'token' | 'optional' | 'none'
  readonly policy: string | undefined
  readonly status: number | undefined
  readonly body: ((minor: number) => Validator) | undefined
  readonly query: ((minor: number) => Validator) | undefined
}

const prepare = (operation: Operation): Prepared => ({
  operation,
  // Called as a function of its own, not of what holds it.
  handler: request => operation.handler(request),
  auth: operation.auth ?? 'token',
  policy: operation.policy,
  status: operation.status,
  body: operation.body && perVersion(operation.body),
  query: operation.query && perVersion(operation.query),
})

/** Compiled once for each minor in which the schema differs. */
function perVersion(schema: NonNullable<Operation['body']>): (minor: number) => Validator {
  if (typeof schema !== 'function') {
    const validator = compileSchema(schema)
    return () => validator
  }
  const bySchema = new Map<JsonSchema, Validator>()
  const byMinor = new Map<number, Validator>()
  return minor => {
    let validator = byMinor.get(minor)
    if (!validator) {
      const made = schema(minor)
      validator = bySchema.get(made) ?? compileSchema(made)
      bySchema.set(made, validator)
      byMinor.set(minor, validator)
    }
    return validator
  }
}

/**
 * Chooses among the operations of a path the one that is meant. What it gives throws a 404 where the minor has none, a 400
 * where the body names no action.
 */
export function chooser(operations: readonly Operation[]): (minor: number, body: unknown) => Prepared {
  const all = operations.map(prepare)
  const byMinor = new Map<number, readonly Prepared[]>()
  const at = (minor: number): readonly Prepared[] => {
    const found = all.filter(
      ({ operation: o }) => minor >= (o.since ?? 0) && minor <= (o.until ?? Number.POSITIVE_INFINITY),
    )
    byMinor.set(minor, found)
    return found
  }
  return (minor, body) => {
    const current = byMinor.get(minor) ?? at(minor)
    const first = current[0]
    if (!first) throw notFound('The resource could not be found.')
    return first.operation.action === undefined ? first : byAction(current, body)
  }
}

function byAction(current: readonly Prepared[], body: unknown): Prepared {
  const names = typeof body === 'object' && body !== null ? Object.keys(body) : []
  if (names.length === 0) throw badRequest('There is no action in the body.', 'MalformedRequestBody')
  const found = current.find(one => names.includes(one.operation.action!))
  if (!found) throw badRequest(`There is no such action: ${names.join(', ')}`, 'NoSuchAction')
  return found
}
