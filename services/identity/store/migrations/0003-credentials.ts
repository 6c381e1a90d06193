/** Credentials with encrypted blobs. */
import type { Migration } from '@strata/toolkit/store'

export const credentials: Migration = {
  name: '0003-credentials',
  async up(db) {
    const { schema } = db
    const key = 'varchar(64)'
    await schema
      .createTable('credentials')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('user_id', key, c => c.notNull().references('users.id').onDelete('cascade'))
      .addColumn('project_id', key, c => c.references('projects.id').onDelete('cascade'))
      .addColumn('type', 'varchar(255)', c => c.notNull())
      .addColumn('sealed_blob', 'text', c => c.notNull())
      .addColumn('extra', 'text')
      .execute()
    await schema.createIndex('credentials_user').on('credentials').columns(['user_id', 'type']).execute()
    await schema.createIndex('credentials_project').on('credentials').column('project_id').execute()
  },
}
