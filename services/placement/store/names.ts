/** Rows of custom traits and custom resource classes, and which of them providers use. */
import type { Db } from '@strata/toolkit/store'
import type { Tables } from './tables.ts'

export const listCustomTraits = (db: Db<Tables>): Promise<Tables['trait'][]> =>
  db.selectFrom('trait').selectAll().orderBy('name').execute()

export const findCustomTrait = (db: Db<Tables>, name: string): Promise<Tables['trait'] | undefined> =>
  db.selectFrom('trait').selectAll().where('name', '=', name).executeTakeFirst()

export const findCustomTraits = (db: Db<Tables>, names: readonly string[]): Promise<Tables['trait'][]> =>
  names.length === 0 ? Promise.resolve([]) : db.selectFrom('trait').selectAll().where('name', 'in', names).execute()

/** False when it was there already. */
export async function insertTrait(db: Db<Tables>, row: Tables['trait']): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('trait')
    .values(row)
    .onConflict(conflict => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

export async function deleteTrait(db: Db<Tables>, name: string): Promise<void> {
  await db.deleteFrom('trait').where('name', '=', name).execute()
}

export async function listTraitsInUse(db: Db<Tables>): Promise<Set<string>> {
  const rows = await db.selectFrom('provider_trait').select('trait').distinct().execute()
  return new Set(rows.map(row => row.trait))
}

export async function isTraitInUse(db: Db<Tables>, name: string): Promise<boolean> {
  const found = await db.selectFrom('provider_trait').select('trait').where('trait', '=', name).limit(1).execute()
  return found.length > 0
}

export async function listProviderTraits(db: Db<Tables>, provider: string): Promise<string[]> {
  const rows = await db
    .selectFrom('provider_trait')
    .select('trait')
    .where('provider_uuid', '=', provider)
    .orderBy('trait')
    .execute()
  return rows.map(row => row.trait)
}

export async function replaceProviderTraits(
  db: Db<Tables>,
  provider: string,
  traits: readonly string[],
): Promise<void> {
  await db.deleteFrom('provider_trait').where('provider_uuid', '=', provider).execute()
  if (traits.length > 0)
    await db
      .insertInto('provider_trait')
      .values(traits.map(trait => ({ provider_uuid: provider, trait })))
      .execute()
}

export const listCustomClasses = (db: Db<Tables>): Promise<Tables['resource_class'][]> =>
  db.selectFrom('resource_class').selectAll().orderBy('name').execute()

export const findCustomClasses = (db: Db<Tables>, names: readonly string[]): Promise<Tables['resource_class'][]> =>
  names.length === 0
    ? Promise.resolve([])
    : db.selectFrom('resource_class').selectAll().where('name', 'in', names).execute()

/** False when it was there already. */
export async function insertClass(db: Db<Tables>, row: Tables['resource_class']): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('resource_class')
    .values(row)
    .onConflict(conflict => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

export async function deleteClass(db: Db<Tables>, name: string): Promise<void> {
  await db.deleteFrom('resource_class').where('name', '=', name).execute()
}

export async function providersWithClass(db: Db<Tables>, name: string): Promise<string[]> {
  const rows = await db.selectFrom('inventory').select('provider_uuid').where('resource_class', '=', name).execute()
  return rows.map(row => row.provider_uuid)
}

/** Gives a class another name wherever it stands. */
export async function renameClass(db: Db<Tables>, from: string, to: string, now: string): Promise<void> {
  await db.updateTable('resource_class').set({ name: to, updated_at: now }).where('name', '=', from).execute()
  for (const table of ['inventory', 'allocation'] as const)
    await db.updateTable(table).set({ resource_class: to }).where('resource_class', '=', from).execute()
}
