/** Grants: one role given to one user or group on one target. */
import { grantNotFound, missing } from '../../contract/errors.ts'
import { removeApplicationCredentialsOn } from '../../store/application-credential.ts'
import {
  type Actor,
  addAssignment,
  hasAssignment,
  listAssignments,
  removeAssignment,
  type Target,
} from '../../store/assignment.ts'
import { findDomain, findProject } from '../../store/project.ts'
import { allRoles, findRole, type RoleRow } from '../../store/role.ts'
import type { AssignmentRow } from '../../store/tables.ts'
import { findGroup, findUser } from '../../store/user.ts'
import type { Parts } from '../parts.ts'

export interface Grant {
  readonly actor: Actor
  readonly target: Target
  readonly inherited: boolean
}

const rowOf = ({ actor, target, inherited }: Grant, roleId: string): AssignmentRow => ({
  actor_type: actor.type,
  actor_id: actor.id,
  target_type: target.type,
  target_id: target.id,
  role_id: roleId,
  inherited: inherited ? 1 : 0,
})

export function grantLogic(parts: Parts) {
  const { db } = parts.store
  return {
    /** What policies ask about, with only what exists; `missing` throws the 404 of the first that does not. */
    async about(grant: Grant, roleId?: string) {
      const { actor, target } = grant
      const owner = actor.type === 'user' ? await findUser(db, actor.id) : await findGroup(db, actor.id)
      const place =
        target.type === 'project'
          ? await findProject(db, target.id)
          : target.type === 'domain'
            ? await findDomain(db, { id: target.id })
            : undefined
      const role = roleId === undefined ? undefined : await findRole(db, roleId)
      return {
        facts: {
          [actor.type]: owner,
          ...(target.type !== 'system' && { [target.type]: place }),
          ...(role && { role }),
        },
        /** A role may be taken from an actor that is gone, so `actorMayBeGone` overlooks that. */
        refuseMissing(actorMayBeGone = false) {
          if (roleId !== undefined && !role) throw missing('role', roleId)
          if (!owner && !actorMayBeGone) throw missing(actor.type, actor.id)
          if (!place && target.type !== 'system') throw missing(target.type, target.id)
        },
      }
    },
    async roles(grant: Grant): Promise<RoleRow[]> {
      const rows = await listAssignments(db, {
        actors: [grant.actor],
        targets: [grant.target],
        inherited: grant.inherited,
      })
      const ids = new Set(rows.map(row => row.role_id))
      return (await allRoles(db)).filter(role => ids.has(role.id))
    },
    async check(grant: Grant, roleId: string): Promise<void> {
      if (!(await hasAssignment(db, rowOf(grant, roleId)))) throw grantNotFound(roleId, grant.actor.id, grant.target.id)
    },
    add: (grant: Grant, roleId: string) =>
      parts.store.transaction(async (tx, afterCommit) => {
        if (await addAssignment(tx, rowOf(grant, roleId))) parts.changed(afterCommit)
      }),
    remove: (grant: Grant, roleId: string) =>
      parts.store.transaction(async (tx, afterCommit) => {
        if (!(await removeAssignment(tx, rowOf(grant, roleId))))
          throw grantNotFound(roleId, grant.actor.id, grant.target.id)
        // What the user handed to programs there may have been more than is left.
        if (grant.actor.type === 'user' && grant.target.type === 'project')
          await removeApplicationCredentialsOn(tx, grant.actor.id, grant.target.id)
        parts.changed(afterCommit)
      }),
  }
}
