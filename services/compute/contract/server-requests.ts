/** What may be asked of servers, as the latest version takes it. `versions/` says what older ones take. */
import type { JsonSchema } from '@strata/toolkit/schema'

/** Printable, without blanks at its ends. */
const printable = '^(?!\\s)[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*(?<!\\s)$'
export const nameSchema: JsonSchema = { type: 'string', minLength: 1, maxLength: 255, pattern: printable }
export const flagSchema: JsonSchema = {
  enum: [true, false, ...'true True TRUE 1 on On ON yes Yes YES false False FALSE 0 off Off OFF no No NO'.split(' ')],
}
const uuid: JsonSchema = { type: 'string', format: 'uuid' }
const uuidOrNull: JsonSchema = { anyOf: [uuid, { type: 'null' }] }
const count: JsonSchema = {
  anyOf: [
    { type: 'integer', minimum: 1 },
    { type: 'string', pattern: '^0*[1-9][0-9]{0,5}$' },
  ],
}
const description: JsonSchema = {
  type: ['string', 'null'],
  maxLength: 255,
  pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$',
}
/** A host name or one with its domain. */
const hostname: JsonSchema = {
  type: 'string',
  minLength: 2,
  maxLength: 255,
  pattern: '^[a-zA-Z0-9][a-zA-Z0-9.-]*[a-zA-Z0-9]$',
}
export const shortHostname: JsonSchema = {
  type: 'string',
  minLength: 2,
  maxLength: 63,
  pattern: '^[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]$',
}
const hypervisor: JsonSchema = { type: 'string', minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._-]*$' }
export const tagSchema: JsonSchema = { type: 'string', minLength: 1, maxLength: 60, pattern: '^[^,/]*$' }
export const tagsSchema: JsonSchema = { type: 'array', maxItems: 50, items: tagSchema }
export const metadataSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  patternProperties: { '^[a-zA-Z0-9-_:. ]{1,255}$': { type: 'string', maxLength: 255 } },
}
const userData: JsonSchema = { type: 'string', format: 'base64', maxLength: 65_535 }
const trustedCertificates: JsonSchema = {
  anyOf: [
    { type: 'null' },
    { type: 'array', minItems: 1, maxItems: 50, uniqueItems: true, items: { type: 'string', minLength: 1 } },
  ],
}
export const personality: JsonSchema = {
  type: 'array',
  items: {
    type: 'object',
    additionalProperties: false,
    properties: { path: { type: 'string' }, contents: { type: 'string', format: 'base64' } },
  },
}

export const object = (
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): ObjectSchema => ({ type: 'object', additionalProperties: false, properties, required })

export interface ObjectSchema extends JsonSchema {
  readonly properties: Readonly<Record<string, JsonSchema>>
  readonly required: readonly string[]
}

/** Both spellings of an access address: empty takes it away. */
const access = (format: 'ipv4' | 'ipv6'): JsonSchema => ({
  anyOf: [
    { type: 'string', format },
    { type: 'string', maxLength: 0 },
  ],
})

const shared: Readonly<Record<string, JsonSchema>> = {
  name: nameSchema,
  description,
  hostname,
  accessIPv4: access('ipv4'),
  accessIPv6: access('ipv6'),
  'OS-DCF:diskConfig': { type: 'string', enum: ['AUTO', 'MANUAL'] },
}

export const networkSchema = object({
  uuid,
  port: uuidOrNull,
  fixed_ip: { type: 'string', format: 'ip' },
  tag: tagSchema,
})

/** `networks` of version 2.37 and later. */
export const networksSchema = (network: ObjectSchema): JsonSchema => ({
  anyOf: [
    { type: 'array', items: network },
    { type: 'string', enum: ['none', 'auto'] },
  ],
})

const deviceBase: Readonly<Record<string, JsonSchema>> = {
  virtual_name: { type: 'string', maxLength: 255 },
  volume_id: uuid,
  snapshot_id: uuid,
  volume_size: {
    anyOf: [
      { type: 'integer', minimum: 1 },
      { type: 'string', pattern: '^[0-9]*$', maxLength: 10 },
    ],
  },
  device_name: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._/-]*$' },
  delete_on_termination: flagSchema,
  no_device: {},
  connection_info: { type: 'string' },
}

export const deviceSchema = object({
  ...deviceBase,
  source_type: { type: 'string', enum: ['volume', 'image', 'snapshot', 'blank'] },
  uuid: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._-]*$' },
  image_id: uuid,
  destination_type: { type: 'string', enum: ['local', 'volume'] },
  guest_format: { type: 'string', maxLength: 255 },
  device_type: { type: 'string', maxLength: 255 },
  disk_bus: { type: 'string', maxLength: 255 },
  boot_index: { anyOf: [{ type: ['integer', 'null'] }, { type: 'string', pattern: '^-?[0-9]{1,9}$' }] },
  tag: tagSchema,
  volume_type: { type: ['string', 'null'], maxLength: 255 },
})

