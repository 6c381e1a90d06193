/** Who may know of what: conditions of lists and look-ups, and what the policy rules are told of networks. */
import type { RequestContext } from '@strata/toolkit/context'
import type { Condition } from '@strata/toolkit/resource'
import { networkNotFound } from '../contract/faults.ts'
import { type NetworkDb, networks } from '../store/database.ts'
import type { NetworkRow } from './deps.ts'

const shares = (projectId: string): Condition => {
  return eb => eb('id', 'in', eb.selectFrom('network_shares').select('network_id').where('project_id', '=', projectId))
}

/** Rows of a table with `project_id`, by the rule for seeing them: everybody's, or the caller's own. */
export function ownRows(context: RequestContext, rule: string): readonly Condition[] {
  if (context.can(rule, {})) return []
  return [eb => eb('project_id', '=', context.projectId)]
}

/** Networks that the caller may know of: own, shared, external. */
export function visibleNetworks(context: RequestContext): readonly Condition[] {
  if (context.can('get_network', {})) return []
  return [
    eb =>
      eb.or([
        eb('project_id', '=', context.projectId),
        eb('shared', '=', 1),
        eb('router:external', '=', 1),
        shares(context.projectId)(eb),
      ]),
  ]
}

const networkColumn =
  (conditions: readonly Condition[]): Condition =>
  eb =>
    eb(
      'network_id',
      'in',
      conditions.reduce((query, condition) => query.where(condition as never), eb.selectFrom('networks').select('id')),
    )

/** Subnets: own ones, and those of networks that are visible. */
export function visibleSubnets(context: RequestContext): readonly Condition[] {
  if (context.can('get_subnet', {})) return []
  return [eb => eb.or([eb('project_id', '=', context.projectId), networkColumn(visibleNetworks(context))(eb)])]
}

/** Ports: own ones, and those on networks of the caller's project. */
export function visiblePorts(context: RequestContext): readonly Condition[] {
  if (context.can('get_port', {})) return []
  const own: Condition = eb => eb('project_id', '=', context.projectId)
  return [eb => eb.or([own(eb), networkColumn([own])(eb)])]
}

/** What rules call `shared` of a network, for this caller. */
export async function isSharedWith(db: NetworkDb, row: NetworkRow, projectId: string): Promise<boolean> {
  if (row.shared || projectId === '') return row.shared
  const found = await db
    .selectFrom('network_shares')
    .select('network_id')
    .where('network_id', '=', row.id)
    .where('project_id', '=', projectId)
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

const aspects = new WeakMap<RequestContext, Map<string, NetworkAspect | undefined>>()

export async function networkAspect(
  db: NetworkDb,
  context: RequestContext,
  networkId: string,
): Promise<NetworkAspect | undefined> {
  const known = aspects.get(context) ?? new Map<string, NetworkAspect | undefined>()
  aspects.set(context, known)
  if (known.has(networkId)) return known.get(networkId)
  const row = await networks.find(db, networkId)
  const aspect = row && {
    'network:project_id': row.project_id,
    'network:tenant_id': row.project_id,
    shared: await isSharedWith(db, row, context.projectId),
    'router:external': row['router:external'],
  }
  known.set(networkId, aspect)
  return aspect
}
