/** Who may know of what: conditions of lists and look-ups, and what the policy rules are told of networks. */
import type { RequestContext } from '@strata/toolkit/context'
import type { Condition } from '@strata/toolkit/resource'
import { sql } from '@strata/toolkit/store'
import { networkNotFound } from '../contract/faults.ts'
import { EVERYBODY, EXTERNAL, SHARED } from '../contract/rbac-policy.ts'
import { type NetworkDb, networks } from '../store/database.ts'
import type { NetworkRow } from './deps.ts'

const NONE: Condition = () => sql<boolean>`1 = 0`
const either =
  (...conditions: readonly Condition[]): Condition =>
  eb =>
    eb.or(conditions.map(condition => condition(eb)))

/** Rows whose `column` is the caller's project, if the rule lets them see such; a caller without a project has none. */
function own(context: RequestContext, rule: string, column: string, about: string): Condition {
  const { projectId } = context
  if (projectId === '' || !context.can(rule, { [about]: projectId })) return NONE
  return eb => eb(column, '=', projectId)
}

/** Rows of a table with `project_id`, by the rule for seeing them: everybody's, or the caller's own. */
export function ownRows(context: RequestContext, rule: string): readonly Condition[] {
  return context.can(rule, {}) ? [] : [own(context, rule, 'project_id', 'project_id')]
}

/** Rules of security groups follow their group. */
export function visibleRules(context: RequestContext): readonly Condition[] {
  const rule = 'get_security_group_rule'
  if (context.can(rule, {})) return []
  const groups = own(context, rule, 'project_id', 'security_group:project_id')
  return [
    eb =>
      eb(
        'security_group_id',
        'in',
        eb
          .selectFrom('security_groups')
          .select('id')
          .where(groups as never),
      ),
  ]
}

/** Networks that the caller may know of: own, shared, external. */
export function visibleNetworks(context: RequestContext): readonly Condition[] {
  const rule = 'get_network'
  if (context.can(rule, {})) return []
  const parts = ownOrShared(context, rule)
  if (context.can(rule, { 'router:external': true })) parts.push(openTo(EXTERNAL, [EVERYBODY, context.projectId]))
  return [either(...parts)]
}

function ownOrShared(context: RequestContext, rule: string): Condition[] {
  const mine = own(context, rule, 'project_id', 'project_id')
  return context.can(rule, { shared: true })
    ? [mine, eb => eb('shared', '=', 1), openTo(SHARED, [context.projectId])]
    : [mine]
}

/** Networks with an RBAC policy of that action for one of the targets. */
const openTo =
  (action: string, targets: readonly string[]): Condition =>
  eb =>
    eb(
      'id',
      'in',
      eb
        .selectFrom('rbac_policies')
        .select('object_id')
        .where('action', '=', action)
        .where('target_tenant', 'in', targets),
    )

/** Rows with a `network_id` of one of those networks. */
const onNetworks =
  (conditions: readonly Condition[]): Condition =>
  eb =>
    eb(
      'network_id',
      'in',
      conditions.reduce((query, condition) => query.where(condition as never), eb.selectFrom('networks').select('id')),
    )

/** Things on networks that are shared with everybody, or on those that are not. */
export const sharedNetworksOnly = (wanted: readonly boolean[]): Condition =>
  onNetworks([
    eb =>
      eb(
        'shared',
        'in',
        wanted.map(shared => (shared ? 1 : 0)),
      ),
  ])

/**
 * Subnets: own ones, and those of networks that are the caller's or shared. That a network is external shows its name and
 * lets addresses be taken from it, but not how it is laid out, although the rule alone would allow that: so it is in Neutron,
 * where its database leaves such subnets out before the rule is asked.
 */
export function visibleSubnets(context: RequestContext): readonly Condition[] {
  const rule = 'get_subnet'
  if (context.can(rule, {})) return []
  const seen = either(...ownOrShared(context, 'get_network'))
  return [either(own(context, rule, 'project_id', 'project_id'), onNetworks([seen]))]
}

/** Ports: own ones, and those on networks of the caller's project. */
export function visiblePorts(context: RequestContext): readonly Condition[] {
  const rule = 'get_port'
  if (context.can(rule, {})) return []
  return [
    either(
      own(context, rule, 'project_id', 'project_id'),
      onNetworks([own(context, rule, 'project_id', 'network:project_id')]),
    ),
  ]
}

/** What rules call `shared` of a network, for this caller. */
export async function isSharedWith(db: NetworkDb, row: NetworkRow, projectId: string): Promise<boolean> {
  if (row.shared || projectId === '') return row.shared
  const found = await db
    .selectFrom('rbac_policies')
    .select('id')
    .where('object_id', '=', row.id)
    .where('action', '=', SHARED)
    .where('target_tenant', '=', projectId)
    .executeTakeFirst()
  return found !== undefined
}

/** The network, if the caller may know of it; throws 404 otherwise. */
export async function seenNetwork(db: NetworkDb, context: RequestContext, id: string): Promise<NetworkRow> {
  const [row] = await networks.list(db, { where: { id }, conditions: visibleNetworks(context), limit: 1 })
  if (!row) throw networkNotFound(id)
  return row
}

/** What rules about a thing on a network are told of that network; looked up once a request. */
export interface NetworkAspect {
  readonly 'network:project_id': string
  readonly 'network:tenant_id': string
  readonly shared: boolean
  readonly 'router:external': boolean
}

/** The aspect for a thing that is to be made there: throws 404 when the caller may not know of the network. */
export async function aspectForNew(db: NetworkDb, context: RequestContext, networkId: string): Promise<NetworkAspect> {
  await seenNetwork(db, context, networkId)
  return (await networkAspect(db, context, networkId))!
}

/** Promises, not values: the rows of a page ask all at once, and one query is to answer them. */
const aspects = new WeakMap<RequestContext, Map<string, Promise<NetworkAspect | undefined>>>()

export function networkAspect(
  db: NetworkDb,
  context: RequestContext,
  networkId: string,
): Promise<NetworkAspect | undefined> {
  const known = aspects.get(context) ?? new Map<string, Promise<NetworkAspect | undefined>>()
  aspects.set(context, known)
  const asked = known.get(networkId) ?? readAspect(db, context, networkId)
  known.set(networkId, asked)
  return asked
}

async function readAspect(db: NetworkDb, context: RequestContext, networkId: string) {
  const row = await networks.find(db, networkId)
  return (
    row && {
      'network:project_id': row.project_id,
      'network:tenant_id': row.project_id,
      shared: await isSharedWith(db, row, context.projectId),
      'router:external': row['router:external'],
    }
  )
}
