/** Groups of endpoints, and which projects have which endpoints and groups. */
import type { Migration } from '@strata/toolkit/store'

export const endpointFilters: Migration = {
  name: '0006-endpoint-filters',
  async up(db) {
    const { schema } = db
    const key = 'varchar(64)'
    await schema
      .createTable('endpoint_groups')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('name', 'varchar(255)', c => c.notNull())
      .addColumn('description', 'text')
      .addColumn('filters', 'text', c => c.notNull())
      .execute()
    for (const [table, column, of] of [
      ['project_endpoints', 'endpoint_id', 'endpoints.id'],
      ['project_endpoint_groups', 'endpoint_group_id', 'endpoint_groups.id'],
    ] as const) {
      await schema
        .createTable(table)
        .addColumn('project_id', key, c => c.notNull().references('projects.id').onDelete('cascade'))
        .addColumn(column, key, c => c.notNull().references(of).onDelete('cascade'))
        .addPrimaryKeyConstraint(`${table}_key`, ['project_id', column])
        .execute()
      await schema.createIndex(`${table}_${column}`).on(table).columns([column]).execute()
    }
  },
}