const hints: JsonSchema = {
  type: 'object',
  additionalProperties: true,
  properties: {
    group: uuid,
    different_host: { anyOf: [uuid, { type: 'array', items: uuid }] },
    same_host: { anyOf: [uuid, { type: 'array', items: uuid }] },
    query: { type: ['string', 'object'] },
    target_cell: nameSchema,
    different_cell: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
    build_near_host_ip: { type: 'string', format: 'ip' },
    cidr: { type: 'string', pattern: '^/[0-9a-f.:]+$' },
  },
}

/** The member `server` of a creation. */
export const createServerSchema = object(
  {
    ...shared,
    imageRef: { anyOf: [uuid, { type: 'string', maxLength: 0 }] },
    flavorRef: { anyOf: [{ type: 'string', minLength: 1, maxLength: 255 }, { type: 'integer' }] },
    adminPass: { type: 'string' },
    metadata: metadataSchema,
    networks: networksSchema(networkSchema),
    availability_zone: nameSchema,
    block_device_mapping: { type: 'array', items: object(deviceBase) },
    block_device_mapping_v2: { type: 'array', items: deviceSchema },
    config_drive: flagSchema,
    key_name: nameSchema,
    min_count: count,
    max_count: count,
    return_reservation_id: flagSchema,
    security_groups: { type: 'array', items: object({ name: nameSchema }) },
    user_data: userData,
    tags: tagsSchema,
    trusted_image_certificates: trustedCertificates,
    host: hypervisor,
    hypervisor_hostname: hypervisor,
  },
  ['name', 'flavorRef', 'networks'],
)

export const createEnvelope = (server: JsonSchema): JsonSchema =>
  object({ server, 'os:scheduler_hints': hints, 'OS-SCH-HNT:scheduler_hints': hints }, ['server'])

/** The member `server` of an update. */
export const updateServerSchema = object(shared)

/** The member `rebuild` of that action. */
export const rebuildSchema = object(
  {
    ...shared,
    imageRef: uuid,
    adminPass: { type: 'string' },
    metadata: metadataSchema,
    preserve_ephemeral: flagSchema,
    key_name: { anyOf: [{ type: 'string', minLength: 1, maxLength: 255 }, { type: 'null' }] },
    user_data: { anyOf: [userData, { type: 'null' }] },
    trusted_image_certificates: trustedCertificates,
  },
  ['imageRef'],
)

export interface RequestedNetwork {
  readonly uuid?: string
  readonly port?: string | null
  readonly fixed_ip?: string
  readonly tag?: string
}

export interface RequestedDevice {
  readonly source_type?: 'volume' | 'image' | 'snapshot' | 'blank'
  readonly destination_type?: 'local' | 'volume'
  readonly uuid?: string
  readonly image_id?: string
  readonly volume_id?: string
  readonly snapshot_id?: string
  readonly boot_index?: number | string | null
}

export interface CreateServer {
  readonly server: {
    readonly name: string
    readonly flavorRef: string | number
    readonly imageRef?: string
    readonly networks?: readonly RequestedNetwork[] | 'auto' | 'none'
    readonly description?: string | null
    readonly hostname?: string
    readonly accessIPv4?: string
    readonly accessIPv6?: string
    readonly 'OS-DCF:diskConfig'?: 'AUTO' | 'MANUAL'
    readonly adminPass?: string
    readonly metadata?: Readonly<Record<string, string>>
    readonly availability_zone?: string
    readonly block_device_mapping?: readonly RequestedDevice[]
    readonly block_device_mapping_v2?: readonly RequestedDevice[]
    readonly config_drive?: boolean | string
    readonly key_name?: string
    readonly min_count?: number | string
    readonly max_count?: number | string
    readonly return_reservation_id?: boolean | string
    readonly security_groups?: readonly { readonly name?: string }[]
    readonly user_data?: string
    readonly tags?: readonly string[]
    readonly trusted_image_certificates?: readonly string[] | null
    readonly host?: string
    readonly hypervisor_hostname?: string
    readonly personality?: readonly { readonly path?: string; readonly contents?: string }[]
  }
  readonly 'os:scheduler_hints'?: Readonly<Record<string, unknown>>
  readonly 'OS-SCH-HNT:scheduler_hints'?: Readonly<Record<string, unknown>>
}

export interface UpdateServer {
  readonly name?: string
  readonly description?: string | null
  readonly hostname?: string
  readonly accessIPv4?: string
  readonly accessIPv6?: string
  readonly 'OS-DCF:diskConfig'?: 'AUTO' | 'MANUAL'
}

export interface RebuildServer extends UpdateServer {
  readonly imageRef: string
  readonly adminPass?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly key_name?: string | null
  readonly user_data?: string | null
  readonly trusted_image_certificates?: readonly string[] | null
  readonly preserve_ephemeral?: boolean | string
  readonly personality?: readonly object[]
}
