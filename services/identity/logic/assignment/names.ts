/** Names of what assignments speak of, looked up for a whole page at once. */
import { findProjects } from '../../store/project.ts'
import { allRoles } from '../../store/role.ts'
import type { Db } from '../../store/tables.ts'
import { findGroups, findUsers } from '../../store/user.ts'
import type { Assignment } from '../rules/assignments.ts'

/** By kind and id; with the domain of what has one. */
export interface Names {
  of(kind: 'user' | 'group' | 'project' | 'role', id: string): { name: string; domain?: { id: string; name: string } }
}

interface Row {
  readonly id: string
  readonly name: string
  readonly domain_id: string | null
}

/** Engines take some ten thousand values in a query at most. */
const atOnce = 1000

async function inParts<T>(
  ids: ReadonlySet<string>,
  find: (part: readonly string[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const all = [...ids]
  const rows: T[] = []
  for (let at = 0; at < all.length; at += atOnce) rows.push(...(await find(all.slice(at, at + atOnce))))
  return rows
}

export async function namesOf(db: Db, assignments: readonly Assignment[]): Promise<Names> {
  const [users, groups, projects] = [new Set<string>(), new Set<string>(), new Set<string>()]
  for (const one of assignments) {
    ;(one.actor_type === 'user' ? users : groups).add(one.actor_id)
    if (one.target_type !== 'system') projects.add(one.target_id)
  }
  const rows: Readonly<Record<'user' | 'group' | 'project' | 'role', readonly Row[]>> = {
    user: await inParts(users, ids => findUsers(db, ids)),
    group: await inParts(groups, ids => findGroups(db, ids)),
    project: await inParts(projects, ids => findProjects(db, ids)),
    role: await allRoles(db),
  }
  const owners = new Set(
    Object.values(rows)
      .flat()
      .map(row => row.domain_id)
      .filter(id => id !== null),
  )
  const domains = new Map((await inParts(owners, ids => findProjects(db, ids))).map(row => [row.id, row.name]))
  const byKind = new Map(
    Object.entries(rows).map(([kind, list]) => [kind, new Map(list.map(row => [row.id, row] as const))]),
  )
  return {
    of(kind, id) {
      const row = byKind.get(kind)?.get(id)
      if (!row) return { name: '' }
      const owner = row.domain_id
      return { name: row.name, ...(owner !== null && { domain: { id: owner, name: domains.get(owner) ?? '' } }) }
    },
  }
}
