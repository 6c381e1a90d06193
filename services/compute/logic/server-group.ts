/** What is done with server groups. */
import { badRequest, type Fault, forbidden, notFound } from '@strata/toolkit/fault'
import { isoTime } from '@strata/toolkit/runtime'
import type { Kysely } from '@strata/toolkit/store'
import { readWhole } from '../contract/fields.ts'
import type { ServerGroup, ServerGroupCreation } from '../contract/server-group.ts'
import type { ComputeTables } from '../store/database.ts'
import { findServerGroup, membersOf, removeServerGroup, serverGroupRows } from '../store/server-groups.ts'
import type { Compute } from './compute.ts'
import { limitsFor, serverGroupUse } from './quota.ts'

export type ServerGroupDeps = Pick<Compute, 'store' | 'runtime' | 'config'>

/** A group with the ids of its servers. */
export type GroupWithMembers = ServerGroup & { readonly members: readonly string[] }

const missing = (id: string): Fault => notFound(`Instance group ${id} could not be found.`, 'InstanceGroupNotFound')

/** What the scheduler wants to know of a group; undefined when there is none (any more). */
export async function groupRule(
  db: Kysely<ComputeTables>,
  id: string,
): Promise<{ readonly policy: string; readonly maxServersPerHost?: number } | undefined> {
  const group = await findServerGroup(db, id)
  return group && { policy: group.policy, maxServersPerHost: group.rules.max_server_per_host }
}

/** Oldest first; of every project without `projectId`. */
export async function serverGroups(
  { store }: ServerGroupDeps,
  range: { readonly projectId: string | undefined; readonly offset: number; readonly limit: number },
): Promise<readonly GroupWithMembers[]> {
  const where = range.projectId === undefined ? {} : { project_id: range.projectId }
  const groups = await serverGroupRows.list(store.db, { where, limit: range.offset + range.limit })
  return withMembers(store.db, groups.slice(range.offset))
}

export async function needServerGroup({ store }: ServerGroupDeps, id: string): Promise<GroupWithMembers> {
  const found = await findServerGroup(store.db, id)
  if (!found) throw missing(id)
  return (await withMembers(store.db, [found]))[0]!
}

async function withMembers(
  db: Kysely<ComputeTables>,
  groups: readonly ServerGroup[],
): Promise<readonly GroupWithMembers[]> {
  const members = await membersOf(
    db,
    groups.map(group => group.id),
  )
  return groups.map(group => ({ ...group, members: members.get(group.id) ?? [] }))
}

/** Throws a 400 for rules that the policy does not have, and a 403 over quota. */
export async function createServerGroup(
  { store, runtime, config }: ServerGroupDeps,
  owner: { readonly projectId: string; readonly userId: string },
  given: ServerGroupCreation,
): Promise<GroupWithMembers> {
  const policy = given.policy ?? given.policies![0]!
  const most = given.rules?.max_server_per_host
  if (policy !== 'anti-affinity' && most !== undefined)
    throw badRequest('Only anti-affinity policy supports rules.', 'InvalidRules')
  const rules = most === undefined ? {} : { max_server_per_host: readWhole('max_server_per_host', most, 1) }
  const group = await store.transaction(async tx => {
    const { server_groups: limit } = await limitsFor(tx, config, owner)
    if (limit >= 0 && (await serverGroupUse(tx, { projectId: owner.projectId })) >= limit)
      throw forbidden('Quota exceeded, too many server groups.', 'ServerGroupLimitExceeded')
    return serverGroupRows.insert(tx, {
      id: runtime.uuid(),
      project_id: owner.projectId,
      user_id: owner.userId,
      name: given.name,
      policy,
      rules,
      created_at: isoTime(runtime.now()),
    })
  })
  return { ...group, members: [] }
}

export function deleteServerGroup({ store }: ServerGroupDeps, id: string): Promise<void> {
  return store.transaction(async tx => {
    if (!(await findServerGroup(tx, id))) throw missing(id)
    await removeServerGroup(tx, id)
  })
}
