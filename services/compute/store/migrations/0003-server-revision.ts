/** Tells whether a server has changed since it was read. */
import type { Migration } from '@strata/toolkit/store'

export const serverRevision: Migration = {
  name: '0003-server-revision',
  async up(db) {
    await db.schema
      .alterTable('servers')
      .addColumn('revision', 'integer', c => c.notNull().defaultTo(0))
      .execute()
  },
}
