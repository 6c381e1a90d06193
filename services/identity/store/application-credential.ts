/** Application credentials with their roles, and the access rules of users. */
import type { Db, Tables } from './tables.ts'

export type ApplicationCredentialRow = Tables['application_credentials']
export type AccessRuleRow = Tables['access_rules']

export function findApplicationCredential(db: Db, id: string): Promise<ApplicationCredentialRow | undefined> {
  return db.selectFrom('application_credentials').selectAll().where('id', '=', id).executeTakeFirst()
}

export function applicationCredentialsOf(db: Db, userId: string, name?: string): Promise<ApplicationCredentialRow[]> {
  const query = db.selectFrom('application_credentials').selectAll().where('user_id', '=', userId)
  return (name === undefined ? query : query.where('name', '=', name)).orderBy('name').execute()
}

export async function addApplicationCredential(
  db: Db,
  row: ApplicationCredentialRow,
  roleIds: readonly string[],
  ruleIds: readonly string[],
): Promise<void> {
  await db.insertInto('application_credentials').values(row).execute()
  const application_credential_id = row.id
  if (roleIds.length > 0)
    await db
      .insertInto('application_credential_roles')
      .values(roleIds.map(role_id => ({ application_credential_id, role_id })))
      .execute()
  if (ruleIds.length > 0)
    await db
      .insertInto('application_credential_rules')
      .values(ruleIds.map(access_rule_id => ({ application_credential_id, access_rule_id })))
      .execute()
}

export async function removeApplicationCredential(db: Db, id: string): Promise<void> {
  await db.deleteFrom('application_credentials').where('id', '=', id).execute()
}

/** Those by which a user reaches a project. */
export async function removeApplicationCredentialsOn(db: Db, userId: string, projectId: string): Promise<void> {
  await db
    .deleteFrom('application_credentials')
    .where('user_id', '=', userId)
    .where('project_id', '=', projectId)
    .execute()
}

export async function roleIdsOf(db: Db, id: string): Promise<string[]> {
  const rows = await db
    .selectFrom('application_credential_roles')
    .select('role_id')
    .where('application_credential_id', '=', id)
    .execute()
  return rows.map(row => row.role_id)
}

/** The rules of one credential. */
export function rulesOf(db: Db, id: string): Promise<AccessRuleRow[]> {
  return db
    .selectFrom('access_rules')
    .innerJoin('application_credential_rules as link', 'link.access_rule_id', 'access_rules.id')
    .selectAll('access_rules')
    .where('link.application_credential_id', '=', id)
    .orderBy('access_rules.id')
    .execute()
}

export function accessRulesOf(db: Db, userId: string): Promise<AccessRuleRow[]> {
  return db.selectFrom('access_rules').selectAll().where('user_id', '=', userId).orderBy('id').execute()
}

export function findAccessRule(db: Db, userId: string, id: string): Promise<AccessRuleRow | undefined> {
  return db.selectFrom('access_rules').selectAll().where('user_id', '=', userId).where('id', '=', id).executeTakeFirst()
}

/** The id of the user's rule for that request, made when there is none. */
export async function ensureAccessRule(db: Db, rule: AccessRuleRow): Promise<string> {
  const known = await db
    .selectFrom('access_rules')
    .select('id')
    .where('user_id', '=', rule.user_id)
    .where('service', '=', rule.service)
    .where('method', '=', rule.method)
    .where('path', '=', rule.path)
    .executeTakeFirst()
  if (known) return known.id
  await db.insertInto('access_rules').values(rule).execute()
  return rule.id
}

export async function isRuleInUse(db: Db, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('application_credential_rules')
    .select('access_rule_id')
    .where('access_rule_id', '=', id)
    .executeTakeFirst()
  return row !== undefined
}

export async function removeAccessRule(db: Db, id: string): Promise<void> {
  await db.deleteFrom('access_rules').where('id', '=', id).execute()
}
