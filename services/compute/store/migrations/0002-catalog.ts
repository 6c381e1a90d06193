/** What surrounds servers: flavors, key pairs, quotas, aggregates and server groups. */
import type { Migration } from '@strata/toolkit/store'

export const catalog: Migration = {
  name: '0002-catalog',
  async up(db) {
    await db.schema
      .createTable('flavors')
      .addColumn('id', 'varchar(255)', c => c.primaryKey())
      .addColumn('name', 'varchar(255)', c => c.notNull().unique())
      .addColumn('description', 'text')
      .addColumn('vcpus', 'integer', c => c.notNull())
      .addColumn('ram', 'integer', c => c.notNull())
      .addColumn('disk', 'integer', c => c.notNull())
      .addColumn('ephemeral', 'integer', c => c.notNull())
      .addColumn('swap', 'integer', c => c.notNull())
      .addColumn('rxtx_factor', 'double precision', c => c.notNull())
      .addColumn('is_public', 'integer', c => c.notNull())
      .addColumn('disabled', 'integer', c => c.notNull())
      .addColumn('extra_specs', 'text', c => c.notNull())
      .addColumn('created_at', 'varchar(32)', c => c.notNull())
      .addColumn('updated_at', 'varchar(32)')
      .execute()
    await db.schema
      .createTable('flavor_access')
      .addColumn('flavor_id', 'varchar(255)', c => c.notNull())
      .addColumn('project_id', 'varchar(255)', c => c.notNull())
      .addPrimaryKeyConstraint('flavor_access_key', ['flavor_id', 'project_id'])
      .execute()
    await db.schema
      .createTable('keypairs')
      .addColumn('user_id', 'varchar(64)', c => c.notNull())
      .addColumn('name', 'varchar(255)', c => c.notNull())
      .addColumn('number', 'integer', c => c.notNull().unique())
      .addColumn('type', 'varchar(16)', c => c.notNull())
      .addColumn('public_key', 'text', c => c.notNull())
      .addColumn('fingerprint', 'varchar(128)', c => c.notNull())
      .addColumn('created_at', 'varchar(32)', c => c.notNull())
      .addPrimaryKeyConstraint('keypairs_key', ['user_id', 'name'])
      .execute()
    await db.schema
      .createTable('quotas')
      .addColumn('owner', 'varchar(255)', c => c.notNull())
      .addColumn('user_id', 'varchar(64)', c => c.notNull())
      .addColumn('resource', 'varchar(64)', c => c.notNull())
      .addColumn('hard_limit', 'integer', c => c.notNull())
      .addPrimaryKeyConstraint('quotas_key', ['owner', 'user_id', 'resource'])
      .execute()
    await db.schema
      .createTable('aggregates')
      .addColumn('id', 'integer', c => c.primaryKey())
      .addColumn('uuid', 'varchar(36)', c => c.notNull().unique())
      .addColumn('name', 'varchar(255)', c => c.notNull().unique())
      .addColumn('metadata', 'text', c => c.notNull())
      .addColumn('hosts', 'text', c => c.notNull())
      .addColumn('created_at', 'varchar(32)', c => c.notNull())
      .addColumn('updated_at', 'varchar(32)')
      .execute()
    await db.schema
      .createTable('server_groups')
      .addColumn('id', 'varchar(36)', c => c.primaryKey())
      .addColumn('project_id', 'varchar(64)', c => c.notNull())
      .addColumn('user_id', 'varchar(64)', c => c.notNull())
      .addColumn('name', 'varchar(255)', c => c.notNull())
      .addColumn('policy', 'varchar(32)', c => c.notNull())
      .addColumn('rules', 'text', c => c.notNull())
      .addColumn('created_at', 'varchar(32)', c => c.notNull())
      .execute()
    await db.schema.createIndex('server_groups_project').on('server_groups').columns(['project_id', 'id']).execute()
    await db.schema.createIndex('servers_group').on('servers').column('server_group_id').execute()
  },
}
