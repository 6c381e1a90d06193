/** Registered limits, and limits of projects and domains. */
import type { Migration } from '@strata/toolkit/store'

export const limits: Migration = {
  name: '0005-limits',
  async up(db) {
    const { schema } = db
    const key = 'varchar(64)'
    const name = 'varchar(255)'
    await schema
      .createTable('registered_limits')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('service_id', key, c => c.notNull().references('services.id').onDelete('cascade'))
      .addColumn('region_id', name, c => c.references('regions.id').onDelete('cascade'))
      .addColumn('resource_name', name, c => c.notNull())
      .addColumn('default_limit', 'integer', c => c.notNull())
      .addColumn('description', 'text')
      .addColumn('uniqueness', key, c => c.notNull().unique())
      .execute()
    await schema
      .createTable('limits')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('project_id', key, c => c.references('projects.id').onDelete('cascade'))
      .addColumn('domain_id', key, c => c.references('projects.id').onDelete('cascade'))
      .addColumn('service_id', key, c => c.notNull())
      .addColumn('region_id', name)
      .addColumn('resource_name', name, c => c.notNull())
      .addColumn('resource_limit', 'integer', c => c.notNull())
      .addColumn('description', 'text')
      .addColumn('registered_limit_id', key, c => c.notNull().references('registered_limits.id').onDelete('cascade'))
      .addColumn('uniqueness', key, c => c.notNull().unique())
      .execute()
    for (const column of ['project_id', 'domain_id', 'registered_limit_id'])
      await schema.createIndex(`limits_${column}`).on('limits').columns([column]).execute()
  },
}
