/**
 * Quotas: what a project may have, and each of its users. A limit is the project's own where one was set, else that of the
 * class `default` where one was set, else the configuration's. Use is counted from rows, in the transaction that adds one.
 */
import { forbidden } from '@strata/toolkit/fault'
import { type CountedResource, type Excess, excess } from '@strata/toolkit/quota'
import type { Kysely, Transaction } from '@strata/toolkit/store'
import type { ComputeConfig } from '../contract/config.ts'
import { quotaExceeded } from '../contract/errors.ts'
import type { ComputeTables, FlavorCopy } from '../store/database.ts'
import { classOwner, type Limits, limitsOf } from '../store/quotas.ts'

type Db = Kysely<ComputeTables>

/** Whose limits: the user's count where a user was given limits of their own. */
export interface QuotaOwner {
  readonly projectId: string
  readonly userId?: string
}

/** All resources with the limits of the configuration. -1 is none. */
export function configuredLimits(config: ComputeConfig): Readonly<Record<QuotaResource, number>> {
  return {
    instances: config.quota_instances,
    cores: config.quota_cores,
    ram: config.quota_ram,
    fixed_ips: -1,
    floating_ips: -1,
    security_groups: -1,
    security_group_rules: -1,
    metadata_items: config.quota_metadata_items,
    injected_files: 5,
    injected_file_content_bytes: 10_240,
    injected_file_path_bytes: 255,
    key_pairs: config.quota_key_pairs,
    server_groups: config.quota_server_groups,
    server_group_members: config.quota_server_group_members,
  }
}

export const quotaResources = [
  'instances',
  'cores',
  'ram',
  'fixed_ips',
  'floating_ips',
  'security_groups',
  'security_group_rules',
  'metadata_items',
  'injected_files',
  'injected_file_content_bytes',
  'injected_file_path_bytes',
  'key_pairs',
  'server_groups',
  'server_group_members',
] as const
export type QuotaResource = (typeof quotaResources)[number]
export type QuotaLimits = Readonly<Record<QuotaResource, number>>

/** Limits of those that have none of their own. */
export async function defaultLimits(db: Db, config: ComputeConfig): Promise<QuotaLimits> {
  const [ofClass] = await limitsOf(db, [[classOwner('default'), '']])
  return { ...configuredLimits(config), ...ofClass }
}

/** Limits in force for a project or, with a user, for that user. */
export async function limitsFor(db: Db, config: ComputeConfig, owner: QuotaOwner): Promise<QuotaLimits> {
  const { project, user } = await layers(db, config, owner)
  return { ...project, ...user }
}

async function layers(
  db: Db,
  config: ComputeConfig,
  { projectId, userId }: QuotaOwner,
): Promise<{ readonly project: QuotaLimits; readonly user: Limits }> {
  const [ofClass, ofProject, ofUser] = await limitsOf(db, [
    [classOwner('default'), ''],
    [projectId, ''],
    // No row has this user when none is asked for: a project's own rows have the empty one.
    [projectId, userId || '-'],
  ])
  return { project: { ...configuredLimits(config), ...ofClass, ...ofProject }, user: ofUser! }
}

export interface ServerUse {
  readonly instances: number
  readonly cores: number
  /** MiB. */
  readonly ram: number
}

/** What a project's servers hold; those of one user with `userId`. */
export async function serverUse(db: Db, { projectId, userId }: QuotaOwner): Promise<ServerUse> {
  let query = db.selectFrom('servers').select('flavor').where('project_id', '=', projectId)
  if (userId !== undefined) query = query.where('user_id', '=', userId)
  const flavors = (await query.execute()).map(row => JSON.parse(row.flavor) as FlavorCopy)
  return {
    instances: flavors.length,
    cores: flavors.reduce((sum, flavor) => sum + flavor.vcpus, 0),
    ram: flavors.reduce((sum, flavor) => sum + flavor.ram, 0),
  }
}

/**
 * Throws a 403 that says what does not fit, unless there is room for `requested` more. Call it in the transaction that adds
 * the servers, before it adds them.
 */
export async function checkQuota(
  tx: Transaction<ComputeTables>,
  config: ComputeConfig,
  owner: QuotaOwner,
  requested: Partial<ServerUse>,
): Promise<void> {
  const { project, user } = await layers(tx, config, owner)
  const over = await serverExcess(tx, { projectId: owner.projectId }, project, requested)
  if (over.length > 0) throw quotaExceeded(over)
  if (Object.keys(user).length === 0) return
  const overOfUser = await serverExcess(tx, owner, user, requested)
  if (overOfUser.length > 0) throw quotaExceeded(overOfUser)
}

async function serverExcess(
  tx: Transaction<ComputeTables>,
  owner: QuotaOwner,
  limits: Limits,
  requested: Partial<ServerUse>,
): Promise<readonly Excess[]> {
  let use: Promise<ServerUse> | undefined
  const counted = (name: keyof ServerUse): CountedResource => ({
    name,
    defaultLimit: -1,
    async count() {
      use ??= serverUse(tx, owner)
      return (await use)[name]
    },
  })
  return excess({
    tx,
    projectId: owner.projectId,
    resources: [counted('cores'), counted('instances'), counted('ram')],
    requested: requested as Readonly<Record<string, number>>,
    limits,
  })
}

/** Throws a 403 when a server would have more metadata items than it may. */
export async function checkMetadataItems(
  db: Db,
  config: ComputeConfig,
  owner: QuotaOwner,
  items: number,
): Promise<void> {
  const { metadata_items: limit } = await limitsFor(db, config, owner)
  if (limit >= 0 && items > limit)
    throw forbidden(`Maximum number of metadata items exceeds ${limit}`, 'MetadataLimitExceeded')
}

export async function keyPairUse(db: Db, userId: string): Promise<number> {
  const row = await db
    .selectFrom('keypairs')
    .select(eb => eb.fn.countAll().as('n'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  return Number(row.n)
}

export async function serverGroupUse(db: Db, { projectId, userId }: QuotaOwner): Promise<number> {
  let query = db
    .selectFrom('server_groups')
    .select(eb => eb.fn.countAll().as('n'))
    .where('project_id', '=', projectId)
  if (userId !== undefined) query = query.where('user_id', '=', userId)
  return Number((await query.executeTakeFirstOrThrow()).n)
}
