/** Inventories: how much of a resource class a provider has, and in which portions it may be taken. */
import type { JsonSchema } from '@strata/toolkit/schema'

export interface Inventory {
  readonly total: number
  /** Held back from everybody, before the ratio. */
  readonly reserved: number
  readonly min_unit: number
  readonly max_unit: number
  readonly step_size: number
  /** What may be promised is (total - reserved) × allocation_ratio. */
  readonly allocation_ratio: number
}

/** As sent; what is absent gets its default. */
export type InventoryInput = Pick<Inventory, 'total'> & Partial<Inventory>

/** Body of `PUT …/inventories`: replaces them all. */
export interface SetInventories {
  readonly resource_provider_generation: number
  readonly inventories: Readonly<Record<string, InventoryInput>>
}

/** Answer of `GET` and `PUT …/inventories`. */
export interface Inventories {
  readonly resource_provider_generation: number
  readonly inventories: Readonly<Record<string, Inventory>>
}

export type OneInventory = Inventory & { readonly resource_provider_generation: number }

/** Largest count of anything. */
export const maxCount = 0x7fffffff

export const withDefaults = (given: InventoryInput): Inventory => ({
  total: given.total,
  reserved: given.reserved ?? 0,
  min_unit: given.min_unit ?? 1,
  max_unit: given.max_unit ?? maxCount,
  step_size: given.step_size ?? 1,
  allocation_ratio: given.allocation_ratio ?? 1,
})

export const resourceClassPattern = '^[A-Z0-9_]+$'
export const uuidKeyPattern = '^[0-9a-fA-F-]{36}$'

const count = (minimum: number): JsonSchema => ({ type: 'integer', minimum, maximum: maxCount })
const generation: JsonSchema = { type: 'integer' }

const fields = {
  resource_provider_generation: generation,
  total: count(1),
  reserved: count(0),
  min_unit: count(1),
  max_unit: count(1),
  step_size: count(1),
  allocation_ratio: { type: 'number', exclusiveMinimum: 0, maximum: 3.40282e38 },
}

const record = (required: readonly string[], more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties: { ...fields, ...more },
})

/** Body of `POST …/inventories`. */
export const createInventorySchema = record(['total', 'resource_class'], {
  resource_class: { type: 'string', pattern: resourceClassPattern, maxLength: 255 },
})
/** Body of `PUT …/inventories/{resource_class}`. */
export const updateInventorySchema = record(['total', 'resource_provider_generation'])
export const setInventoriesSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['resource_provider_generation', 'inventories'],
  properties: {
    resource_provider_generation: generation,
    inventories: {
      type: 'object',
      additionalProperties: false,
      patternProperties: { [resourceClassPattern]: record(['total']) },
    },
  },
}
