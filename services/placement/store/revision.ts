/**
 * Revisions: one counter for all changes. A transaction that changed providers takes the next value and marks them with it,
 * so that whoever keeps a snapshot reads only what is newer than its own revision. The counter's row is also what orders
 * writers of several processes.
 */
import type { Db } from '@strata/toolkit/store'
import type { InventoryRow, UsageRow } from './inventory.ts'
import type { ProviderRow } from './provider.ts'
import type { Tables } from './tables.ts'

/** Deletions are remembered for so many revisions; a snapshot that lags more starts anew. */
export const remembered = 10_000

export async function currentRevision(db: Db<Tables>): Promise<number> {
  const row = await db.selectFrom('revision').select('value').where('id', '=', 1).executeTakeFirstOrThrow()
  return Number(row.value)
}

export interface Touched {
  readonly changed: readonly string[]
  readonly deleted: readonly string[]
}

/** Marks what a transaction changed. The last thing that it does, so that writers wait for each other only briefly. */
export async function markRevision(tx: Db<Tables>, { changed, deleted }: Touched): Promise<void> {
  await tx
    .updateTable('revision')
    .set(eb => ({ value: eb('value', '+', 1) }))
    .where('id', '=', 1)
    .execute()
  const revision = await currentRevision(tx)
  if (changed.length > 0)
    await tx.updateTable('resource_provider').set({ revision }).where('uuid', 'in', changed).execute()
  for (const uuid of deleted) {
    await tx.deleteFrom('deleted_provider').where('uuid', '=', uuid).execute()
    await tx.insertInto('deleted_provider').values({ uuid, revision }).execute()
  }
  if (deleted.length > 0)
    await tx
      .deleteFrom('deleted_provider')
      .where('revision', '<', revision - remembered)
      .execute()
}

export interface Changes {
  readonly providers: readonly ProviderRow[]
  readonly inventories: readonly InventoryRow[]
  readonly usages: readonly UsageRow[]
  readonly traits: readonly Tables['provider_trait'][]
  readonly aggregates: readonly Tables['provider_aggregate'][]
  readonly deleted: readonly string[]
}

/** All about the providers that changed after `revision`. */
export async function changesSince(db: Db<Tables>, revision: number): Promise<Changes> {
  const deleted = await db.selectFrom('deleted_provider').select('uuid').where('revision', '>', revision).execute()
  const providers = await db.selectFrom('resource_provider').selectAll().where('revision', '>', revision).execute()
  const of = <T extends 'inventory' | 'provider_trait' | 'provider_aggregate'>(table: T) =>
    (db as Db<Pick<Tables, 'resource_provider' | 'inventory'>>)
      .selectFrom('resource_provider')
      .innerJoin(table as 'inventory', 'provider_uuid', 'resource_provider.uuid')
      .selectAll(table as 'inventory')
      .where('revision', '>', revision)
      .execute() as unknown as Promise<Tables[T][]>
  const usages = await db
    .selectFrom('resource_provider')
    .innerJoin('allocation', 'provider_uuid', 'resource_provider.uuid')
    .select(eb => ['provider_uuid', 'resource_class', eb.fn.sum<number>('used').as('used')])
    .where('revision', '>', revision)
    .groupBy(['provider_uuid', 'resource_class'])
    .execute()
  return {
    providers,
    inventories: await of('inventory'),
    usages: usages.map(row => ({ ...row, used: Number(row.used) })),
    traits: await of('provider_trait'),
    aggregates: await of('provider_aggregate'),
    deleted: deleted.map(row => row.uuid),
  }
}
