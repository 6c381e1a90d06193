/** Flavors and who may use those that are not public. */
import { type Condition, repository } from '@strata/toolkit/resource'
import type { Kysely } from '@strata/toolkit/store'
import { type Flavor, flavor } from '../contract/flavor.ts'
import type { ComputeTables, FlavorCopy } from './database.ts'

type Db = Kysely<ComputeTables>

export const flavorRows = repository(flavor)

export const findFlavor = (db: Db, id: string): Promise<Flavor | undefined> => flavorRows.find(db, id)

/** What a server keeps of its flavor. */
export const copyOf = ({ id, name, vcpus, ram, disk, ephemeral, swap, extra_specs }: Flavor): FlavorCopy => ({
  id,
  name,
  vcpus,
  ram,
  disk,
  ephemeral,
  swap,
  extra_specs,
})

/** Flavors that a project may use: public ones, and those it was given access to. */
export const usableBy =
  (projectId: string): Condition =>
  eb =>
    eb.or([
      eb('is_public', '=', 1),
      eb('id', 'in', eb.selectFrom('flavor_access').select('flavor_id').where('project_id', '=', projectId)),
    ])

/** Projects with access, sorted. */
export async function accessOf(db: Db, flavorId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('flavor_access')
    .select('project_id')
    .where('flavor_id', '=', flavorId)
    .orderBy('project_id')
    .execute()
  return rows.map(row => row.project_id)
}

export async function addAccess(db: Db, flavorId: string, projectId: string): Promise<void> {
  await db.insertInto('flavor_access').values({ flavor_id: flavorId, project_id: projectId }).execute()
}

/** False when the project had none. */
export async function removeAccess(db: Db, flavorId: string, projectId: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('flavor_access')
    .where('flavor_id', '=', flavorId)
    .where('project_id', '=', projectId)
    .executeTakeFirst()
  return numDeletedRows > 0n
}

export async function removeFlavor(db: Db, id: string): Promise<boolean> {
  await db.deleteFrom('flavor_access').where('flavor_id', '=', id).execute()
  return flavorRows.remove(db, id)
}
