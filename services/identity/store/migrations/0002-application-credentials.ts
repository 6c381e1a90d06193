/** Application credentials, the roles that they have, and access rules. */
import type { Migration } from '@strata/toolkit/store'

export const applicationCredentials: Migration = {
  name: '0002-application-credentials',
  async up(db) {
    const { schema } = db
    const key = 'varchar(64)'
    const name = 'varchar(255)'
    await schema
      .createTable('application_credentials')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('user_id', key, c => c.notNull().references('users.id').onDelete('cascade'))
      .addColumn('project_id', key, c => c.notNull().references('projects.id').onDelete('cascade'))
      .addColumn('name', name, c => c.notNull())
      .addColumn('description', 'text')
      .addColumn('hash', name, c => c.notNull())
      .addColumn('expires_at', 'varchar(32)')
      .addColumn('unrestricted', 'integer', c => c.notNull())
      .addUniqueConstraint('application_credentials_name', ['user_id', 'name'])
      .execute()
    await schema
      .createIndex('application_credentials_project')
      .on('application_credentials')
      .column('project_id')
      .execute()
    await schema
      .createTable('application_credential_roles')
      .addColumn('application_credential_id', key, c =>
        c.notNull().references('application_credentials.id').onDelete('cascade'),
      )
      .addColumn('role_id', key, c => c.notNull().references('roles.id').onDelete('cascade'))
      .addPrimaryKeyConstraint('application_credential_roles_key', ['application_credential_id', 'role_id'])
      .execute()
    await schema
      .createTable('access_rules')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('user_id', key, c => c.notNull().references('users.id').onDelete('cascade'))
      .addColumn('service', key, c => c.notNull())
      .addColumn('method', 'varchar(16)', c => c.notNull())
      .addColumn('path', 'varchar(128)', c => c.notNull())
      .addUniqueConstraint('access_rules_request', ['user_id', 'service', 'method', 'path'])
      .execute()
    await schema
      .createTable('application_credential_rules')
      .addColumn('application_credential_id', key, c =>
        c.notNull().references('application_credentials.id').onDelete('cascade'),
      )
      .addColumn('access_rule_id', key, c => c.notNull().references('access_rules.id').onDelete('cascade'))
      .addPrimaryKeyConstraint('application_credential_rules_key', ['application_credential_id', 'access_rule_id'])
      .execute()
    await schema
      .createIndex('application_credential_rules_rule')
      .on('application_credential_rules')
      .column('access_rule_id')
      .execute()
  },
}
