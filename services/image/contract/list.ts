/** What a list of images can be asked for: conditions, order and page. */
import type { Visibility } from './image.ts'

export type Comparison = 'eq' | 'neq' | 'gt' | 'gte' | 'lt' | 'lte'
export const SORT_KEYS = [
  'name',
  'status',
  'container_format',
  'disk_format',
  'size',
  'id',
  'created_at',
  'updated_at',
] as const
export type SortKey = (typeof SORT_KEYS)[number]
export const NAMES = ['name', 'id', 'status', 'container_format', 'disk_format'] as const
export const TEXTS = ['owner', 'checksum', 'os_hash_algo', 'os_hash_value'] as const
export const NUMBERS = ['size', 'virtual_size', 'min_disk', 'min_ram'] as const
export const TIMES = ['created_at', 'updated_at'] as const

export type Condition =
  | { readonly kind: 'in'; readonly field: (typeof NAMES)[number] | (typeof TEXTS)[number]; readonly values: string[] }
  | {
      readonly kind: 'number'
      readonly field: (typeof NUMBERS)[number]
      readonly op: Comparison
      readonly value: number
    }
  /** Times are shown in whole seconds and so compared by them: the second asked for runs from `value` until `end`. */
  | {
      readonly kind: 'time'
      readonly field: (typeof TIMES)[number]
      readonly op: Comparison
      readonly value: string
      readonly end: string
    }
  | { readonly kind: 'flag'; readonly field: 'protected' | 'os_hidden'; readonly value: boolean }
  | { readonly kind: 'property'; readonly name: string; readonly value: string }

export interface ListQuery {
  readonly conditions: readonly Condition[]
  readonly tags: readonly string[]
  readonly visibility?: Visibility | 'all'
  readonly memberStatus: 'pending' | 'accepted' | 'rejected' | 'all'
  /** Always ends with what makes the order total. */
  readonly sort: readonly { readonly key: SortKey; readonly direction: 'asc' | 'desc' }[]
  readonly limit: number
  readonly marker?: string
}
