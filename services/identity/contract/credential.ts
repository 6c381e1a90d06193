/**
 * Credentials: secrets of a user that are not its password — keys for the EC2 and S3 APIs (`ec2`), certificates, one-time
 * password seeds (`totp`). What is secret, the *blob*, is encrypted where it is kept.
 */
import { resource } from '@strata/toolkit/resource'
import { text } from '@strata/toolkit/schema'
import { extra, id } from './names.ts'

export const credential = resource({
  name: 'credential',
  plural: 'credentials',
  path: '/v3/credentials',
  table: 'credentials',
  fields: {
    id: id(),
    /** The caller unless given. */
    user_id: text({ minLength: 1, maxLength: 64 }).optional().immutable().filterable(),
    project_id: text({ maxLength: 64 }).immutable().nullable(),
    type: text({ minLength: 1, maxLength: 255 }).immutable().filterable(),
    /** Any text; of type `ec2` the JSON of `Ec2Blob`. */
    blob: text({ minLength: 1, maxLength: 65_536 }).computed(),
    /** The blob as it is kept. Never shown. */
    sealed_blob: text().readOnly(),
    extra: extra(),
  },
  policy: {
    list: 'identity:list_credentials',
    show: 'identity:get_credential',
    create: 'identity:create_credential',
    update: 'identity:update_credential',
    delete: 'identity:delete_credential',
  },
  extra: 'extra',
})

/** The pair of keys of type `ec2`, with the delegation under which it was made. */
export interface Ec2Blob {
  readonly access: string
  readonly secret: string
  readonly trust_id?: string | null
  readonly app_cred_id?: string | null
}

export const ec2CredentialSchema = {
  type: 'object',
  required: ['tenant_id'],
  properties: { tenant_id: { type: 'string', minLength: 1, maxLength: 64 } },
}

const short = { type: 'string', maxLength: 4096 }
const strings = { type: 'object', additionalProperties: short }
const signed = {
  type: 'object',
  required: ['access', 'signature'],
  properties: {
    access: { type: 'string', maxLength: 255 },
    signature: { type: 'string', maxLength: 255 },
    host: short,
    verb: { type: 'string', maxLength: 16 },
    path: short,
    params: strings,
    headers: strings,
    body_hash: { type: 'string', maxLength: 128 },
    token: { type: 'string', maxLength: 65_536 },
  },
}

export const signedRequestSchema = {
  type: 'object',
  anyOf: [{ required: ['credentials'] }, { required: ['ec2Credentials'] }],
  properties: { credentials: signed, ec2Credentials: signed },
}

/** Body of `POST /v3/ec2tokens` and `/v3/s3tokens`: a request that somebody signed, as its receiver saw it. */
export interface SignedRequest {
  readonly access: string
  readonly signature: string
  readonly host?: string
  readonly verb?: string
  readonly path?: string
  readonly params?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** SHA-256 of the body, in hexadecimal. */
  readonly body_hash?: string
  /** S3 only: what was signed, in base64url. */
  readonly token?: string
}
export interface SignedRequestBody {
  readonly credentials?: SignedRequest
  readonly ec2Credentials?: SignedRequest
}
