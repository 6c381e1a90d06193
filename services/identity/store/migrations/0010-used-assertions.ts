/** Assertions of identity providers that were used. */
import type { Migration } from '@strata/toolkit/store'

export const usedAssertions: Migration = {
  name: '0010-used-assertions',
  async up({ schema }) {
    await schema
      .createTable('used_assertions')
      .addColumn('id', 'varchar(64)', c => c.primaryKey())
      .addColumn('expires_at', 'bigint', c => c.notNull())
      .execute()
    await schema.createIndex('used_assertions_expires').on('used_assertions').column('expires_at').execute()
  },
}
