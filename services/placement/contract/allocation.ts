/**
 * Allocations: what a *consumer* (a server, a migration) holds of which providers. A consumer's allocations are always
 * replaced as a whole; its *generation* (null: there is no such consumer yet) says what the writer has seen.
 */
import type { JsonSchema } from '@strata/toolkit/schema'
import { resourceClassPattern, type SetInventories, setInventoriesSchema, uuidKeyPattern } from './inventory.ts'

export interface ProviderAllocation {
  readonly generation?: number
  readonly resources: Readonly<Record<string, number>>
}

/** Body of `PUT /allocations/{consumer}` since 1.38, and of each consumer in `POST /allocations`. */
export interface ConsumerAllocations {
  /** By provider. Empty: gives back all that the consumer holds. */
  readonly allocations: Readonly<Record<string, ProviderAllocation>>
  readonly project_id: string
  readonly user_id: string
  readonly consumer_generation: number | null
  /** `INSTANCE`, `MIGRATION`, … */
  readonly consumer_type: string
  /** Providers by request group, as a candidate told them; checked for form and not kept. */
  readonly mappings?: Readonly<Record<string, readonly string[]>>
}

/** Answer of `GET /allocations/{consumer}`; without allocations only that (empty) member is there. */
export interface ShownAllocations {
  readonly allocations: Readonly<Record<string, Required<ProviderAllocation>>>
  readonly project_id?: string
  readonly user_id?: string
  readonly consumer_generation?: number
  readonly consumer_type?: string
}

/** Body of `POST /allocations`, by consumer. */
export type ManyAllocations = Readonly<Record<string, ConsumerAllocations>>

/** Body of `POST /reshaper`. */
export interface Reshape {
  readonly inventories: Readonly<Record<string, SetInventories>>
  readonly allocations: ManyAllocations
}

const id: JsonSchema = { type: 'string', minLength: 1, maxLength: 255 }
const resources: JsonSchema = {
  type: 'object',
  minProperties: 1,
  additionalProperties: false,
  patternProperties: { [resourceClassPattern]: { type: 'integer', minimum: 1, maximum: 0x7fffffff } },
}
const owner = { project_id: id, user_id: id }
const ownerNames = ['project_id', 'user_id']

const listed = (extra: JsonSchema, required: readonly string[]): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  required: ['allocations', ...required],
  properties: {
    allocations: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['resource_provider', 'resources'],
        properties: {
          resource_provider: {
            type: 'object',
            additionalProperties: false,
            required: ['uuid'],
            properties: { uuid: { type: 'string', format: 'uuid' } },
          },
          resources,
        },
      },
    },
    ...extra,
  },
})

const keyed = (least: number, extra: JsonSchema = {}, required: readonly string[] = []): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  required: ['allocations', ...ownerNames, ...required],
  properties: {
    allocations: {
      type: 'object',
      minProperties: least,
      additionalProperties: false,
      patternProperties: {
        [uuidKeyPattern]: {
          type: 'object',
          additionalProperties: false,
          required: ['resources'],
          properties: { generation: { type: 'integer' }, resources },
        },
      },
    },
    ...owner,
    ...extra,
  },
})

const generation = { consumer_generation: { type: ['integer', 'null'] } }
const mappings = {
  mappings: {
    type: 'object',
    minProperties: 1,
    additionalProperties: false,
    patternProperties: {
      '^[a-zA-Z0-9_-]{0,64}$': { type: 'array', minItems: 1, items: { type: 'string', format: 'uuid' } },
    },
  },
}
const type = { consumer_type: { type: 'string', pattern: resourceClassPattern, minLength: 1, maxLength: 255 } }

const v28 = keyed(0, generation, ['consumer_generation'])
const v34 = keyed(0, { ...generation, ...mappings }, ['consumer_generation'])
const v38 = keyed(0, { ...generation, ...mappings, ...type }, ['consumer_generation', 'consumer_type'])

/** Bodies of `PUT /allocations/{consumer}`, by the version that brought them. */
export const putAllocationsSchemas: readonly (readonly [since: number, schema: JsonSchema])[] = [
  [0, listed({}, [])],
  [8, listed(owner, ownerNames)],
  [12, keyed(1)],
  [28, v28],
  [34, v34],
  [38, v38],
]

const many = (one: JsonSchema, least: number): JsonSchema => ({
  type: 'object',
  minProperties: least,
  additionalProperties: false,
  patternProperties: { [uuidKeyPattern]: one },
})

/** Bodies of `POST /allocations`. */
export const postAllocationsSchemas: typeof putAllocationsSchemas = [
  [13, many(keyed(0), 1)],
  [28, many(v28, 1)],
  [34, many(v34, 1)],
  [38, many(v38, 1)],
]

const reshape = (one: JsonSchema): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  required: ['inventories', 'allocations'],
  properties: {
    inventories: {
      type: 'object',
      minProperties: 1,
      additionalProperties: false,
      patternProperties: { [uuidKeyPattern]: setInventoriesSchema },
    },
    allocations: many(one, 0),
  },
})

/** Bodies of `POST /reshaper`. */
export const reshapeSchemas: typeof putAllocationsSchemas = [
  [30, reshape(v28)],
  [34, reshape(v34)],
  [38, reshape(v38)],
]
