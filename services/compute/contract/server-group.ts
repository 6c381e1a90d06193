/** Server groups: servers that are to be on one host, or on different ones. */
import { resource } from '@strata/toolkit/resource'
import { type JsonSchema, json, oneOf, type Row, text, time } from '@strata/toolkit/schema'
import { envelope, name, whole } from './fields.ts'

export const groupPolicies = ['affinity', 'anti-affinity', 'soft-affinity', 'soft-anti-affinity'] as const
export type GroupPolicy = (typeof groupPolicies)[number]

export const serverGroup = resource({
  name: 'server_group',
  plural: 'server_groups',
  path: '/v2.1/os-server-groups',
  table: 'server_groups',
  fields: {
    id: text(),
    project_id: text(),
    user_id: text(),
    name: text(),
    policy: oneOf(...groupPolicies),
    rules: json<{ readonly max_server_per_host?: number }>({ type: 'object' }),
    created_at: time(),
  },
  policy: {},
  defaultSort: [{ field: 'created_at', direction: 'asc' }],
})
export type ServerGroup = Readonly<Row<typeof serverGroup.fields>>

export interface ServerGroupCreation {
  readonly name: string
  /** Before 2.64: one. */
  readonly policies?: readonly GroupPolicy[]
  readonly policy?: GroupPolicy
  readonly rules?: { readonly max_server_per_host?: number | string }
}

const listed = (policies: readonly string[]): JsonSchema =>
  envelope(
    'server_group',
    {
      name,
      policies: { type: 'array', minItems: 1, maxItems: 1, items: { type: 'string', enum: policies } },
    },
    ['name', 'policies'],
  )
const early = listed(['anti-affinity', 'affinity'])
const since215 = listed(groupPolicies)
const since264 = envelope(
  'server_group',
  {
    name,
    policy: { type: 'string', enum: groupPolicies },
    rules: { type: 'object', properties: { max_server_per_host: whole(1) }, additionalProperties: false },
  },
  ['name', 'policy'],
)

export const serverGroupCreation = (minor: number): JsonSchema =>
  minor >= 64 ? since264 : minor >= 15 ? since215 : early
