/** Security groups and their rules. Each project has a group `default` from the first time it is needed. */
import type { Create } from '@strata/toolkit/schema'
import {
  cannotRemoveDefaultGroup,
  cannotUpdateDefaultGroup,
  defaultGroupExists,
  ruleExists,
  securityGroupInUse,
  securityGroupNotFound,
} from '../contract/faults.ts'
import { DEFAULT_SECURITY_GROUP, type securityGroupRule } from '../contract/security-group.ts'
import { type NetworkDb, securityGroupRules, securityGroups } from '../store/database.ts'
import {
  isAdmin,
  type NetworkDeps,
  newRow,
  type Scene,
  type SecurityGroupRow,
  type SecurityGroupRuleRow,
  touch,
} from './deps.ts'
import { claim } from './quota.ts'
import { checkRule, ruleKey } from './rules/security-group-rule.ts'

type RuleFields = typeof securityGroupRule.fields

export async function defaultGroupOf(db: NetworkDb, projectId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('default_security_groups')
    .select('security_group_id')
    .where('project_id', '=', projectId)
    .executeTakeFirst()
  return row?.security_group_id
}

/** The id of the project's default group, made with its rules when there is none yet. */
export async function ensureDefaultGroup(deps: NetworkDeps, scene: Scene, projectId: string): Promise<string> {
  const known = await defaultGroupOf(scene.tx, projectId)
  if (known !== undefined) return known
  const row = await securityGroups.insert(scene.tx, {
    ...newRow(deps),
    project_id: projectId,
    name: DEFAULT_SECURITY_GROUP,
    description: 'Default security group',
  })
  await scene.tx
    .insertInto('default_security_groups')
    .values({ project_id: projectId, security_group_id: row.id })
    .execute()
  await addInitialRules(deps, scene, row, true)
  touch(deps, scene, 'security_groups', row.id)
  return row.id
}

/** Everything may leave; into the default group comes what its own members send. */
export async function addInitialRules(
  deps: NetworkDeps,
  scene: Scene,
  group: SecurityGroupRow,
  isDefault: boolean,
): Promise<void> {
  for (const ethertype of ['IPv4', 'IPv6'] as const)
    for (const direction of isDefault ? (['egress', 'ingress'] as const) : (['egress'] as const)) {
      const rule = await securityGroupRules.insert(scene.tx, {
        ...newRow(deps),
        project_id: group.project_id,
        security_group_id: group.id,
        direction,
        ethertype,
        remote_group_id: direction === 'ingress' ? group.id : null,
      })
      touch(deps, scene, 'security_group_rules', rule.id)
    }
}

export async function beforeCreateGroup(
  deps: NetworkDeps,
  scene: Scene,
  body: { name?: string; project_id?: string },
): Promise<void> {
  const projectId = body.project_id ?? ''
  if (body.name === DEFAULT_SECURITY_GROUP) throw defaultGroupExists()
  await ensureDefaultGroup(deps, scene, projectId)
  await claim(deps, scene.tx, projectId, { security_group: 1, security_group_rule: 2 })
}

export async function beforeUpdateGroup(
  scene: Scene,
  row: SecurityGroupRow,
  body: { name?: string; stateful?: boolean },
) {
  const isDefault = (await defaultGroupOf(scene.tx, row.project_id)) === row.id
  if (isDefault && body.name !== undefined && body.name !== row.name) throw cannotUpdateDefaultGroup()
  if (!isDefault && body.name === DEFAULT_SECURITY_GROUP) throw defaultGroupExists()
  if (body.stateful !== undefined && body.stateful !== row.stateful && (await isBound(scene.tx, row.id)))
    throw securityGroupInUse(row.id)
}

const isBound = async (db: NetworkDb, groupId: string): Promise<boolean> =>
  (await db
    .selectFrom('port_security_groups')
    .select('port_id')
    .where('security_group_id', '=', groupId)
    .limit(1)
    .executeTakeFirst()) !== undefined

