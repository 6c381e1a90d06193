/** Operations made ready for requests: their schemas compiled, and chosen among by microversion and action. */
import { badRequest, notFound } from '../fault/index.ts'
import { compileSchema, type JsonSchema, type Validator } from '../schema/index.ts'
import type { Operation } from './operation.ts'

/** An operation with the validators of its body and query, by minor. */
export interface Prepared {
  readonly operation: Operation
  readonly body?: (minor: number) => Validator
  readonly query?: (minor: number) => Validator
}

export const prepare = (operation: Operation): Prepared => ({
  operation,
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

/** The operation of a path that is meant. Throws a 404 where the minor has none, a 400 where the body names no action. */
export function select(prepared: readonly Prepared[], minor: number, body: unknown): Prepared {
  const current = prepared.filter(
    ({ operation: o }) => minor >= (o.since ?? 0) && minor <= (o.until ?? Number.POSITIVE_INFINITY),
  )
  const [first] = current
  if (!first) throw notFound('The resource could not be found.')
  if (first.operation.action === undefined) return first
  const names = typeof body === 'object' && body !== null ? Object.keys(body) : []
  if (names.length === 0) throw badRequest('There is no action in the body.', 'MalformedRequestBody')
  const found = current.find(one => names.includes(one.operation.action!))
  if (!found) throw badRequest(`There is no such action: ${names.join(', ')}`, 'NoSuchAction')
  return found
}
