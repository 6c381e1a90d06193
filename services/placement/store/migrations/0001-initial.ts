import type { Kysely, Migration } from '@strata/toolkit/store'

export const initial: Migration = {
  name: '0001-initial',
  async up(db) {
    await db.schema
      .createTable('resource_provider')
      .addColumn('uuid', 'varchar(36)', c => c.primaryKey())
      .addColumn('name', 'varchar(200)', c => c.notNull().unique())
      .addColumn('generation', 'integer', c => c.notNull())
      .addColumn('parent_uuid', 'varchar(36)', c => c.references('resource_provider.uuid'))
      .addColumn('root_uuid', 'varchar(36)', c => c.notNull())
      .addColumn('created_at', 'varchar(32)', c => c.notNull())
      .addColumn('updated_at', 'varchar(32)', c => c.notNull())
      .addColumn('revision', 'bigint', c => c.notNull())
      .execute()
    for (const column of ['parent_uuid', 'root_uuid', 'revision'])
      await db.schema.createIndex(`resource_provider_${column}`).on('resource_provider').column(column).execute()
    await db.schema
      .createTable('inventory')
      .addColumn('provider_uuid', 'varchar(36)', c => c.notNull().references('resource_provider.uuid'))
      .addColumn('resource_class', 'varchar(255)', c => c.notNull())
      .addColumn('total', 'integer', c => c.notNull())
      .addColumn('reserved', 'integer', c => c.notNull())
      .addColumn('min_unit', 'integer', c => c.notNull())
      .addColumn('max_unit', 'integer', c => c.notNull())
      .addColumn('step_size', 'integer', c => c.notNull())
      .addColumn('allocation_ratio', 'double precision', c => c.notNull())
      .addColumn('updated_at', 'varchar(32)', c => c.notNull())
      .addPrimaryKeyConstraint('inventory_key', ['provider_uuid', 'resource_class'])
      .execute()
    await db.schema.createIndex('inventory_resource_class').on('inventory').column('resource_class').execute()
    await db.schema
      .createTable('provider_trait')
      .addColumn('provider_uuid', 'varchar(36)', c => c.notNull().references('resource_provider.uuid'))
      .addColumn('trait', 'varchar(255)', c => c.notNull())
      .addPrimaryKeyConstraint('provider_trait_key', ['provider_uuid', 'trait'])
      .execute()
    await db.schema.createIndex('provider_trait_trait').on('provider_trait').column('trait').execute()
    await db.schema
      .createTable('provider_aggregate')
      .addColumn('provider_uuid', 'varchar(36)', c => c.notNull().references('resource_provider.uuid'))
      .addColumn('aggregate_uuid', 'varchar(36)', c => c.notNull())
      .addPrimaryKeyConstraint('provider_aggregate_key', ['provider_uuid', 'aggregate_uuid'])
      .execute()
    for (const [table, time] of [
      ['trait', 'created_at'],
      ['resource_class', 'updated_at'],
    ] as const)
      await db.schema
        .createTable(table)
        .addColumn('name', 'varchar(255)', c => c.primaryKey())
        .addColumn(time, 'varchar(32)', c => c.notNull())
        .execute()
    await db.schema
      .createTable('consumer')
      .addColumn('uuid', 'varchar(36)', c => c.primaryKey())
      .addColumn('project_id', 'varchar(255)', c => c.notNull())
      .addColumn('user_id', 'varchar(255)', c => c.notNull())
      .addColumn('type', 'varchar(255)')
      .addColumn('generation', 'integer', c => c.notNull())
      .execute()
    await db.schema.createIndex('consumer_owner').on('consumer').columns(['project_id', 'user_id']).execute()
    await db.schema
      .createTable('allocation')
      .addColumn('consumer_uuid', 'varchar(36)', c => c.notNull().references('consumer.uuid'))
      .addColumn('provider_uuid', 'varchar(36)', c => c.notNull().references('resource_provider.uuid'))
      .addColumn('resource_class', 'varchar(255)', c => c.notNull())
      .addColumn('used', 'integer', c => c.notNull())
      .addColumn('created_at', 'varchar(32)', c => c.notNull())
      .addPrimaryKeyConstraint('allocation_key', ['consumer_uuid', 'provider_uuid', 'resource_class'])
      .execute()
    await db.schema
      .createIndex('allocation_provider')
      .on('allocation')
      .columns(['provider_uuid', 'resource_class', 'used'])
      .execute()
    await db.schema
      .createTable('revision')
      .addColumn('id', 'integer', c => c.primaryKey())
      .addColumn('value', 'bigint', c => c.notNull())
      .execute()
    await (db as Kysely<{ revision: { id: number; value: number } }>)
      .insertInto('revision')
      .values({ id: 1, value: 0 })
      .execute()
    await db.schema
      .createTable('deleted_provider')
      .addColumn('uuid', 'varchar(36)', c => c.primaryKey())
      .addColumn('revision', 'bigint', c => c.notNull())
      .execute()
    await db.schema.createIndex('deleted_provider_revision').on('deleted_provider').column('revision').execute()
  },
}
