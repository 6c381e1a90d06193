/**
 * Resource providers: whatever has something to give (a host, a NUMA node in it, a storage pool), in trees. A provider's
 * *generation* counts the changes of its inventory, traits and aggregates; who writes says which one they have seen.
 */
import type { JsonSchema } from '@strata/toolkit/schema'

export interface Link {
  readonly rel: string
  readonly href: string
}

/** As shown since 1.14. */
export interface ResourceProvider {
  readonly uuid: string
  readonly name: string
  readonly generation: number
  readonly parent_provider_uuid: string | null
  readonly root_provider_uuid: string
  readonly links: readonly Link[]
}

/** Body of `POST /resource_providers`. */
export interface CreateProvider {
  readonly name: string
  readonly uuid?: string
  readonly parent_provider_uuid?: string | null
}

/** Body of `PUT /resource_providers/{uuid}`; a parent that is not named stays. */
export interface UpdateProvider {
  readonly name: string
  readonly parent_provider_uuid?: string | null
}

export interface ProviderList {
  readonly resource_providers: readonly ResourceProvider[]
}

const uuid: JsonSchema = { type: 'string', format: 'uuid' }
const name: JsonSchema = { type: 'string', minLength: 1, maxLength: 200 }
const parent: JsonSchema = { type: ['string', 'null'], format: 'uuid' }

const schema = (properties: JsonSchema): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties,
})

export const createProviderSchema = {
  flat: schema({ name, uuid }),
  nested: schema({ name, uuid, parent_provider_uuid: parent }),
}
export const updateProviderSchema = {
  flat: schema({ name }),
  nested: schema({ name, parent_provider_uuid: parent }),
}
