/** Projects that a mapping wants its user to have: made where they are missing, with the roles that it names. */
import { forbidden } from '@strata/toolkit/fault'
import { missing } from '../../contract/errors.ts'
import type { MappedProject } from '../../contract/mapping.ts'
import { addAssignment, listAssignments, removeAssignment } from '../../store/assignment.ts'
import { findDomain, findProjectByName, insertProject } from '../../store/project.ts'
import { findRoleByName, type RoleRow } from '../../store/role.ts'
import type { AssignmentRow, Db } from '../../store/tables.ts'
import { newId, type Parts } from '../parts.ts'

interface Provisioning {
  readonly userId: string
  readonly projects: readonly MappedProject[]
  /** Where projects are that name no domain. */
  readonly domainId: string
  /** Roles on projects that the mapping does not give (any more) are taken away. */
  readonly takeAway: boolean
}

/** True when anything was changed. Throws, before it changes anything, when a role or a domain is missing. */
export async function provisionProjects(parts: Parts, tx: Db, wanted: Provisioning): Promise<boolean> {
  const { userId, projects, takeAway } = wanted
  if (projects.length === 0 && !takeAway) return false
  const planned: { name: string; domainId: string; roles: RoleRow[] }[] = []
  for (const { name, domain, roles } of projects) {
    const owner = await findDomain(tx, domain ?? { id: wanted.domainId })
    if (!owner) throw missing('domain', domain?.id ?? domain?.name ?? wanted.domainId)
    planned.push({
      name,
      domainId: owner.id,
      roles: await Promise.all(roles.map(role => findMappedRole(tx, role.name, wanted))),
    })
  }
  const given: AssignmentRow[] = []
  for (const { name, domainId, roles } of planned) {
    const projectId = await ensureProject(parts, tx, name, domainId)
    for (const { id } of roles) given.push(roleOn(userId, projectId, id))
  }
  let changed = false
  for (const row of given) changed = (await addAssignment(tx, row)) || changed
  if (takeAway) changed = (await takeOthers(tx, userId, given)) || changed
  return changed
}

const roleOn = (userId: string, projectId: string, roleId: string): AssignmentRow => ({
  actor_type: 'user',
  actor_id: userId,
  target_type: 'project',
  target_id: projectId,
  role_id: roleId,
  inherited: 0,
})

/** A role of all domains, or one of the users' own. */
async function findMappedRole(tx: Db, name: string, { domainId }: Provisioning): Promise<RoleRow> {
  const role = (await findRoleByName(tx, name)) ?? (await findRoleByName(tx, name, domainId))
  if (!role) throw missing('role', name)
  return role
}

async function ensureProject(parts: Parts, tx: Db, name: string, domainId: string): Promise<string> {
  const trimmed = name.trim()
  if (trimmed === '' || trimmed.length > 64) throw forbidden(`A project cannot be called ${JSON.stringify(name)}.`)
  const found = await findProjectByName(tx, domainId, trimmed)
  if (found) return found.id
  const id = newId(parts.runtime)
  await insertProject(tx, {
    id,
    name: trimmed,
    name_scope: domainId,
    domain_id: domainId,
    parent_id: domainId,
    is_domain: 0,
    description: '',
    enabled: 1,
    options: '{}',
    extra: null,
  })
  return id
}

async function takeOthers(tx: Db, userId: string, given: readonly AssignmentRow[]): Promise<boolean> {
  const key = (row: AssignmentRow) => `${row.target_id} ${row.role_id}`
  const kept = new Set(given.map(key))
  const rows = await listAssignments(tx, { actors: [{ type: 'user', id: userId }], inherited: false })
  const gone = rows.filter(row => row.target_type === 'project' && !kept.has(key(row)))
  for (const row of gone) await removeAssignment(tx, row)
  return gone.length > 0
}
