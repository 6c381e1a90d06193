/** Flavors: how large a server is. Sizes: memory and swap in MiB, disks in GiB. */
import { resource } from '@strata/toolkit/resource'
import { boolean, integer, type JsonSchema, json, type Row, real, text, time } from '@strata/toolkit/schema'
import { envelope, flag, name, whole } from './fields.ts'

export const flavor = resource({
  name: 'flavor',
  plural: 'flavors',
  path: '/v2.1/flavors',
  table: 'flavors',
  fields: {
    id: text(),
    name: text(),
    description: text().nullable(),
    vcpus: integer(),
    ram: integer(),
    disk: integer(),
    ephemeral: integer(),
    swap: integer(),
    rxtx_factor: real(),
    is_public: boolean(),
    disabled: boolean(),
    extra_specs: json<Readonly<Record<string, string>>>({ type: 'object' }),
    created_at: time(),
    updated_at: time().nullable(),
  },
  policy: {},
})

export type Flavor = Readonly<Row<typeof flavor.fields>>

/** Names of sort keys, as callers know them → fields. */
export const flavorSortKeys: Readonly<Record<string, keyof Flavor>> = {
  flavorid: 'id',
  id: 'id',
  name: 'name',
  memory_mb: 'ram',
  root_gb: 'disk',
  ephemeral_gb: 'ephemeral',
  swap: 'swap',
  vcpus: 'vcpus',
  rxtx_factor: 'rxtx_factor',
  is_public: 'is_public',
  disabled: 'disabled',
  description: 'description',
  created_at: 'created_at',
  updated_at: 'updated_at',
}

export const description: JsonSchema = {
  type: ['string', 'null'],
  maxLength: 65_535,
  pattern: '^[^\\x00-\\x1f\\x7f]*$',
}

const creation = {
  name,
  id: { type: ['string', 'number', 'null'], minLength: 1, maxLength: 255, pattern: '^(?! )[a-zA-Z0-9. _-]+(?<! )$' },
  ram: whole(1),
  vcpus: whole(1),
  disk: whole(0),
  'OS-FLV-EXT-DATA:ephemeral': whole(0),
  swap: whole(0),
  rxtx_factor: {
    type: ['number', 'string'],
    pattern: '^[0-9]+(\\.[0-9]+)?$',
    maxLength: 40,
    exclusiveMinimum: 0,
    maximum: 3.40282e38,
  },
  'os-flavor-access:is_public': flag,
} as const
const required = ['name', 'ram', 'vcpus', 'disk']
const before255 = envelope('flavor', creation, required)
const since255 = envelope('flavor', { ...creation, description }, required)

export interface FlavorCreation {
  readonly name: string
  readonly id?: string | number | null
  readonly ram: number | string
  readonly vcpus: number | string
  readonly disk: number | string
  readonly 'OS-FLV-EXT-DATA:ephemeral'?: number | string
  readonly swap?: number | string
  readonly rxtx_factor?: number | string
  readonly 'os-flavor-access:is_public'?: boolean | string
  readonly description?: string | null
}

export const flavorCreation = (minor: number): JsonSchema => (minor >= 55 ? since255 : before255)
export const flavorUpdate = envelope('flavor', { description }, ['description'])

const specs: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  patternProperties: { '^[a-zA-Z0-9_:. -]{1,255}$': { type: ['string', 'number'], maxLength: 255 } },
}
export const extraSpecsCreation: JsonSchema = {
  type: 'object',
  required: ['extra_specs'],
  additionalProperties: false,
  properties: { extra_specs: specs },
}
export const extraSpecUpdate: JsonSchema = { ...specs, minProperties: 1, maxProperties: 1 }

export const accessAction = (action: 'addTenantAccess' | 'removeTenantAccess'): JsonSchema =>
  envelope(action, { tenant: { type: 'string', minLength: 1, maxLength: 255 } }, ['tenant'])
