/** Host aggregates: groups of hosts with metadata; one with an availability zone makes that zone. */
import type { JsonSchema } from '@strata/toolkit/schema'
import { envelope, name } from './fields.ts'

export interface Aggregate {
  readonly id: number
  readonly uuid: string
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
  readonly hosts: readonly string[]
  readonly created_at: string
  readonly updated_at: string | null
}

/** Key of the metadata that makes a zone. */
export const zoneKey = 'availability_zone'

// A colon parts a zone from a host in what callers ask of servers.
const zone: JsonSchema = {
  type: ['string', 'null'],
  minLength: 1,
  maxLength: 255,
  pattern: '^[^\\s:\\x00-\\x1f\\x7f]([^:\\x00-\\x1f\\x7f]*[^\\s:\\x00-\\x1f\\x7f])?$',
}
const host: JsonSchema = { type: 'string', minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._-]*$' }

export const aggregateCreation = envelope('aggregate', { name, availability_zone: zone }, ['name'])
export const aggregateUpdate: JsonSchema = {
  type: 'object',
  required: ['aggregate'],
  additionalProperties: false,
  properties: {
    aggregate: {
      type: 'object',
      minProperties: 1,
      additionalProperties: false,
      properties: { name, availability_zone: zone },
    },
  },
}
export const aggregateHost = (action: 'add_host' | 'remove_host'): JsonSchema => envelope(action, { host }, ['host'])
export const aggregateMetadata = envelope(
  'set_metadata',
  {
    metadata: {
      type: 'object',
      additionalProperties: false,
      patternProperties: { '^[a-zA-Z0-9_:. -]{1,255}$': { type: ['string', 'null'], maxLength: 255 } },
    },
  },
  ['metadata'],
)
