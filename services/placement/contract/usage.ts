/** Usages: sums of what is allocated, of one provider or of one project. */
import type { JsonSchema } from '@strata/toolkit/schema'

/** Answer of `GET …/usages` of a provider. */
export interface ProviderUsages {
  readonly resource_provider_generation: number
  readonly usages: Readonly<Record<string, number>>
}

/** Answer of `GET /usages` since 1.38: by consumer type; the count stands beside the classes as `consumer_count`. */
export interface ProjectUsages {
  readonly usages: Readonly<Record<string, Readonly<Record<string, number>>>>
}

const id: JsonSchema = { type: 'string', minLength: 1, maxLength: 255 }

const query = (more: JsonSchema): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  required: ['project_id'],
  properties: { project_id: id, user_id: id, ...more },
})

export const usagesQuery = {
  plain: query({}),
  typed: query({ consumer_type: { type: 'string', pattern: '^([A-Z0-9_]+|all|unknown)$', maxLength: 255 } }),
}
