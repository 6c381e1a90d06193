/** Indexes in the order in which lists are read, so that a page of a list of any length reads little more than itself. */
import type { Migration } from '@strata/toolkit/store'

/** Table and columns of each; what is filtered by comes first, what is sorted by after it. */
const indexes: Readonly<Record<string, readonly [table: string, ...columns: string[]]>> = {
  users_list: ['users', 'name', 'id'],
  users_domain_enabled: ['users', 'domain_id', 'enabled', 'name', 'id'],
  users_enabled: ['users', 'enabled', 'name', 'id'],
  users_default_project: ['users', 'default_project_id'],
  projects_list: ['projects', 'is_domain', 'name', 'id'],
  projects_enabled: ['projects', 'is_domain', 'enabled', 'name', 'id'],
  projects_domain: ['projects', 'domain_id', 'is_domain', 'name', 'id'],
  projects_domain_id: ['projects', 'domain_id', 'id'],
  projects_parent_list: ['projects', 'parent_id', 'is_domain', 'name', 'id'],
  project_tags_name: ['project_tags', 'name', 'project_id'],
  user_groups_list: ['user_groups', 'name', 'id'],
  memberships_group_user: ['memberships', 'group_id', 'user_id'],
  roles_list: ['roles', 'name', 'id'],
  assignments_list: ['assignments', 'target_type', 'target_id', 'actor_id', 'actor_type', 'role_id', 'inherited'],
  assignments_role: ['assignments', ...['role_id', 'target_type', 'inherited', 'target_id', 'actor_id', 'actor_type']],
  assignments_inherited: [
    'assignments',
    ...['inherited', 'target_type', 'target_id', 'actor_id', 'actor_type', 'role_id'],
  ],
  credentials_type: ['credentials', 'type', 'id'],
  credentials_owner: ['credentials', 'user_id', 'id'],
}

export const listIndexes: Migration = {
  name: '0013-indexes',
  async up(db) {
    for (const [name, [table, ...columns]] of Object.entries(indexes))
      await db.schema.createIndex(name).on(table).columns(columns).execute()
  },
}
