/**
 * Quotas: what a project may have, and each of its users. A limit is the project's own where one was set, else that of the
 * class `default` where one was set, else the configuration's. Use is counted from rows, in the transaction that adds one.
 */
import { badRequest, forbidden } from '@strata/toolkit/fault'
import { type CountedResource, type Excess, excess } from '@strata/toolkit/quota'
import type { Kysely, Transaction } from '@strata/toolkit/store'
import type { ComputeConfig } from '../contract/config.ts'
import { invalidInput, quotaExceeded } from '../contract/errors.ts'
import { readWhole } from '../contract/fields.ts'
import { type LimitsGiven, type QuotaLimits, type QuotaResource, quotaResources } from '../contract/quota.ts'
import type { ComputeTables } from '../store/database.ts'
import { classOwner, type Limits, limitsOf, removeLimits, setLimits } from '../store/quotas.ts'
import { readFlavor } from '../store/servers.ts'
import type { Compute } from './compute.ts'

type Db = Kysely<ComputeTables>
export type QuotaDeps = Pick<Compute, 'store' | 'config'>

/** Whose limits: the user's count where a user was given limits of their own. */
export interface QuotaOwner {
  readonly projectId: string
  readonly userId?: string
}

/** All resources with the limits of the configuration. -1 is none. */
export function configuredLimits(config: ComputeConfig): QuotaLimits {
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
  const flavors = (await query.execute()).map(row => readFlavor(row.flavor))
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

/**
 * How many servers of a size fit beside those that are there, at most `max`. Throws a 403 that says what is short when
 * fewer than `min` do. To be called like `checkQuota`.
 */
export async function fittingServers(
  tx: Transaction<ComputeTables>,
  config: ComputeConfig,
  owner: QuotaOwner,
  wanted: { readonly each: Readonly<Record<string, number>>; readonly min: number; readonly max: number },
): Promise<number> {
  const { project, user } = await layers(tx, config, owner)
  let fit = wanted.max
  for (const [limits, whose] of [[project, { projectId: owner.projectId }] as const, [user, owner] as const]) {
    const limited = serverResources.filter(name => (limits[name] ?? -1) >= 0 && (wanted.each[name] ?? 0) > 0)
    if (limited.length === 0) continue
    const use = await serverUse(tx, whose)
    for (const name of limited) fit = Math.min(fit, Math.floor((limits[name]! - use[name]) / wanted.each[name]!))
  }
  if (fit >= wanted.min) return fit
  const least = Object.fromEntries(Object.entries(wanted.each).map(([name, units]) => [name, units * wanted.min]))
  await checkQuota(tx, config, owner, least)
  return wanted.min
}

const serverResources = ['cores', 'instances', 'ram'] as const

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
    resources: serverResources.map(counted),
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

export interface Use {
  readonly limit: number
  readonly in_use: number
}

/** Limits in force, with what is used of each that adds up over a project. */
export async function quotaUse(
  db: Db,
  config: ComputeConfig,
  owner: QuotaOwner,
): Promise<Readonly<Record<QuotaResource, Use>>> {
  const limits = await limitsFor(db, config, owner)
  const used: Partial<Record<QuotaResource, number>> = {
    ...(await serverUse(db, owner)),
    server_groups: await serverGroupUse(db, owner),
    // Key pairs are a user's, whatever the project.
    key_pairs: owner.userId === undefined ? 0 : await keyPairUse(db, owner.userId),
  }
  return Object.fromEntries(
    quotaResources.map(name => [name, { limit: limits[name], in_use: used[name] ?? 0 }]),
  ) as unknown as Record<QuotaResource, Use>
}

/**
 * Sets limits of a project or of one of its users. Throws a 400 that names the one below what is used, or above what the
 * user's project has; `force` skips that. Returns the limits then in force.
 */
export function updateQuota(
  { store, config }: QuotaDeps,
  owner: QuotaOwner,
  given: LimitsGiven,
  force: boolean,
): Promise<QuotaLimits> {
  return store.transaction(async tx => {
    const limits = readLimits(given)
    const use = await quotaUse(tx, config, owner)
    const ofProject = await limitsFor(tx, config, { projectId: owner.projectId })
    if (!force)
      for (const [name, limit] of Object.entries(limits) as [QuotaResource, number][]) {
        if (limit >= 0 && limit < use[name].in_use)
          throw badRequest(
            `Quota limit ${limit} for ${name} must be greater than or equal to already used and reserved ${use[name].in_use}.`,
          )
        const most = owner.userId === undefined ? -1 : ofProject[name]
        if (most >= 0 && (limit < 0 || limit > most))
          throw badRequest(`Quota limit ${limit} for ${name} must be less than or equal to ${most}.`)
      }
    await setLimits(tx, owner.projectId, owner.userId ?? '', limits)
    return limitsFor(tx, config, owner)
  })
}

/** Back to the defaults: a project with its users, or one user. */
export function resetQuota({ store }: QuotaDeps, { projectId, userId }: QuotaOwner): Promise<void> {
  return store.transaction(tx => removeLimits(tx, projectId, userId))
}

/** Limits of a quota class. Only the one called `default` has an effect. */
export async function classLimits(db: Db, config: ComputeConfig, name: string): Promise<QuotaLimits> {
  const [limits] = await limitsOf(db, [[classOwner(name), '']])
  return { ...configuredLimits(config), ...limits }
}

export function updateClass({ store, config }: QuotaDeps, name: string, given: LimitsGiven): Promise<QuotaLimits> {
  if (name.length > 200) throw invalidInput('quota_class_name', 'is longer than 200 characters')
  return store.transaction(async tx => {
    await setLimits(tx, classOwner(name), '', readLimits(given))
    return classLimits(tx, config, name)
  })
}

function readLimits(given: LimitsGiven): Limits {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, readWhole(name, value, -1)]))
}
