/** Traits: what a provider can do, beside how much it has. Standard ones are known; callers add `CUSTOM_` ones. */
import type { JsonSchema } from '@strata/toolkit/schema'

/** Body of `PUT …/traits`: replaces them all. */
export interface SetTraits {
  readonly resource_provider_generation: number
  readonly traits: readonly string[]
}

export type ProviderTraits = SetTraits

export const customName = /^CUSTOM_[A-Z0-9_]{1,248}$/

export const setTraitsSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['traits', 'resource_provider_generation'],
  properties: {
    traits: { type: 'array', items: { type: 'string', minLength: 1, maxLength: 255 } },
    resource_provider_generation: { type: 'integer' },
  },
}

export const listTraitsQuery: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { name: {}, associated: {} },
}

/** Body that makes or renames a custom resource class. */
export const resourceClassSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: { name: { type: 'string', pattern: '^CUSTOM_[A-Z0-9_]+$', maxLength: 255 } },
}