export async function beforeDeleteGroup(deps: NetworkDeps, scene: Scene, row: SecurityGroupRow): Promise<void> {
  const { tx } = scene
  const isDefault = (await defaultGroupOf(tx, row.project_id)) === row.id
  if (isDefault && !isAdmin(scene.context)) throw cannotRemoveDefaultGroup()
  if (await isBound(tx, row.id)) throw securityGroupInUse(row.id)
  const rules = await tx
    .selectFrom('security_group_rules')
    .select(['id', 'security_group_id'])
    .where(eb => eb.or([eb('security_group_id', '=', row.id), eb('remote_group_id', '=', row.id)]))
    .execute()
  // Rules of other groups that name this one go with it: nothing can come from a group that is not there.
  const ids = rules.map(rule => rule.id)
  if (ids.length > 0) await tx.deleteFrom('security_group_rules').where('id', 'in', ids).execute()
  await tx.deleteFrom('default_security_groups').where('security_group_id', '=', row.id).execute()
  touch(deps, scene, 'security_group_rules', ...ids)
  touch(deps, scene, 'security_groups', row.id)
}

/** Checks a rule against its group; returns what completes its row. */
export async function beforeCreateRule(deps: NetworkDeps, scene: Scene, body: Create<RuleFields>) {
  const { tx } = scene
  const group = await securityGroups.find(tx, body.security_group_id)
  if (!group) throw securityGroupNotFound(body.security_group_id)
  const wish = {
    direction: body.direction,
    ethertype: body.ethertype ?? 'IPv4',
    protocol: body.protocol ?? null,
    port_range_min: body.port_range_min ?? null,
    port_range_max: body.port_range_max ?? null,
    remote_group_id: body.remote_group_id ?? null,
    remote_ip_prefix: body.remote_ip_prefix ?? null,
  }
  const { protocol } = checkRule(wish)
  if (wish.remote_group_id !== null) {
    const remote = await securityGroups.find(tx, wish.remote_group_id)
    if (!remote || (remote.project_id !== group.project_id && !isAdmin(scene.context)))
      throw securityGroupNotFound(wish.remote_group_id)
  }
  const key = ruleKey(wish)
  const siblings = await securityGroupRules.list(tx, { where: { security_group_id: group.id } })
  const twin = siblings.find(rule => ruleKey(rule) === key)
  if (twin) throw ruleExists(twin.id)
  await claim(deps, tx, group.project_id, { security_group_rule: 1 })
  return { protocol, project_id: group.project_id }
}

/** The project of a group; undefined when there is no such group. */
export async function groupOwner(db: NetworkDb, groupId: string): Promise<string | undefined> {
  const row = await db.selectFrom('security_groups').select('project_id').where('id', '=', groupId).executeTakeFirst()
  return row?.project_id
}

/** The rules of each group, by its id. */
export async function rulesOf(
  db: NetworkDb,
  groupIds: readonly string[],
): Promise<Map<string, SecurityGroupRuleRow[]>> {
  const found = new Map<string, SecurityGroupRuleRow[]>()
  if (groupIds.length === 0) return found
  for (const rule of await securityGroupRules.list(db, { where: { security_group_id: groupIds } })) {
    const known = found.get(rule.security_group_id)
    if (known) known.push(rule)
    else found.set(rule.security_group_id, [rule])
  }
  return found
}

/** Groups by their ids, all of them visible to the caller; throws 404 naming the first that is not. */
export async function checkGroups(scene: Scene, projectId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const rows = await scene.tx
    .selectFrom('security_groups')
    .select(['id', 'project_id'])
    .where('id', 'in', ids)
    .execute()
  const known = new Map(rows.map(row => [row.id, row.project_id]))
  for (const id of ids) {
    const owner = known.get(id)
    const fits = owner === projectId || owner === scene.context.projectId || isAdmin(scene.context)
    if (owner === undefined || !fits) throw securityGroupNotFound(id)
  }
}
