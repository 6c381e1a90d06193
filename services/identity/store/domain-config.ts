/** Options of single domains. */
import type { Db, Tables } from './tables.ts'

export type DomainOptionRow = Tables['domain_options']

export function domainOptionRows(db: Db, domainId: string): Promise<DomainOptionRow[]> {
  return db
    .selectFrom('domain_options')
    .selectAll()
    .where('domain_id', '=', domainId)
    .orderBy('group_name')
    .orderBy('option_name')
    .execute()
}

/** Of the domain; of one group of it, or one option. */
export async function removeDomainOptions(db: Db, domainId: string, group?: string, option?: string): Promise<void> {
  let query = db.deleteFrom('domain_options').where('domain_id', '=', domainId)
  if (group !== undefined) query = query.where('group_name', '=', group)
  if (option !== undefined) query = query.where('option_name', '=', option)
  await query.execute()
}

/** Adds it, or replaces the one of that name. */
export async function setDomainOption(db: Db, row: DomainOptionRow): Promise<void> {
  await removeDomainOptions(db, row.domain_id, row.group_name, row.option_name)
  await db.insertInto('domain_options').values(row).execute()
}
