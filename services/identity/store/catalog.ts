/** Services and endpoints, as the catalog of a token is made from them. */
import type { Db, Tables } from './tables.ts'

export type ServiceRow = Tables['services']
export type EndpointRow = Tables['endpoints']

export function allServices(db: Db): Promise<ServiceRow[]> {
  return db.selectFrom('services').selectAll().orderBy('type').orderBy('id').execute()
}

export function allEndpoints(db: Db): Promise<EndpointRow[]> {
  return db.selectFrom('endpoints').selectAll().orderBy('interface').orderBy('id').execute()
}

export async function regionExists(db: Db, id: string): Promise<boolean> {
  return (await db.selectFrom('regions').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
}

export async function addRegion(db: Db, id: string): Promise<void> {
  await db.insertInto('regions').values({ id, description: '', parent_region_id: null, extra: null }).execute()
}

export async function parentOfRegion(db: Db, id: string): Promise<string | null> {
  const row = await db.selectFrom('regions').select('parent_region_id').where('id', '=', id).executeTakeFirst()
  return row?.parent_region_id ?? null
}

/** True when endpoints or other regions still name it. */
export async function regionInUse(db: Db, id: string): Promise<boolean> {
  const endpoint = await db.selectFrom('endpoints').select('id').where('region_id', '=', id).executeTakeFirst()
  const child = await db.selectFrom('regions').select('id').where('parent_region_id', '=', id).executeTakeFirst()
  return endpoint !== undefined || child !== undefined
}

export async function serviceExists(db: Db, id: string): Promise<boolean> {
  return (await db.selectFrom('services').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
}
