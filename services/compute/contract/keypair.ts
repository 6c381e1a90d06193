/** Key pairs: public keys of a user, put into servers at their first boot. */
import type { JsonSchema } from '@strata/toolkit/schema'
import { envelope } from './fields.ts'

export const keypairTypes = ['ssh', 'x509'] as const
export type KeypairType = (typeof keypairTypes)[number]

export interface Keypair {
  readonly user_id: string
  readonly name: string
  readonly number: number
  readonly type: KeypairType
  readonly public_key: string
  readonly fingerprint: string
  readonly created_at: string
}

export interface KeypairCreation {
  readonly name: string
  readonly type?: KeypairType
  readonly public_key?: string
  readonly user_id?: string
}

const nameOf = (letters: string): JsonSchema => ({
  type: 'string',
  minLength: 1,
  maxLength: 255,
  pattern: `^(?! )[${letters}]+(?<! )$`,
})
const name = nameOf('a-zA-Z0-9 _-')
const public_key = { type: 'string', maxLength: 16_384 }
const type = { type: 'string', enum: keypairTypes }
const user_id = { type: 'string', minLength: 1, maxLength: 64 }

const since: readonly (readonly [minor: number, schema: JsonSchema])[] = [
  [92, envelope('keypair', { name: nameOf('a-zA-Z0-9 @._-'), public_key, type, user_id }, ['name', 'public_key'])],
  [10, envelope('keypair', { name, public_key, type, user_id }, ['name'])],
  [2, envelope('keypair', { name, public_key, type }, ['name'])],
  [0, envelope('keypair', { name, public_key }, ['name'])],
]

/** The schema of the body that creates one, in a version. */
export const keypairCreation = (minor: number): JsonSchema => since.find(([from]) => minor >= from)![1]
