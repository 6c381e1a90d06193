/** Consumers, request tokens and access tokens of OAuth 1.0, nonces that were seen; what else may be revoked. */
import type { Migration } from '@strata/toolkit/store'

export const oauth: Migration = {
  name: '0011-oauth',
  async up(db) {
    const { schema } = db
    const key = 'varchar(64)'
    await schema
      .createTable('oauth_consumers')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('description', 'text')
      .addColumn('sealed_secret', 'text', c => c.notNull())
      .addColumn('extra', 'text')
      .execute()
    await schema
      .createTable('oauth_request_tokens')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('sealed_secret', 'text', c => c.notNull())
      .addColumn('consumer_id', key, c => c.notNull().references('oauth_consumers.id').onDelete('cascade'))
      .addColumn('project_id', key, c => c.notNull().references('projects.id').onDelete('cascade'))
      .addColumn('authorizing_user_id', key, c => c.references('users.id').onDelete('cascade'))
      .addColumn('verifier_hash', key)
      .addColumn('role_ids', 'text', c => c.notNull())
      .addColumn('expires_at', 'bigint')
      .execute()
    await schema
      .createTable('oauth_access_tokens')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('sealed_secret', 'text', c => c.notNull())
      .addColumn('consumer_id', key, c => c.notNull().references('oauth_consumers.id').onDelete('cascade'))
      .addColumn('project_id', key, c => c.notNull().references('projects.id').onDelete('cascade'))
      .addColumn('authorizing_user_id', key, c => c.notNull().references('users.id').onDelete('cascade'))
      .addColumn('role_ids', 'text', c => c.notNull())
      .addColumn('expires_at', 'bigint')
      .execute()
    for (const table of ['oauth_request_tokens', 'oauth_access_tokens'])
      for (const column of ['consumer_id', 'project_id', 'authorizing_user_id', 'expires_at'])
        await schema.createIndex(`${table}_${column}`).on(table).columns([column]).execute()
    await schema
      .createTable('oauth_nonces')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('expires_at', 'bigint', c => c.notNull())
      .execute()
    await schema.createIndex('oauth_nonces_expires_at').on('oauth_nonces').column('expires_at').execute()
    for (const column of ['audit_chain_id', 'trust_id', 'consumer_id', 'access_token_id']) {
      await schema.alterTable('revocations').addColumn(column, key).execute()
      await schema.createIndex(`revocations_${column}`).on('revocations').column(column).execute()
    }
    await schema.createIndex('revocations_issued_before').on('revocations').column('issued_before').execute()
  },
}
