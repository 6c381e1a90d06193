/** Rows of inventories, with what is used of them. */
import type { Db } from '@strata/toolkit/store'
import type { Inventory } from '../contract/inventory.ts'
import type { Tables } from './tables.ts'

export type InventoryRow = Tables['inventory']

export const listInventories = (db: Db<Tables>, provider: string): Promise<InventoryRow[]> =>
  db.selectFrom('inventory').selectAll().where('provider_uuid', '=', provider).orderBy('resource_class').execute()

export const listInventoriesOf = (db: Db<Tables>, providers: readonly string[]): Promise<InventoryRow[]> =>
  providers.length === 0
    ? Promise.resolve([])
    : db
        .selectFrom('inventory')
        .selectAll()
        .where('provider_uuid', 'in', providers)
        .orderBy('provider_uuid')
        .orderBy('resource_class')
        .execute()

/** Adds inventories, or replaces those of the same class. */
export async function putInventories(
  db: Db<Tables>,
  provider: string,
  inventories: ReadonlyMap<string, Inventory>,
  now: string,
): Promise<void> {
  if (inventories.size === 0) return
  await removeInventories(db, provider, [...inventories.keys()])
  await db
    .insertInto('inventory')
    .values(
      [...inventories].map(([resource_class, inventory]) => ({
        provider_uuid: provider,
        resource_class,
        total: inventory.total,
        reserved: inventory.reserved,
        min_unit: inventory.min_unit,
        max_unit: inventory.max_unit,
        step_size: inventory.step_size,
        allocation_ratio: inventory.allocation_ratio,
        updated_at: now,
      })),
    )
    .execute()
}

export async function removeInventories(db: Db<Tables>, provider: string, classes: readonly string[]): Promise<void> {
  if (classes.length > 0)
    await db
      .deleteFrom('inventory')
      .where('provider_uuid', '=', provider)
      .where('resource_class', 'in', classes)
      .execute()
}

export interface UsageRow {
  readonly provider_uuid: string
  readonly resource_class: string
  readonly used: number
}

/** What is allocated of each class of these providers. */
export async function usageOf(db: Db<Tables>, providers: readonly string[]): Promise<UsageRow[]> {
  if (providers.length === 0) return []
  const rows = await db
    .selectFrom('allocation')
    .select(eb => ['provider_uuid', 'resource_class', eb.fn.sum<number>('used').as('used')])
    .where('provider_uuid', 'in', providers)
    .groupBy(['provider_uuid', 'resource_class'])
    .execute()
  return rows.map(row => ({ ...row, used: Number(row.used) }))
}
