/** What every part of the logic is given, and the words that they share. */
import type { RequestContext } from '@strata/toolkit/context'
import { isoTime, type Runtime } from '@strata/toolkit/runtime'
import type { Row } from '@strata/toolkit/schema'
import type { AfterCommit, Store } from '@strata/toolkit/store'
import type { NetworkSettings } from '../contract/config.ts'
import type { floatingip } from '../contract/floatingip.ts'
import type { network } from '../contract/network.ts'
import type { port } from '../contract/port.ts'
import type { rbacPolicy } from '../contract/rbac-policy.ts'
import type { router } from '../contract/router.ts'
import type { securityGroup, securityGroupRule } from '../contract/security-group.ts'
import type { subnet } from '../contract/subnet.ts'
import type { NetworkTables, NetworkTransaction } from '../store/database.ts'

export type NetworkRow = Row<typeof network.fields>
export type SubnetRow = Row<typeof subnet.fields>
export type PortRow = Row<typeof port.fields>
export type RbacPolicyRow = Row<typeof rbacPolicy.fields>
export type RouterRow = Row<typeof router.fields>
export type FloatingIpRow = Row<typeof floatingip.fields>
export type SecurityGroupRow = Row<typeof securityGroup.fields>
export type SecurityGroupRuleRow = Row<typeof securityGroupRule.fields>

/** A row's change while it is being put together. */
export type Change<T> = { -readonly [K in keyof T]?: T[K] }

/** The kinds of records that the data plane knows. */
export const KINDS = [
  'networks',
  'subnets',
  'ports',
  'routers',
  'floatingips',
  'security_groups',
  'security_group_rules',
] as const
export type Kind = (typeof KINDS)[number]

export interface NetworkDeps {
  readonly store: Store<NetworkTables>
  readonly runtime: Runtime
  readonly settings: NetworkSettings
  /** Told, after the commit, which records changed, came or went. */
  changed(kind: Kind, ids: readonly string[]): void
  /** Told, after the commit, that a port was bound elsewhere or that its status changed. */
  portChanged(portId: string, status: string, host: string): void
}

/** Where a change happens: all queries go through `tx`. */
export interface Scene {
  readonly tx: NetworkTransaction
  readonly context: RequestContext
  readonly afterCommit: AfterCommit
}

/** Once the change is committed, the data plane will follow. */
export function touch(deps: NetworkDeps, scene: Scene, kind: Kind, ...ids: readonly string[]): void {
  if (ids.length > 0) scene.afterCommit(() => deps.changed(kind, ids))
}

/** A change of what belongs to it counts as a change of the row. */
export async function countChange({ tx }: Scene, table: 'networks' | 'routers', id: string): Promise<void> {
  await tx
    .updateTable(table)
    .set(eb => ({ revision_number: eb('revision_number', '+', 1) }))
    .where('id', '=', id)
    .execute()
}

export const now = (deps: NetworkDeps): string => isoTime(deps.runtime.now())

/** The standard attributes of a row that the service makes by itself. */
export function newRow(deps: NetworkDeps) {
  const time = now(deps)
  return { id: deps.runtime.uuid(), description: '', revision_number: 1, created_at: time, updated_at: time }
}

/** Members who may act for all projects. */
export const isAdmin = (context: RequestContext): boolean => context.can('context_is_admin', {})
export const isService = (context: RequestContext): boolean => context.can('service_api', {})
