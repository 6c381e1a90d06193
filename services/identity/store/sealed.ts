/** Whatever the database keeps encrypted, for encrypting it anew under another key. */
import type { Db } from './tables.ts'

/** Replaces what was read by what `seal` makes of it; what has changed since stays. */
export async function resealAll(db: Db, seal: (sealed: string) => string): Promise<void> {
  for (const { id, sealed_blob } of await db.selectFrom('credentials').select(['id', 'sealed_blob']).execute())
    await db
      .updateTable('credentials')
      .set({ sealed_blob: seal(sealed_blob) })
      .where('id', '=', id)
      .where('sealed_blob', '=', sealed_blob)
      .execute()
  for (const table of ['oauth_consumers', 'oauth_request_tokens', 'oauth_access_tokens'] as const)
    for (const { id, sealed_secret } of await db.selectFrom(table).select(['id', 'sealed_secret']).execute())
      await db
        .updateTable(table)
        .set({ sealed_secret: seal(sealed_secret) })
        .where('id', '=', id)
        .where('sealed_secret', '=', sealed_secret)
        .execute()
  for (const row of await db.selectFrom('domain_options').selectAll().where('sealed', '=', 1).execute())
    await db
      .updateTable('domain_options')
      .set({ value: seal(row.value) })
      .where('domain_id', '=', row.domain_id)
      .where('group_name', '=', row.group_name)
      .where('option_name', '=', row.option_name)
      .where('value', '=', row.value)
      .execute()
}
