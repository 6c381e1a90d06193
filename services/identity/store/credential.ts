/** Credentials, whose blobs are encrypted. */
import type { Db, Tables } from './tables.ts'

export type CredentialRow = Tables['credentials']

export function findCredential(db: Db, id: string): Promise<CredentialRow | undefined> {
  return db.selectFrom('credentials').selectAll().where('id', '=', id).executeTakeFirst()
}

export function credentialsOf(db: Db, userId: string, type: string): Promise<CredentialRow[]> {
  return db
    .selectFrom('credentials')
    .selectAll()
    .where('user_id', '=', userId)
    .where('type', '=', type)
    .orderBy('id')
    .execute()
}

export async function addCredential(db: Db, row: CredentialRow): Promise<void> {
  await db.insertInto('credentials').values(row).execute()
}

export async function removeCredential(db: Db, id: string): Promise<void> {
  await db.deleteFrom('credentials').where('id', '=', id).execute()
}

type Sealed = Pick<CredentialRow, 'id' | 'sealed_blob'>

export function allSealed(db: Db): Promise<Sealed[]> {
  return db.selectFrom('credentials').select(['id', 'sealed_blob']).execute()
}

/** Replaces what was read; what has changed since stays. */
export async function reseal(db: Db, row: Sealed, sealed: string): Promise<void> {
  await db
    .updateTable('credentials')
    .set({ sealed_blob: sealed })
    .where('id', '=', row.id)
    .where('sealed_blob', '=', row.sealed_blob)
    .execute()
}
