/** Registered limits and limits, by what they are about. */
import type { Db, Tables } from './tables.ts'

export type RegisteredLimitRow = Tables['registered_limits']
export type LimitRow = Tables['limits']

export function findRegisteredLimit(db: Db, uniqueness: string): Promise<RegisteredLimitRow | undefined> {
  return db.selectFrom('registered_limits').selectAll().where('uniqueness', '=', uniqueness).executeTakeFirst()
}

export function findLimit(db: Db, uniqueness: string): Promise<LimitRow | undefined> {
  return db.selectFrom('limits').selectAll().where('uniqueness', '=', uniqueness).executeTakeFirst()
}

export async function hasLimits(db: Db, registeredLimitId: string): Promise<boolean> {
  const row = await db
    .selectFrom('limits')
    .select('id')
    .where('registered_limit_id', '=', registeredLimitId)
    .executeTakeFirst()
  return row !== undefined
}

/** The limits of the projects of a domain that depart from one registered limit. */
export function limitsWithin(db: Db, domainId: string, registeredLimitId: string): Promise<LimitRow[]> {
  const projects = db.selectFrom('projects').select('id').where('domain_id', '=', domainId)
  return db
    .selectFrom('limits')
    .selectAll()
    .where('registered_limit_id', '=', registeredLimitId)
    .where('project_id', 'in', projects)
    .execute()
}
