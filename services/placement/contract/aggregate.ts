/** Aggregates: groups of providers, known only by a UUID that their owner (compute, say) gives them. */
import type { JsonSchema } from '@strata/toolkit/schema'

/** Body of `PUT …/aggregates` since 1.19, and the answer. */
export interface Aggregates {
  readonly aggregates: readonly string[]
  readonly resource_provider_generation: number
}

const list: JsonSchema = { type: 'array', uniqueItems: true, items: { type: 'string', format: 'uuid' } }

export const setAggregatesSchema = {
  /** Until 1.18: the bare list, last writer wins. */
  bare: list,
  guarded: {
    type: 'object',
    additionalProperties: false,
    required: ['aggregates', 'resource_provider_generation'],
    properties: { aggregates: list, resource_provider_generation: { type: 'integer' } },
  },
}
