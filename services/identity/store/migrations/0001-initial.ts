/** The tables of the first version. */
import type { Migration } from '@strata/toolkit/store'

export const initial: Migration = {
  name: '0001-initial',
  async up(db) {
    const { schema } = db
    const key = 'varchar(64)'
    const name = 'varchar(255)'
    await schema
      .createTable('projects')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('name', name, c => c.notNull())
      .addColumn('name_scope', key, c => c.notNull())
      .addColumn('domain_id', key, c => c.references('projects.id').onDelete('cascade'))
      .addColumn('parent_id', key)
      .addColumn('is_domain', 'integer', c => c.notNull())
      .addColumn('description', 'text')
      .addColumn('enabled', 'integer', c => c.notNull())
      .addColumn('options', 'text', c => c.notNull())
      .addColumn('extra', 'text')
      .addUniqueConstraint('projects_name', ['name_scope', 'name'])
      .execute()
    await schema.createIndex('projects_parent').on('projects').column('parent_id').execute()
    await schema
      .createTable('project_tags')
      .addColumn('project_id', key, c => c.notNull().references('projects.id').onDelete('cascade'))
      .addColumn('name', name, c => c.notNull())
      .addPrimaryKeyConstraint('project_tags_key', ['project_id', 'name'])
      .execute()
    await schema
      .createTable('users')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('name', name, c => c.notNull())
      .addColumn('domain_id', key, c => c.notNull().references('projects.id').onDelete('cascade'))
      .addColumn('enabled', 'integer', c => c.notNull())
      .addColumn('default_project_id', key)
      .addColumn('options', 'text', c => c.notNull())
      .addColumn('password_expires_at', 'varchar(32)')
      .addColumn('extra', 'text')
      .addUniqueConstraint('users_name', ['domain_id', 'name'])
      .execute()
    await schema
      .createTable('passwords')
      .addColumn('user_id', key, c => c.primaryKey().references('users.id').onDelete('cascade'))
      .addColumn('hash', name, c => c.notNull())
      .execute()
    await schema
      .createTable('user_groups')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('name', name, c => c.notNull())
      .addColumn('domain_id', key, c => c.notNull().references('projects.id').onDelete('cascade'))
      .addColumn('description', 'text')
      .addColumn('extra', 'text')
      .addUniqueConstraint('user_groups_name', ['domain_id', 'name'])
      .execute()
    await schema
      .createTable('memberships')
      .addColumn('user_id', key, c => c.notNull().references('users.id').onDelete('cascade'))
      .addColumn('group_id', key, c => c.notNull().references('user_groups.id').onDelete('cascade'))
      .addPrimaryKeyConstraint('memberships_key', ['user_id', 'group_id'])
      .execute()
    await schema.createIndex('memberships_group').on('memberships').column('group_id').execute()
    await schema
      .createTable('roles')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('name', name, c => c.notNull())
      .addColumn('name_scope', key, c => c.notNull())
      .addColumn('domain_id', key, c => c.references('projects.id').onDelete('cascade'))
      .addColumn('description', 'text')
      .addColumn('options', 'text', c => c.notNull())
      .addColumn('extra', 'text')
      .addUniqueConstraint('roles_name', ['name_scope', 'name'])
      .execute()
    await schema
      .createTable('implied_roles')
      .addColumn('prior_role_id', key, c => c.notNull().references('roles.id').onDelete('cascade'))
      .addColumn('implied_role_id', key, c => c.notNull().references('roles.id').onDelete('cascade'))
      .addPrimaryKeyConstraint('implied_roles_key', ['prior_role_id', 'implied_role_id'])
      .execute()
    await schema
      .createTable('assignments')
      .addColumn('actor_type', 'varchar(8)', c => c.notNull())
      .addColumn('actor_id', key, c => c.notNull())
      .addColumn('target_type', 'varchar(8)', c => c.notNull())
      .addColumn('target_id', key, c => c.notNull())
      .addColumn('role_id', key, c => c.notNull().references('roles.id').onDelete('cascade'))
      .addColumn('inherited', 'integer', c => c.notNull())
      .addPrimaryKeyConstraint('assignments_key', [
        'actor_id',
        'actor_type',
        'target_type',
        'target_id',
        'role_id',
        'inherited',
      ])
      .execute()
    await schema.createIndex('assignments_target').on('assignments').columns(['target_id', 'target_type']).execute()
    await schema
      .createTable('regions')
      .addColumn('id', name, c => c.primaryKey())
      .addColumn('description', 'text')
      .addColumn('parent_region_id', name)
      .addColumn('extra', 'text')
      .execute()
    await schema
      .createTable('services')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('type', name, c => c.notNull())
      .addColumn('name', name, c => c.notNull().defaultTo(''))
      .addColumn('description', 'text')
      .addColumn('enabled', 'integer', c => c.notNull())
      .addColumn('extra', 'text')
      .execute()
    await schema
      .createTable('endpoints')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('interface', 'varchar(8)', c => c.notNull())
      .addColumn('service_id', key, c => c.notNull().references('services.id').onDelete('cascade'))
      .addColumn('region_id', name, c => c.references('regions.id'))
      .addColumn('url', 'text', c => c.notNull())
      .addColumn('enabled', 'integer', c => c.notNull())
      .addColumn('extra', 'text')
      .execute()
    await schema
      .createTable('revocations')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('audit_id', key)
      .addColumn('user_id', key)
      .addColumn('project_id', key)
      .addColumn('domain_id', key)
      .addColumn('issued_before', 'bigint', c => c.notNull())
      .addColumn('expires_at', 'bigint', c => c.notNull())
      .execute()
    for (const column of ['audit_id', 'user_id', 'project_id', 'domain_id', 'expires_at'])
      await schema.createIndex(`revocations_${column}`).on('revocations').columns([column]).execute()
  },
}
