/** Configuration of single domains, and which local ids of their directories stand behind which users and groups. */
import type { Migration } from '@strata/toolkit/store'

export const domainConfigs: Migration = {
  name: '0012-domain-configs',
  async up(db) {
    const { schema } = db
    const key = 'varchar(64)'
    await schema
      .createTable('domain_options')
      .addColumn('domain_id', key, c => c.notNull().references('projects.id').onDelete('cascade'))
      .addColumn('group_name', key, c => c.notNull())
      .addColumn('option_name', key, c => c.notNull())
      .addColumn('value', 'text', c => c.notNull())
      .addColumn('sealed', 'integer', c => c.notNull())
      .addPrimaryKeyConstraint('domain_options_key', ['domain_id', 'group_name', 'option_name'])
      .execute()
    await schema
      .createTable('id_mappings')
      .addColumn('public_id', key, c => c.primaryKey())
      .addColumn('domain_id', key, c => c.notNull().references('projects.id').onDelete('cascade'))
      .addColumn('entity_type', 'varchar(8)', c => c.notNull())
      .addColumn('local_id', 'varchar(255)', c => c.notNull())
      .addColumn('gone', 'integer', c => c.notNull())
      .addUniqueConstraint('id_mappings_local', ['domain_id', 'entity_type', 'local_id'])
      .execute()
  },
}
