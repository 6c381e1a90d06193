/** Assignments: an actor (a user or a group) has a role on a target (a project, a domain, the system). */
import type { ActorType, AssignmentRow, Db, TargetType } from './tables.ts'

export interface Actor {
  readonly type: ActorType
  readonly id: string
}
export interface Target {
  readonly type: TargetType
  readonly id: string
}
export const system: Target = { type: 'system', id: 'all' }

export interface AssignmentFilter {
  readonly actors?: readonly Actor[]
  readonly targets?: readonly Target[]
  readonly roleId?: string
  readonly inherited?: boolean
}

/** The assignments that match all that is given. */
export function listAssignments(db: Db, filter: AssignmentFilter = {}): Promise<AssignmentRow[]> {
  let query = db.selectFrom('assignments').selectAll()
  const { actors, targets, roleId, inherited } = filter
  if (actors)
    query = query.where(eb =>
      eb.or(actors.map(actor => eb.and([eb('actor_id', '=', actor.id), eb('actor_type', '=', actor.type)]))),
    )
  if (targets)
    query = query.where(eb =>
      eb.or(targets.map(target => eb.and([eb('target_id', '=', target.id), eb('target_type', '=', target.type)]))),
    )
  if (roleId !== undefined) query = query.where('role_id', '=', roleId)
  if (inherited !== undefined) query = query.where('inherited', '=', inherited ? 1 : 0)
  return query.orderBy('target_id').orderBy('actor_id').orderBy('role_id').execute()
}

const same = (db: Db, row: AssignmentRow) =>
  db
    .selectFrom('assignments')
    .select('role_id')
    .where('actor_id', '=', row.actor_id)
    .where('actor_type', '=', row.actor_type)
    .where('target_type', '=', row.target_type)
    .where('target_id', '=', row.target_id)
    .where('role_id', '=', row.role_id)
    .where('inherited', '=', row.inherited)

export async function hasAssignment(db: Db, row: AssignmentRow): Promise<boolean> {
  return (await same(db, row).executeTakeFirst()) !== undefined
}

/** True when it was not there before. */
export async function addAssignment(db: Db, row: AssignmentRow): Promise<boolean> {
  if (await hasAssignment(db, row)) return false
  await db.insertInto('assignments').values(row).execute()
  return true
}

/** False when there was none. */
export async function removeAssignment(db: Db, row: AssignmentRow): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('assignments')
    .where('actor_id', '=', row.actor_id)
    .where('actor_type', '=', row.actor_type)
    .where('target_type', '=', row.target_type)
    .where('target_id', '=', row.target_id)
    .where('role_id', '=', row.role_id)
    .where('inherited', '=', row.inherited)
    .executeTakeFirst()
  return numDeletedRows > 0n
}

export async function removeActor(db: Db, actor: Actor): Promise<void> {
  await db.deleteFrom('assignments').where('actor_id', '=', actor.id).where('actor_type', '=', actor.type).execute()
}

export async function removeTarget(db: Db, target: Target): Promise<void> {
  await db.deleteFrom('assignments').where('target_id', '=', target.id).where('target_type', '=', target.type).execute()
}

/** Assignments of the users and groups of a domain, and on the domain and its projects: all that goes with it. */
export async function removeAssignmentsOfDomain(db: Db, domainId: string): Promise<void> {
  const users = db.selectFrom('users').select('id').where('domain_id', '=', domainId)
  const groups = db.selectFrom('user_groups').select('id').where('domain_id', '=', domainId)
  const projects = db.selectFrom('projects').select('id').where('domain_id', '=', domainId)
  await db
    .deleteFrom('assignments')
    .where(eb =>
      eb.or([
        eb.and([eb('actor_type', '=', 'user'), eb('actor_id', 'in', users)]),
        eb.and([eb('actor_type', '=', 'group'), eb('actor_id', 'in', groups)]),
        eb.and([eb('target_type', '=', 'project'), eb('target_id', 'in', projects)]),
        eb('target_id', '=', domainId),
      ]),
    )
    .execute()
}
