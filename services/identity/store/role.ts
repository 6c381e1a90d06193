/** Roles, and which implies which. */
import type { Db, Tables } from './tables.ts'

export type RoleRow = Tables['roles']
export type Implication = Tables['implied_roles']

/** What `name_scope` of a role without a domain holds. */
export const globalScope = 'global'

export function findRole(db: Db, id: string): Promise<RoleRow | undefined> {
  return db.selectFrom('roles').selectAll().where('id', '=', id).executeTakeFirst()
}

export function findRoleByName(db: Db, name: string, scope = globalScope): Promise<RoleRow | undefined> {
  return db.selectFrom('roles').selectAll().where('name_scope', '=', scope).where('name', '=', name).executeTakeFirst()
}

export function allRoles(db: Db): Promise<RoleRow[]> {
  return db.selectFrom('roles').selectAll().orderBy('name').execute()
}

export function implications(db: Db): Promise<Implication[]> {
  return db.selectFrom('implied_roles').selectAll().execute()
}

/** True when it was not there before. */
export async function addImplication(db: Db, rule: Implication): Promise<boolean> {
  const known = await implications(db)
  if (known.some(one => one.prior_role_id === rule.prior_role_id && one.implied_role_id === rule.implied_role_id))
    return false
  await db.insertInto('implied_roles').values(rule).execute()
  return true
}

/** False when there was none. */
export async function removeImplication(db: Db, rule: Implication): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('implied_roles')
    .where('prior_role_id', '=', rule.prior_role_id)
    .where('implied_role_id', '=', rule.implied_role_id)
    .executeTakeFirst()
  return numDeletedRows > 0n
}
