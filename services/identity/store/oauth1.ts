/** Consumers of OAuth 1.0, their request and access tokens, and the nonces of their requests. */
import type { Db, Tables } from './tables.ts'

export type ConsumerRow = Tables['oauth_consumers']
export type RequestTokenRow = Tables['oauth_request_tokens']
export type AccessTokenRow = Tables['oauth_access_tokens']

export function findConsumer(db: Db, id: string): Promise<ConsumerRow | undefined> {
  return db.selectFrom('oauth_consumers').selectAll().where('id', '=', id).executeTakeFirst()
}

export function findRequestToken(db: Db, id: string): Promise<RequestTokenRow | undefined> {
  return db.selectFrom('oauth_request_tokens').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Also forgets those that have ended. */
export async function addRequestToken(db: Db, row: RequestTokenRow, now: number): Promise<void> {
  await db.deleteFrom('oauth_request_tokens').where('expires_at', '<=', now).execute()
  await db.insertInto('oauth_request_tokens').values(row).execute()
}

export async function authorizeRequestToken(
  db: Db,
  id: string,
  by: { readonly userId: string; readonly roleIds: readonly string[]; readonly verifierHash: string },
): Promise<void> {
  await db
    .updateTable('oauth_request_tokens')
    .set({
      authorizing_user_id: by.userId,
      role_ids: JSON.stringify(by.roleIds),
      verifier_hash: by.verifierHash,
    })
    .where('id', '=', id)
    .execute()
}

/** False when it was gone already. */
export async function removeRequestToken(db: Db, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('oauth_request_tokens').where('id', '=', id).executeTakeFirst()
  return numDeletedRows > 0n
}

export function findAccessToken(db: Db, id: string): Promise<AccessTokenRow | undefined> {
  return db.selectFrom('oauth_access_tokens').selectAll().where('id', '=', id).executeTakeFirst()
}

export function accessTokensOf(db: Db, userId: string): Promise<AccessTokenRow[]> {
  return db
    .selectFrom('oauth_access_tokens')
    .selectAll()
    .where('authorizing_user_id', '=', userId)
    .orderBy('id')
    .execute()
}

/** Also forgets those that have ended. */
export async function addAccessToken(db: Db, row: AccessTokenRow, now: number): Promise<void> {
  await db.deleteFrom('oauth_access_tokens').where('expires_at', '<=', now).execute()
  await db.insertInto('oauth_access_tokens').values(row).execute()
}

export async function removeAccessToken(db: Db, id: string): Promise<void> {
  await db.deleteFrom('oauth_access_tokens').where('id', '=', id).execute()
}

/** False when it was seen before. Forgets those whose requests would be refused for their age. */
export async function addNonce(db: Db, nonce: Tables['oauth_nonces'], now: number): Promise<boolean> {
  await db.deleteFrom('oauth_nonces').where('expires_at', '<', now).execute()
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto('oauth_nonces')
    .values(nonce)
    .onConflict(conflict => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows > 0n
}
