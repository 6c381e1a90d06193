/**
 * Images as the Image API v2 shows them, and the schemas of their bodies.
 *
 * Words: a *base attribute* is one that every image has; a *property* is any other member of an image, named by whoever
 * made it, whose value is a string.
 */
import type { JsonSchema } from '@strata/toolkit/schema'

export const VISIBILITIES = ['community', 'public', 'private', 'shared'] as const
export type Visibility = (typeof VISIBILITIES)[number]

/** Those that the API knows; ours pass through `queued`, `saving`, `uploading`, `importing`, `active` and `deactivated`. */
export const STATUSES = [
  'queued',
  'saving',
  'active',
  'killed',
  'deleted',
  'uploading',
  'importing',
  'pending_delete',
  'deactivated',
] as const
export type ImageStatus = (typeof STATUSES)[number]

/** What whoever may change an image may set. */
export interface ImageSettings {
  readonly name: string | null
  readonly visibility: Visibility
  readonly protected: boolean
  readonly os_hidden: boolean
  readonly owner: string | null
  readonly disk_format: string | null
  readonly container_format: string | null
  /** GiB. */
  readonly min_disk: number
  /** MiB. */
  readonly min_ram: number
  readonly tags: readonly string[]
  readonly properties: Readonly<Record<string, string>>
}

/** What only the service itself sets. */
export interface ImageFacts {
  readonly id: string
  readonly status: ImageStatus
  /** Bytes of the data; null while there is none. */
  readonly size: number | null
  /** Bytes of the disk that a machine would see. */
  readonly virtual_size: number | null
  /** MD5, in hexadecimal. */
  readonly checksum: string | null
  readonly os_hash_algo: string | null
  readonly os_hash_value: string | null
  /** ISO 8601, UTC, milliseconds. */
  readonly created_at: string
  readonly updated_at: string
}

/** An image as `GET /v2/images/{id}` answers it; properties stand beside the base attributes. */
export interface ImageView extends Omit<ImageSettings, 'properties'>, ImageFacts {
  readonly self: string
  readonly file: string
  readonly schema: string
  readonly stores?: string
  readonly [property: string]: unknown
}

export const SETTABLE = [
  'name',
  'visibility',
  'protected',
  'os_hidden',
  'owner',
  'disk_format',
  'container_format',
  'min_disk',
  'min_ram',
  'tags',
] as const
export type Settable = (typeof SETTABLE)[number]

export const MUTABLE_ONLY_WHEN_QUEUED: readonly string[] = ['disk_format', 'container_format']

/** Refused with a 403 when a caller tries to set them. */
export const READ_ONLY: readonly string[] = [
  'created_at',
  'updated_at',
  'status',
  'checksum',
  'size',
  'virtual_size',
  'direct_url',
  'self',
  'file',
  'schema',
  'stores',
  'id',
  'os_hash_algo',
  'os_hash_value',
]
export const RESERVED: readonly string[] = ['location', 'locations', 'deleted', 'deleted_at']
/** Properties of this prefix belong to the service. */
export const RESERVED_PREFIX = 'os_glance'

const UUID = '^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$'
const nullableText = (description: string, maxLength: number): JsonSchema => ({
  type: ['null', 'string'],
  description,
  maxLength,
})
const readOnlyText = (description: string): JsonSchema => ({ type: 'string', readOnly: true, description })
const count = (description: string): JsonSchema => ({
  type: 'integer',
  minimum: 0,
  maximum: 2_147_483_647,
  description,
})
const choice = (description: string, values: readonly string[]): JsonSchema => ({
  type: ['null', 'string'],
  enum: [null, ...values],
  description,
})

export interface Formats {
  readonly diskFormats: readonly string[]
  readonly containerFormats: readonly string[]
}

/** Schema of each base attribute, as `GET /v2/schemas/image` publishes it. */
export function baseAttributes({ diskFormats, containerFormats }: Formats): Readonly<Record<string, JsonSchema>> {
  return {
    id: { type: 'string', pattern: UUID, description: 'Identifier of the image' },
    name: nullableText('Name for people to know the image by', 255),
    status: { type: 'string', readOnly: true, enum: [...STATUSES], description: 'Where the image is in its life' },
    visibility: { type: 'string', enum: [...VISIBILITIES], description: 'Who can see and use the image' },
    protected: { type: 'boolean', description: 'Whether deleting the image is refused' },
    os_hidden: { type: 'boolean', description: 'Whether the image is left out of lists that do not ask for it' },
    checksum: { ...nullableText('MD5 of the data', 32), readOnly: true },
    os_hash_algo: { ...nullableText('Algorithm of os_hash_value', 64), readOnly: true },
    os_hash_value: { ...nullableText('Digest of the data, in hexadecimal', 128), readOnly: true },
    owner: nullableText('Project that owns the image', 255),
    size: { type: ['null', 'integer'], readOnly: true, description: 'Bytes of the data' },
    virtual_size: { type: ['null', 'integer'], readOnly: true, description: 'Bytes of the disk inside the data' },
    container_format: choice('Format of what the disk is wrapped in', containerFormats),
    disk_format: choice('Format of the disk', diskFormats),
    created_at: readOnlyText('When the image was made'),
    updated_at: readOnlyText('When the image last changed'),
    tags: {
      type: 'array',
      items: { type: 'string', maxLength: 255 },
      description: 'Words that the image can be found by',
    },
    min_ram: count('MiB of memory that a machine needs to start from the image'),
    min_disk: count('GiB of disk that a machine needs to start from the image'),
    self: readOnlyText('Path of the image'),
    file: readOnlyText('Path of the data'),
    schema: readOnlyText('Path of the schema of an image'),
    stores: readOnlyText('Stores that hold the data, separated by commas'),
  }
}

/** JSON Schema that the body of a creation, or the members that a PATCH sets, must satisfy. */
export function imageSchema(formats: Formats): JsonSchema {
  return { type: 'object', properties: baseAttributes(formats), additionalProperties: { type: 'string' } }
}
