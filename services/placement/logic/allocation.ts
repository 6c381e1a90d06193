/**
 * Allocations: what consumers hold. All the consumers of one call are replaced in one transaction: their former holdings
 * are given back first, then everything new must fit, then providers and consumers move one generation on.
 */
import { badRequest, notFound } from '@strata/toolkit/fault'
import { cannotAllocate, concurrentUpdate, consumerGenerationConflict } from '../contract/errors.ts'
import {
  type AllocationRow,
  type ConsumerRow,
  deleteAllocations,
  deleteConsumers,
  findConsumer,
  findConsumers,
  type HeldRow,
  insertAllocations,
  insertConsumer,
  listOfConsumer,
  listOfConsumers,
  listOfProvider,
  replaceConsumer,
} from '../store/allocation.ts'
import { listInventoriesOf, usageOf } from '../store/inventory.ts'
import { findProviders, type ProviderRow } from '../store/provider.ts'
import { advance, type Change, change, mustFind, type Placement } from './change.ts'
import { mustKnowClasses } from './names.ts'
import { canonical } from './provider.ts'
import { type Claim, type Refusal, refuse } from './rules/capacity.ts'

/** What a consumer shall hold from now on. */
export interface ConsumerClaim {
  readonly consumer: string
  /** Amount by provider and class; empty gives everything back. */
  readonly holdings: ReadonlyMap<string, Readonly<Record<string, number>>>
  readonly projectId: string
  readonly userId: string
  /** The consumer's generation as the caller has seen it, null for a new one; unset where versions do not tell. */
  readonly generation?: number | null
  /** Unset where versions do not tell: it stays as it is. */
  readonly type?: string
}

const key = (provider: string, resourceClass: string) => `${provider} ${resourceClass}`

/** Throws 400 (unknown provider or class) and 409 (generations; does not fit). */
export const claim = (placement: Placement, claims: readonly ConsumerClaim[]): Promise<void> =>
  change(placement, scope => replaceAllocations(scope, claims))

/** The same inside of a larger change. */
export async function replaceAllocations(scope: Change, given: readonly ConsumerClaim[]): Promise<void> {
  const { tx, touch } = scope
  const claims = given.map(one => ({ ...one, consumer: canonical(one.consumer) }))
  const consumers = await mustBeUnchanged(scope, claims)
  const wanted = claims.flatMap(claimsOf)
  await mustKnowClasses(
    tx,
    wanted.map(one => one.resourceClass),
    'Unable to allocate inventory:',
  )
  const names = claims.map(one => one.consumer)
  const former = await listOfConsumers(tx, names)
  const emptied = new Set(claims.filter(one => one.holdings.size === 0).map(one => one.consumer))
  const providers = await mustFindProviders(scope, [
    ...wanted.map(one => one.provider),
    ...former.filter(row => emptied.has(row.consumer_uuid)).map(row => row.provider_uuid),
  ])
  const before = await usageByClass(scope, providers)
  await deleteAllocations(tx, names)
  await mustFit(scope, wanted, providers, before)
  await writeConsumers(scope, claims, consumers)
  await insertAllocations(
    tx,
    claims.flatMap(one => rowsOf(one, scope.now)),
  )
  await deleteConsumers(tx, [...emptied])
  for (const row of former) touch(row.provider_uuid)
  for (const provider of providers) await advance(scope, provider)
}

const claimsOf = (one: ConsumerClaim): Claim[] =>
  [...one.holdings].flatMap(([provider, resources]) =>
    Object.entries(resources).map(([resourceClass, amount]) => ({
      provider: canonical(provider),
      resourceClass,
      amount,
    })),
  )

const rowsOf = (one: ConsumerClaim, now: string): AllocationRow[] =>
  claimsOf(one).map(({ provider, resourceClass, amount }) => ({
    consumer_uuid: one.consumer,
    provider_uuid: provider,
    resource_class: resourceClass,
    used: amount,
    created_at: now,
  }))

/** The consumers that are there, by UUID. Throws 409 unless each is as its caller has seen it. */
async function mustBeUnchanged(
  scope: Change,
  claims: readonly ConsumerClaim[],
): Promise<ReadonlyMap<string, ConsumerRow>> {
  const rows = await findConsumers(
    scope.tx,
    claims.map(one => one.consumer),
  )
  const consumers = new Map(rows.map(row => [row.uuid, row]))
  for (const { consumer, generation } of claims) {
    const actual = consumers.get(consumer)?.generation ?? null
    if (generation !== undefined && generation !== actual)
      throw consumerGenerationConflict(consumer, actual, generation)
  }
  return consumers
}

