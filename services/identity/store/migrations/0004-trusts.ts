/** Trusts and the roles that they delegate. */
import type { Migration } from '@strata/toolkit/store'

export const trusts: Migration = {
  name: '0004-trusts',
  async up(db) {
    const { schema } = db
    const key = 'varchar(64)'
    await schema
      .createTable('trusts')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('trustor_user_id', key, c => c.notNull().references('users.id').onDelete('cascade'))
      .addColumn('trustee_user_id', key, c => c.notNull().references('users.id').onDelete('cascade'))
      .addColumn('project_id', key, c => c.references('projects.id').onDelete('cascade'))
      .addColumn('impersonation', 'integer', c => c.notNull())
      .addColumn('expires_at', 'varchar(32)')
      .addColumn('remaining_uses', 'integer')
      .addColumn('redelegated_trust_id', key, c => c.references('trusts.id').onDelete('cascade'))
      .addColumn('redelegation_count', 'integer', c => c.notNull())
      .execute()
    for (const column of ['trustor_user_id', 'trustee_user_id', 'project_id', 'redelegated_trust_id'])
      await schema.createIndex(`trusts_${column}`).on('trusts').columns([column]).execute()
    await schema
      .createTable('trust_roles')
      .addColumn('trust_id', key, c => c.notNull().references('trusts.id').onDelete('cascade'))
      .addColumn('role_id', key, c => c.notNull().references('roles.id').onDelete('cascade'))
      .addPrimaryKeyConstraint('trust_roles_key', ['trust_id', 'role_id'])
      .execute()
  },
}
