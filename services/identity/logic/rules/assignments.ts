/**
 * What assignments amount to: a group's is had by each member, an inherited one by each project below its target, and each
 * role by those it implies. Pure, over a snapshot of what there is.
 */
import { type ImpliedBy, withImplied } from './roles.ts'

export interface Assignment {
  readonly actor_type: 'user' | 'group'
  readonly actor_id: string
  readonly target_type: 'project' | 'domain' | 'system'
  readonly target_id: string
  readonly role_id: string
  readonly inherited: number
  /** How it came about, when it was not given as it stands. */
  readonly through?: {
    readonly group?: string
    readonly prior?: string
    readonly project?: string
    readonly domain?: string
  }
}

export interface Snapshot {
  readonly implications: readonly ImpliedBy[]
  members(groupId: string): readonly string[]
  /** Ids of the projects to which an inherited assignment on the target applies. */
  below(target: { readonly type: 'project' | 'domain' | 'system'; readonly id: string }): readonly string[]
}

export function effective(assignments: readonly Assignment[], snapshot: Snapshot): Assignment[] {
  return assignments
    .flatMap(one => ofMembers(one, snapshot))
    .flatMap(one => onProjects(one, snapshot))
    .flatMap(one => withImpliedRoles(one, snapshot))
}

function ofMembers(one: Assignment, snapshot: Snapshot): Assignment[] {
  if (one.actor_type === 'user') return [one]
  return snapshot.members(one.actor_id).map(userId => ({
    ...one,
    actor_type: 'user',
    actor_id: userId,
    through: { ...one.through, group: one.actor_id },
  }))
}

function onProjects(one: Assignment, snapshot: Snapshot): Assignment[] {
  if (!one.inherited) return [one]
  const above = one.target_type === 'domain' ? { domain: one.target_id } : { project: one.target_id }
  return snapshot.below({ type: one.target_type, id: one.target_id }).map(projectId => ({
    ...one,
    target_type: 'project',
    target_id: projectId,
    inherited: 0,
    through: { ...one.through, ...above },
  }))
}

function withImpliedRoles(one: Assignment, snapshot: Snapshot): Assignment[] {
  return [...withImplied([one.role_id], snapshot.implications)].map(([roleId, prior]) =>
    prior === undefined ? one : { ...one, role_id: roleId, through: { ...one.through, prior } },
  )
}
