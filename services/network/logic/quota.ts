/** Limits of projects, held by counting rows in the transaction that adds one. */
import { type CountedResource, excess } from '@strata/toolkit/quota'
import { DEFAULT_QUOTAS } from '../contract/config.ts'
import { overQuota, quotaResourceUnknown } from '../contract/faults.ts'
import type { NetworkDb, NetworkTransaction } from '../store/database.ts'
import type { NetworkDeps } from './deps.ts'

/** Which table holds what a quota counts. */
const TABLES = {
  floatingip: 'floatingips',
  network: 'networks',
  port: 'ports',
  rbac_policy: 'rbac_policies',
  router: 'routers',
  security_group: 'security_groups',
  security_group_rule: 'security_group_rules',
  subnet: 'subnets',
} as const

export type QuotaResource = keyof typeof TABLES
export const QUOTA_RESOURCES = Object.keys(TABLES) as QuotaResource[]

export async function countUsed(db: NetworkDb, resource: QuotaResource, projectId: string): Promise<number> {
  const { n } = await db
    .selectFrom(TABLES[resource])
    .select(eb => eb.fn.countAll().as('n'))
    .where('project_id', '=', projectId)
    .executeTakeFirstOrThrow()
  return Number(n)
}

const counted = (deps: NetworkDeps): CountedResource[] =>
  QUOTA_RESOURCES.map(name => ({
    name,
    defaultLimit: deps.settings.default_quotas[name] ?? DEFAULT_QUOTAS[name] ?? -1,
    count: (tx, projectId) => countUsed(tx as NetworkTransaction, name, projectId),
  }))

export const defaultLimits = (deps: NetworkDeps): Record<string, number> =>
  Object.fromEntries(counted(deps).map(({ name, defaultLimit }) => [name, defaultLimit]))

/** Limits that were set for one project. */
export async function ownLimits(db: NetworkDb, projectId: string): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('quotas')
    .select(['resource', 'quota_limit'])
    .where('project_id', '=', projectId)
    .execute()
  return Object.fromEntries(rows.map(row => [row.resource, row.quota_limit]))
}

/** Throws 409 `OverQuota` unless that many more fit. Rows without a project (of the service itself) are free. */
export async function claim(
  deps: NetworkDeps,
  tx: NetworkTransaction,
  projectId: string,
  requested: Partial<Record<QuotaResource, number>>,
): Promise<void> {
  if (projectId === '') return
  const over = await excess({
    tx,
    projectId,
    resources: counted(deps),
    requested: requested as Record<string, number>,
    limits: await ownLimits(tx, projectId),
  })
  if (over.length > 0) throw overQuota(over.map(one => one.resource))
}

export async function setLimits(
  tx: NetworkTransaction,
  projectId: string,
  limits: Readonly<Record<string, number>>,
): Promise<void> {
  const unknown = Object.keys(limits).filter(name => !(name in TABLES))
  if (unknown.length > 0) throw quotaResourceUnknown(unknown)
  for (const [resource, limit] of Object.entries(limits)) {
    await tx.deleteFrom('quotas').where('project_id', '=', projectId).where('resource', '=', resource).execute()
    await tx.insertInto('quotas').values({ project_id: projectId, resource, quota_limit: limit }).execute()
  }
}

/** Projects that have limits of their own. */
export async function projectsWithLimits(db: NetworkDb): Promise<string[]> {
  const rows = await db.selectFrom('quotas').select('project_id').distinct().orderBy('project_id').execute()
  return rows.map(row => row.project_id)
}

export async function forgetLimits(tx: NetworkTransaction, projectId: string): Promise<void> {
  await tx.deleteFrom('quotas').where('project_id', '=', projectId).execute()
}
