/** Who vouches for users from elsewhere, how what they say is mapped, and the users that came of it. */
import type { Migration } from '@strata/toolkit/store'

export const federation: Migration = {
  name: '0009-federation',
  async up(db) {
    const { schema } = db
    const key = 'varchar(64)'
    const name = 'varchar(255)'
    // Of users that came from elsewhere: names are unique among the users of this cloud alone.
    await schema.alterTable('users').addColumn('display_name', name).execute()
    await schema.createIndex('users_display_name').on('users').column('display_name').execute()
    await schema
      .createTable('identity_providers')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('domain_id', key, c => c.notNull().references('projects.id').onDelete('cascade'))
      .addColumn('enabled', 'integer', c => c.notNull())
      .addColumn('description', 'text')
      .addColumn('authorization_ttl', 'integer')
      .execute()
    await schema.createIndex('identity_providers_domain').on('identity_providers').column('domain_id').execute()
    await schema
      .createTable('remote_ids')
      .addColumn('remote_id', name, c => c.primaryKey())
      .addColumn('idp_id', key, c => c.notNull().references('identity_providers.id').onDelete('cascade'))
      .execute()
    await schema.createIndex('remote_ids_idp').on('remote_ids').column('idp_id').execute()
    await schema
      .createTable('mappings')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('schema_version', 'varchar(5)', c => c.notNull())
      .addColumn('rules', 'text', c => c.notNull())
      .execute()
    await schema
      .createTable('federation_protocols')
      .addColumn('idp_id', key, c => c.notNull().references('identity_providers.id').onDelete('cascade'))
      .addColumn('id', key, c => c.notNull())
      .addColumn('mapping_id', key, c => c.notNull())
      .addColumn('remote_id_attribute', key)
      .addPrimaryKeyConstraint('federation_protocols_key', ['idp_id', 'id'])
      .execute()
    await schema
      .createTable('service_providers')
      .addColumn('id', key, c => c.primaryKey())
      .addColumn('enabled', 'integer', c => c.notNull())
      .addColumn('description', 'text')
      .addColumn('auth_url', name, c => c.notNull())
      .addColumn('sp_url', name, c => c.notNull())
      .addColumn('relay_state_prefix', name, c => c.notNull())
      .execute()
    await schema
      .createTable('federated_users')
      .addColumn('idp_id', key, c => c.notNull())
      .addColumn('protocol_id', key, c => c.notNull())
      .addColumn('unique_id', name, c => c.notNull())
      .addColumn('user_id', key, c => c.notNull().references('users.id').onDelete('cascade'))
      .addColumn('display_name', name)
      .addPrimaryKeyConstraint('federated_users_key', ['idp_id', 'protocol_id', 'unique_id'])
      .addForeignKeyConstraint(
        'federated_users_protocol',
        ['idp_id', 'protocol_id'],
        'federation_protocols',
        ['idp_id', 'id'],
        c => c.onDelete('cascade'),
      )
      .execute()
    await schema.createIndex('federated_users_user').on('federated_users').column('user_id').execute()
    await schema.createIndex('federated_users_unique_id').on('federated_users').column('unique_id').execute()
    await schema
      .createTable('expiring_memberships')
      .addColumn('user_id', key, c => c.notNull().references('users.id').onDelete('cascade'))
      .addColumn('group_id', key, c => c.notNull().references('user_groups.id').onDelete('cascade'))
      .addColumn('idp_id', key, c => c.notNull().references('identity_providers.id').onDelete('cascade'))
      .addColumn('last_verified', 'bigint', c => c.notNull())
      .addPrimaryKeyConstraint('expiring_memberships_key', ['user_id', 'group_id', 'idp_id'])
      .execute()
    await schema.createIndex('expiring_memberships_group').on('expiring_memberships').column('group_id').execute()
  },
}
