/** The list of role assignments: as given, or as they amount to (`effective`), narrowed by what the caller asks for. */
import { listAssignments, type Target } from '../../store/assignment.ts'
import { findProjects, projectsOfDomain, subtree } from '../../store/project.ts'
import { allRoles, implications } from '../../store/role.ts'
import type { Db } from '../../store/tables.ts'
import { findGroups, findUsers, memberIdsOf } from '../../store/user.ts'
import { type Assignment, effective } from '../rules/assignments.ts'
import { actorsOf } from './effective.ts'

export interface AssignmentQuery {
  readonly userId?: string
  readonly groupId?: string
  readonly roleId?: string
  readonly projectId?: string
  readonly domainId?: string
  readonly system?: boolean
  readonly inherited?: boolean
  readonly effective: boolean
  /** With `projectId`: also all that is below. */
  readonly subtree: boolean
  /** Only what is on this domain and its projects: for callers whose token is of a domain. */
  readonly withinDomain?: string
}

export async function findAssignments(db: Db, query: AssignmentQuery): Promise<Assignment[]> {
  const targets = await wantedTargets(db, query)
  const found = query.effective ? await effectiveOnes(db, query) : await givenOnes(db, query)
  const wanted = new Set(targets?.map(target => `${target.type} ${target.id}`))
  const within = query.withinDomain === undefined ? undefined : await placesWithin(db, query.withinDomain)
  return found.filter(
    one =>
      (query.roleId === undefined || one.role_id === query.roleId) &&
      (targets === undefined || wanted.has(`${one.target_type} ${one.target_id}`)) &&
      (within === undefined || within.has(one.target_id)),
  )
}

async function wantedTargets(db: Db, query: AssignmentQuery): Promise<Target[] | undefined> {
  if (query.system) return [{ type: 'system', id: 'all' }]
  if (query.domainId !== undefined) return [{ type: 'domain', id: query.domainId }]
  if (query.projectId === undefined) return undefined
  const below = query.subtree ? await subtree(db, query.projectId) : []
  return [query.projectId, ...below.map(row => row.id)].map(id => ({ type: 'project', id }))
}

async function placesWithin(db: Db, domainId: string): Promise<Set<string>> {
  return new Set([domainId, ...(await projectsOfDomain(db, domainId)).map(row => row.id)])
}

function givenOnes(db: Db, query: AssignmentQuery): Promise<Assignment[]> {
  const { userId, groupId, inherited } = query
  const actors =
    userId !== undefined
      ? [{ type: 'user', id: userId } as const]
      : groupId !== undefined
        ? [{ type: 'group', id: groupId } as const]
        : undefined
  return listAssignments(db, { actors, inherited })
}

async function effectiveOnes(db: Db, query: AssignmentQuery): Promise<Assignment[]> {
  const given = await listAssignments(db, {
    actors: query.userId === undefined ? undefined : await actorsOf(db, query.userId),
    inherited: query.inherited,
  })
  const members = new Map<string, readonly string[]>()
  const below = new Map<string, readonly string[]>()
  for (const one of given) {
    if (one.actor_type === 'group' && !members.has(one.actor_id))
      members.set(one.actor_id, await memberIdsOf(db, one.actor_id))
    if (one.inherited && !below.has(one.target_id)) {
      const rows = one.target_type === 'domain' ? projectsOfDomain(db, one.target_id) : subtree(db, one.target_id)
      below.set(
        one.target_id,
        (await rows).map(row => row.id),
      )
    }
  }
  const all = effective(given, {
    implications: await implications(db),
    members: id => members.get(id) ?? [],
    below: target => below.get(target.id) ?? [],
  })
  const ofDomains = new Set((await allRoles(db)).filter(role => role.domain_id !== null).map(role => role.id))
  // A role of a domain amounts to what it implies, and is in no token itself.
  return all.filter(one => !ofDomains.has(one.role_id) && (query.userId === undefined || one.actor_id === query.userId))
}

/** Names of what assignments speak of, by kind and id; with the domain of what has one. */
export interface Names {
  of(kind: 'user' | 'group' | 'project' | 'role', id: string): { name: string; domain?: { id: string; name: string } }
}

export async function namesOf(db: Db, assignments: readonly Assignment[]): Promise<Names> {
  const ids = (keep: (one: Assignment) => string | false) => [
    ...new Set(assignments.map(keep).filter(id => id !== false)),
  ]
  const rows = {
    user: await findUsers(
      db,
      ids(one => one.actor_type === 'user' && one.actor_id),
    ),
    group: await findGroups(
      db,
      ids(one => one.actor_type === 'group' && one.actor_id),
    ),
    project: await findProjects(
      db,
      ids(one => one.target_type !== 'system' && one.target_id),
    ),
    role: await allRoles(db),
  }
  const owners = new Set(
    Object.values(rows)
      .flat()
      .map(row => row.domain_id),
  )
  const domains = new Map(
    (
      await findProjects(
        db,
        [...owners].filter(id => id !== null),
      )
    ).map(row => [row.id, row.name]),
  )
  const byKind = Object.fromEntries(
    Object.entries(rows).map(([kind, list]) => [
      kind,
      new Map((list as { id: string; name: string; domain_id: string | null }[]).map(row => [row.id, row])),
    ]),
  )
  return {
    of(kind, id) {
      const row = byKind[kind]?.get(id)
      if (!row) return { name: '' }
      const owner = row.domain_id
      return { name: row.name, ...(owner !== null && { domain: { id: owner, name: domains.get(owner) ?? '' } }) }
    },
  }
}
