/** Rows of resource providers and of their aggregates. */
import type { Db } from '@strata/toolkit/store'
import type { Tables } from './tables.ts'

export type ProviderRow = Tables['resource_provider']

export const findProvider = (db: Db<Tables>, uuid: string): Promise<ProviderRow | undefined> =>
  db.selectFrom('resource_provider').selectAll().where('uuid', '=', uuid).executeTakeFirst()

export const findProviders = (db: Db<Tables>, uuids: readonly string[]): Promise<ProviderRow[]> =>
  uuids.length === 0
    ? Promise.resolve([])
    : db.selectFrom('resource_provider').selectAll().where('uuid', 'in', uuids).execute()

/** All providers of a tree, by its root. */
export const findTree = (db: Db<Tables>, root: string): Promise<ProviderRow[]> =>
  db.selectFrom('resource_provider').selectAll().where('root_uuid', '=', root).execute()

export async function hasChildren(db: Db<Tables>, uuid: string): Promise<boolean> {
  const found = await db
    .selectFrom('resource_provider')
    .select('uuid')
    .where('parent_uuid', '=', uuid)
    .limit(1)
    .executeTakeFirst()
  return found !== undefined
}

/** Which of `uuid:` and `name:` another provider has already. */
export async function findDuplicates(
  db: Db<Tables>,
  wanted: { readonly uuid?: string; readonly name: string },
): Promise<readonly ('uuid' | 'name')[]> {
  const rows = await db
    .selectFrom('resource_provider')
    .select(['uuid', 'name'])
    .where(eb => eb.or([eb('name', '=', wanted.name), eb('uuid', '=', wanted.uuid ?? '')]))
    .execute()
  return (['uuid', 'name'] as const).filter(key => rows.some(row => row[key] === wanted[key]))
}

export async function insertProvider(db: Db<Tables>, row: ProviderRow): Promise<void> {
  await db.insertInto('resource_provider').values(row).execute()
}

export async function updateProvider(
  db: Db<Tables>,
  uuid: string,
  values: Partial<Pick<ProviderRow, 'name' | 'parent_uuid' | 'root_uuid' | 'updated_at'>>,
): Promise<void> {
  await db.updateTable('resource_provider').set(values).where('uuid', '=', uuid).execute()
}

/** One generation on from the one that was read; false when somebody else was faster. */
export async function advanceProvider(
  db: Db<Tables>,
  seen: Pick<ProviderRow, 'uuid' | 'generation'>,
  now: string,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('resource_provider')
    .set({ generation: seen.generation + 1, updated_at: now })
    .where('uuid', '=', seen.uuid)
    .where('generation', '=', seen.generation)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Removes a provider with its inventories, traits and aggregates; allocations against it must be gone. */
export async function deleteProvider(db: Db<Tables>, uuid: string): Promise<void> {
  for (const table of ['inventory', 'provider_trait', 'provider_aggregate'] as const)
    await db.deleteFrom(table).where('provider_uuid', '=', uuid).execute()
  await db.deleteFrom('resource_provider').where('uuid', '=', uuid).execute()
}

export async function listAggregates(db: Db<Tables>, provider: string): Promise<string[]> {
  const rows = await db
    .selectFrom('provider_aggregate')
    .select('aggregate_uuid')
    .where('provider_uuid', '=', provider)
    .orderBy('aggregate_uuid')
    .execute()
  return rows.map(row => row.aggregate_uuid)
}

export async function replaceAggregates(
  db: Db<Tables>,
  provider: string,
  aggregates: readonly string[],
): Promise<void> {
  await db.deleteFrom('provider_aggregate').where('provider_uuid', '=', provider).execute()
  if (aggregates.length > 0)
    await db
      .insertInto('provider_aggregate')
      .values(aggregates.map(aggregate_uuid => ({ provider_uuid: provider, aggregate_uuid })))
      .execute()
}
