/** Where a user may go: the projects and domains on which it has a role, however it came by it. */
import { listAssignments, system } from '../../store/assignment.ts'
import { findProject, findProjects, type ProjectRow, projectsOfDomain, subtree } from '../../store/project.ts'
import type { Db } from '../../store/tables.ts'
import { shownProjects } from '../project.ts'
import { type AlsoIn, actorsOf, effectiveRoles } from './effective.ts'

export async function reachableProjects(db: Db, userId: string, also?: AlsoIn): Promise<object[]> {
  const rows = await listAssignments(db, { actors: await actorsOf(db, userId, also) })
  const found = new Map<string, ProjectRow>()
  const add = (projects: readonly ProjectRow[]) => {
    for (const project of projects) if (project.enabled && !project.is_domain) found.set(project.id, project)
  }
  const direct = rows.filter(row => row.target_type === 'project' && !row.inherited).map(row => row.target_id)
  add(await findProjects(db, direct))
  for (const row of rows.filter(one => one.inherited))
    add(row.target_type === 'domain' ? await projectsOfDomain(db, row.target_id) : await subtree(db, row.target_id))
  return shownProjects(
    db,
    [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  )
}

export async function reachableDomains(db: Db, userId: string, also?: AlsoIn): Promise<object[]> {
  const rows = await listAssignments(db, { actors: await actorsOf(db, userId, also), inherited: false })
  const ids = rows.filter(row => row.target_type === 'domain').map(row => row.target_id)
  return shownProjects(
    db,
    (await findProjects(db, ids)).filter(row => row.enabled),
  )
}

export async function reachesSystem(db: Db, userId: string, also?: AlsoIn): Promise<boolean> {
  const rows = await listAssignments(db, { actors: await actorsOf(db, userId, also), targets: [system] })
  return rows.length > 0 && (await effectiveRoles(db, userId, { type: 'system' }, also)).length > 0
}

/** What a policy may ask about a project that a caller names; undefined when there is none. */
export const findProjectFacts = (db: Db, id: string): Promise<ProjectRow | undefined> => findProject(db, id)
