/** Policies' associations with endpoints, services and regions. */
import type { Db, Tables } from './tables.ts'

export type PolicyRow = Tables['policies']
export type PolicyAssociation = Tables['policy_associations']

export function findPolicy(db: Db, id: string): Promise<PolicyRow | undefined> {
  return db.selectFrom('policies').selectAll().where('id', '=', id).executeTakeFirst()
}

export function allPolicyAssociations(db: Db): Promise<PolicyAssociation[]> {
  return db.selectFrom('policy_associations').selectAll().execute()
}

/** In the place of what the target was associated with. */
export async function associatePolicy(db: Db, row: PolicyAssociation): Promise<void> {
  await db.deleteFrom('policy_associations').where('target', '=', row.target).execute()
  await db.insertInto('policy_associations').values(row).execute()
}

export async function hasPolicyAssociation(db: Db, target: string, policyId: string): Promise<boolean> {
  const row = await db
    .selectFrom('policy_associations')
    .select('target')
    .where('target', '=', target)
    .where('policy_id', '=', policyId)
    .executeTakeFirst()
  return row !== undefined
}

export async function dissociatePolicy(db: Db, target: string, policyId: string): Promise<void> {
  await db.deleteFrom('policy_associations').where('target', '=', target).where('policy_id', '=', policyId).execute()
}

export function regionParents(db: Db): Promise<{ id: string; parent_region_id: string | null }[]> {
  return db.selectFrom('regions').select(['id', 'parent_region_id']).execute()
}
