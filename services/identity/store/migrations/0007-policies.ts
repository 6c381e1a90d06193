/** Policies, and what they are associated with. */
import type { Migration } from '@strata/toolkit/store'

export const policies: Migration = {
  name: '0007-policies',
  async up(db) {
    const { schema } = db
    const key = 'varchar(64)'
    await schema
      .createTable('policies')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('type', 'varchar(255)', c => c.notNull())
      .addColumn('blob', 'text', c => c.notNull())
      .addColumn('extra', 'text')
      .execute()
    await schema
      .createTable('policy_associations')
      // Of the endpoint, service, or service and region: each can have one policy only.
      .addColumn('target', 'varchar(400)', c => c.primaryKey())
      .addColumn('policy_id', key, c => c.notNull().references('policies.id').onDelete('cascade'))
      .addColumn('endpoint_id', key, c => c.references('endpoints.id').onDelete('cascade'))
      .addColumn('service_id', key, c => c.references('services.id').onDelete('cascade'))
      .addColumn('region_id', 'varchar(255)', c => c.references('regions.id').onDelete('cascade'))
      .execute()
    await schema.createIndex('policy_associations_policy').on('policy_associations').column('policy_id').execute()
  },
}
