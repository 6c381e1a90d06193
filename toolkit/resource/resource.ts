/** What a resource is: the one declaration from which its table type, its verbs, their validation and policy follow. */
import type { Fields } from '../schema/index.ts'

export type Verb = 'list' | 'show' | 'create' | 'update' | 'delete'

export interface Resource<F extends Fields = Fields> {
  /** `security_group`: also the envelope's key. */
  readonly name: string
  readonly plural: string
  /** Of the collection, below the service's root: `/v2.0/security-groups`. */
  readonly path: string
  readonly table: string
  readonly fields: F
  /** Policy rule of each verb: `get_network`, `identity:list_users`. A verb without one is not offered. */
  readonly policy: Readonly<Partial<Record<Verb, string>>>
  /**
   * Name of the policy rule of one field, where the family has such rules (`create_network:shared`). It is enforced where the
   * policy knows it: on create and update for fields that the caller sets, on show and list for fields that are shown.
   */
  readonly fieldRule?: (verb: 'get' | 'create' | 'update', field: string) => string
  /** Second names of fields, taken and shown beside the first: `{ tenant_id: 'project_id' }`. */
  readonly aliases?: Readonly<Record<string, string>>
  /** A `json` field that keeps all members of the body that are not declared (Keystone's extra attributes). */
  readonly extra?: string
  /** Order of lists when the caller asks for none; the id is always the last key. */
  readonly defaultSort?: readonly SortKey[]
}

export interface SortKey {
  readonly field: string
  readonly direction: 'asc' | 'desc'
}

/** Only helps inference. */
export function resource<const F extends Fields>(definition: Resource<F>): Resource<F> {
  return definition
}
