/** Bodies that change compute services. */
import type { JsonSchema } from '@strata/toolkit/schema'
import { flag } from './fields.ts'

const reason = { type: 'string', minLength: 1, maxLength: 255, pattern: '^[^\\x00-\\x1f\\x7f]*$' }
const host = { type: 'string', minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._-]*$' }
const binary = { type: 'string', minLength: 1, maxLength: 255 }

const body = (properties: Readonly<Record<string, JsonSchema>>, required: readonly string[] = []): JsonSchema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})
const first = body({ host, binary, disabled_reason: reason }, ['host', 'binary'])
const since211 = body({ host, binary, disabled_reason: reason, forced_down: flag }, ['host', 'binary'])

/** Before 2.53: the path says what to do, the body to whom. */
export const serviceAction = (minor: number): JsonSchema => (minor >= 11 ? since211 : first)

/** Since 2.53: the path says to whom, the body what to do. */
export const serviceUpdate = body({
  status: { type: 'string', enum: ['enabled', 'disabled'] },
  disabled_reason: reason,
  forced_down: flag,
})
