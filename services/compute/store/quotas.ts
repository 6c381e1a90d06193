/** Limits that were set for projects, for users of projects, and for everybody (the class `default`). */
import type { Kysely } from '@strata/toolkit/store'
import type { ComputeTables } from './database.ts'

type Db = Kysely<ComputeTables>
export type Limits = Readonly<Record<string, number>>

export const classOwner = (name: string): string => `class:${name}`

/** Limits of several owners at once: `[owner, user id or '']` → limits. */
export async function limitsOf(
  db: Db,
  owners: readonly (readonly [owner: string, userId: string])[],
): Promise<readonly Limits[]> {
  const rows = await db
    .selectFrom('quotas')
    .selectAll()
    .where(
      'owner',
      'in',
      owners.map(([owner]) => owner),
    )
    .execute()
  return owners.map(([owner, userId]) =>
    Object.fromEntries(
      rows
        .filter(row => row.owner === owner && row.user_id === userId)
        .map(row => [row.resource, row.hard_limit] as const),
    ),
  )
}

export async function setLimits(db: Db, owner: string, userId: string, limits: Limits): Promise<void> {
  const resources = Object.keys(limits)
  if (resources.length === 0) return
  await db
    .deleteFrom('quotas')
    .where('owner', '=', owner)
    .where('user_id', '=', userId)
    .where('resource', 'in', resources)
    .execute()
  await db
    .insertInto('quotas')
    .values(resources.map(resource => ({ owner, user_id: userId, resource, hard_limit: limits[resource]! })))
    .execute()
}

/** Removes a project's limits with those of its users; or those of one user. */
export async function removeLimits(db: Db, owner: string, userId?: string): Promise<void> {
  let query = db.deleteFrom('quotas').where('owner', '=', owner)
  if (userId !== undefined) query = query.where('user_id', '=', userId)
  await query.execute()
}
