/** The roles that a user really has on a target: given to it or its groups, there or inherited from above, and implied ones. */
import type { Named } from '@strata/toolkit/context'
import { type Actor, listAssignments, system, type Target } from '../../store/assignment.ts'
import { expiringMemberships, type Validity } from '../../store/expiring-membership.ts'
import { ancestors, type ProjectRow } from '../../store/project.ts'
import { allRoles, implications } from '../../store/role.ts'
import type { AssignmentRow, Db } from '../../store/tables.ts'
import { groupIdsOf } from '../../store/user.ts'
import { withImplied } from '../rules/roles.ts'

export type Place =
  | { readonly type: 'project'; readonly project: ProjectRow }
  | { readonly type: 'domain'; readonly id: string }
  | { readonly type: 'system' }

/** Groups beside those that a user was put into here. */
export interface AlsoIn {
  /** Those that its token says. */
  readonly groupIds?: readonly string[]
  /** With it, those count that its identity provider vouched for not too long ago. */
  readonly validity?: Validity
}

export async function actorsOf(db: Db, userId: string, { groupIds = [], validity }: AlsoIn = {}): Promise<Actor[]> {
  const vouched = validity ? await expiringMemberships(db, { userId }, validity) : []
  const groups = new Set([...(await groupIdsOf(db, userId)), ...groupIds, ...vouched.map(one => one.group_id)])
  return [{ type: 'user', id: userId }, ...[...groups].map(id => ({ type: 'group', id }) as const)]
}

/** By name, without roles of domains, which stand only for what they imply. Empty: the user has no access there. */
export async function effectiveRoles(db: Db, userId: string, place: Place, also?: AlsoIn): Promise<Named[]> {
  const { own, above } = await targetsOf(db, place)
  const rows = await listAssignments(db, { actors: await actorsOf(db, userId, also), targets: [own, ...above] })
  const given = rows.filter(row => isAt(row, own) !== (row.inherited === 1))
  if (given.length === 0) return []
  const ids = withImplied(
    given.map(row => row.role_id),
    await implications(db),
  )
  const roles = await allRoles(db)
  return roles.filter(role => ids.has(role.id) && role.domain_id === null).map(({ id, name }) => ({ id, name }))
}

const isAt = (row: AssignmentRow, target: Target) => row.target_id === target.id && row.target_type === target.type

async function targetsOf(db: Db, place: Place): Promise<{ own: Target; above: Target[] }> {
  if (place.type === 'system') return { own: system, above: [] }
  if (place.type === 'domain') return { own: { type: 'domain', id: place.id }, above: [] }
  const { project } = place
  const above: Target[] = (await ancestors(db, project)).map(row => ({ type: 'project', id: row.id }))
  if (project.domain_id !== null) above.push({ type: 'domain', id: project.domain_id })
  return { own: { type: 'project', id: project.id }, above }
}
