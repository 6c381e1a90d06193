/**
 * Assignments a page at a time, for lists of any length: each query reads one range of an index, after a place, up to a limit.
 *
 * Words: a *stream* is assignments on targets of one type, in the order of `keyOf`; the *members* of a group and the projects
 * *below* a target are what a group's assignment and an inherited one amount to, by id.
 */
import { sql } from '@strata/toolkit/store'
import type { Actor } from './assignment.ts'
import type { AssignmentRow, Db, TargetType } from './tables.ts'

export interface Stream {
  readonly type: TargetType
  /** These targets; all of the type when not given. */
  readonly targets?: readonly string[]
  /** The project and all below it. */
  readonly tree?: string
  /** The projects of the domain. */
  readonly inDomain?: string
  readonly actor?: Actor
  readonly roleIds?: readonly string[]
  readonly inherited?: boolean
}

const columns = ['target_id', 'actor_id', 'actor_type', 'role_id', 'inherited'] as const

/** Where an assignment stands in its stream. */
export type Key = readonly [string, string, string, string, number]
export const keyOf = (row: AssignmentRow): Key => [
  row.target_id,
  row.actor_id,
  row.actor_type,
  row.role_id,
  row.inherited,
]

/** In what order keys stand, as the database has it: by the bytes of ids, which are ASCII. */
export function compareKeys(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (const [at, one] of a.entries()) {
    const other = b[at]!
    if (one !== other) return one < other ? -1 : 1
  }
  return 0
}

/** From the place of `from` on, that one included. */
export function readStream(
  db: Db,
  { stream, from, limit }: { stream: Stream; from: Key | undefined; limit: number },
): Promise<AssignmentRow[]> {
  const { targets, tree, inDomain, actor, roleIds, inherited } = stream
  let query = db.selectFrom('assignments').selectAll().where('target_type', '=', stream.type)
  if (targets?.length === 1) query = query.where('target_id', '=', targets[0]!)
  else if (targets) query = query.where('target_id', 'in', [...targets])
  if (tree !== undefined) query = query.where('target_id', 'in', treeOf(tree))
  if (inDomain !== undefined)
    query = query.where('target_id', 'in', eb =>
      eb.selectFrom('projects').select('projects.id').where('projects.domain_id', '=', inDomain),
    )
  if (actor) query = query.where('actor_id', '=', actor.id).where('actor_type', '=', actor.type)
  if (roleIds?.length === 1) query = query.where('role_id', '=', roleIds[0]!)
  else if (roleIds) query = query.where('role_id', 'in', [...roleIds])
  if (inherited !== undefined) query = query.where('inherited', '=', inherited ? 1 : 0)
  if (from) {
    // The first column alone lets the engine start at the right place of its index; the rest decides among equals.
    query = query.where('target_id', '>=', from[0])
    query = query.where(eb =>
      eb.or(
        columns.map((column, at) =>
          eb.and([
            ...columns.slice(0, at).map((before, n) => eb(before, '=', from[n] as never)),
            eb(column, at === columns.length - 1 ? '>=' : '>', from[at] as never),
          ]),
        ),
      ),
    )
  }
  for (const column of columns) query = query.orderBy(column)
  return query.limit(limit).execute()
}

/** Ids of the project and of all below it, as a query. */
const treeOf = (id: string) => sql<string>`(
  with recursive tree (id) as (
    select projects.id from projects where projects.id = ${id} union all select projects.id from projects join tree on projects.parent_id = tree.id
  ) select id from tree)`

/** Ids after `after`, in order, `limit` at most. */
interface Ids {
  readonly after: string
  readonly limit: number
}

export async function membersAfter(db: Db, groupId: string, { after, limit }: Ids): Promise<string[]> {
  const rows = await db
    .selectFrom('memberships')
    .select('user_id')
    .where('group_id', '=', groupId)
    .where('user_id', '>', after)
    .orderBy('user_id')
    .limit(limit)
    .execute()
  return rows.map(row => row.user_id)
}

export async function projectsOfDomainAfter(db: Db, domainId: string, { after, limit }: Ids): Promise<string[]> {
  const rows = await db
    .selectFrom('projects')
    .select('id')
    .where('domain_id', '=', domainId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(row => row.id)
}

/** Of the project and all below it; without the project itself where `below`. */
export async function projectsOfTreeAfter(
  db: Db,
  { id, below, after, limit }: Ids & { readonly id: string; readonly below: boolean },
): Promise<string[]> {
  const rows = await db
    .selectFrom('projects')
    .select('id')
    .where('id', 'in', treeOf(id))
    .where('id', '>', after)
    .where('id', '!=', below ? id : '')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(row => row.id)
}
