/** Tags of whatever resource, by its id. */
import type { Condition } from '@strata/toolkit/resource'
import type { NetworkDb } from './database.ts'

export async function tagsOf(db: NetworkDb, ids: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  if (ids.length === 0) return found
  const rows = await db.selectFrom('tags').selectAll().where('resource_id', 'in', ids).orderBy('tag').execute()
  for (const { resource_id, tag } of rows) found.set(resource_id, [...(found.get(resource_id) ?? []), tag])
  return found
}

export async function setTags(db: NetworkDb, id: string, tags: readonly string[]): Promise<void> {
  await db.deleteFrom('tags').where('resource_id', '=', id).execute()
  if (tags.length > 0)
    await db
      .insertInto('tags')
      .values([...new Set(tags)].map(tag => ({ resource_id: id, tag })))
      .execute()
}

/** Resources that have all (any) of the tags; `negate` for those that don't. */
export function tagged(tags: readonly string[], match: 'all' | 'any', negate: boolean): Condition {
  return eb => {
    const ids = eb
      .selectFrom('tags')
      .select('resource_id')
      .where('tag', 'in', tags)
      .groupBy('resource_id')
      .having(eb.fn.countAll(), '>=', match === 'all' ? tags.length : 1)
    return eb('id', negate ? 'not in' : 'in', ids)
  }
}