async function mustFindProviders(scope: Change, uuids: readonly string[]): Promise<readonly ProviderRow[]> {
  const wanted = [...new Set(uuids)]
  const rows = await findProviders(scope.tx, wanted)
  const missing = wanted.find(uuid => !rows.some(row => row.uuid === uuid))
  if (missing !== undefined) throw badRequest(`Allocation for resource provider '${missing}' that does not exist.`)
  return rows
}

async function usageByClass(scope: Change, providers: readonly ProviderRow[]): Promise<ReadonlyMap<string, number>> {
  const rows = await usageOf(
    scope.tx,
    providers.map(row => row.uuid),
  )
  return new Map(rows.map(row => [key(row.provider_uuid, row.resource_class), row.used]))
}

async function mustFit(
  scope: Change,
  wanted: readonly Claim[],
  providers: readonly ProviderRow[],
  before: ReadonlyMap<string, number>,
): Promise<void> {
  const inventories = await listInventoriesOf(
    scope.tx,
    providers.map(row => row.uuid),
  )
  const used = await usageByClass(scope, providers)
  const stocks = new Map(
    inventories.map(row => {
      const at = key(row.provider_uuid, row.resource_class)
      return [at, { ...row, used: used.get(at) ?? 0 }]
    }),
  )
  const refusal = refuse(
    wanted,
    (provider, resourceClass) => stocks.get(key(provider, resourceClass)),
    (provider, resourceClass) => before.get(key(provider, resourceClass)) ?? 0,
  )
  if (refusal) throw cannotAllocate(explain(refusal))
}

function explain({ claim: { provider, resourceClass }, kind }: Refusal): string {
  if (kind === 'no inventory') return `Inventory for '${resourceClass}' on resource provider '${provider}' invalid.`
  return `Unable to create allocation for '${resourceClass}' on resource provider '${provider}'. The requested amount would ${
    kind === 'over capacity' ? 'exceed the capacity' : 'violate inventory constraints'
  }.`
}

async function writeConsumers(
  scope: Change,
  claims: readonly ConsumerClaim[],
  consumers: ReadonlyMap<string, ConsumerRow>,
): Promise<void> {
  for (const one of claims) {
    const known = consumers.get(one.consumer)
    const row: ConsumerRow = {
      uuid: one.consumer,
      project_id: one.projectId,
      user_id: one.userId,
      type: one.type ?? known?.type ?? null,
      generation: (known?.generation ?? 0) + 1,
    }
    if (!known) await insertConsumer(scope.tx, row)
    else if (!(await replaceConsumer(scope.tx, row, known.generation)))
      throw concurrentUpdate('Another thread concurrently updated the data. Please retry your update')
  }
}

export interface Held {
  readonly rows: readonly HeldRow[]
  /** Unset when it holds nothing. */
  readonly consumer?: ConsumerRow
}

/** What a consumer holds; nothing, for one that nobody knows. */
export async function showConsumer({ store }: Placement, consumer: string): Promise<Held> {
  const rows = await listOfConsumer(store.db, consumer)
  return { rows, consumer: rows.length === 0 ? undefined : await findConsumer(store.db, consumer) }
}

/** Throws 404. */
export async function showProviderAllocations(
  { store }: Placement,
  uuid: string,
): Promise<{ readonly generation: number; readonly rows: readonly HeldRow[] }> {
  const { generation } = await mustFind(store.db, uuid)
  return { generation, rows: await listOfProvider(store.db, uuid) }
}

/** Gives back all that a consumer holds, whatever its generation. Throws 404 when that is nothing. */
export const release = (placement: Placement, consumer: string): Promise<void> =>
  change(placement, async ({ tx, touch }) => {
    const held = await listOfConsumers(tx, [consumer])
    if (held.length === 0) throw notFound(`No allocations for consumer '${consumer}'`)
    await deleteAllocations(tx, [consumer])
    await deleteConsumers(tx, [consumer])
    for (const row of held) touch(row.provider_uuid)
  })
