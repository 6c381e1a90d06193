/** Who may do what. Names and defaults are those of the field; override them in `policy.yaml`. */
import type { PolicyRule, Scope } from '@strata/toolkit/policy'

const scopes: readonly Scope[] = ['project']

const base: readonly PolicyRule[] = [
  { name: 'admin_api', check: 'role:admin', description: 'An administrator of the cloud.', scopes },
  { name: 'service_api', check: 'role:service', description: 'A service of the cloud, speaking for itself.', scopes },
  {
    name: 'admin_or_service_api',
    check: 'role:admin or role:service',
    description: 'An administrator, or a service speaking for itself.',
    scopes,
  },
  {
    name: 'project_reader_api',
    check: 'role:reader and project_id:%(project_id)s',
    description: 'A reader of the project in question.',
  },
  {
    name: 'admin_or_project_reader_or_service_api',
    check: 'role:admin or rule:project_reader_api or role:service',
    description: 'Whoever may read the project in question, an administrator or a service.',
    scopes,
  },
]

const rule = (name: string, description: string, check = 'rule:admin_or_service_api'): PolicyRule => ({
  name: `placement:${name}`,
  check,
  description,
  scopes,
})

export const policies: readonly PolicyRule[] = [
  ...base,
  rule('resource_providers:list', 'List resource providers.'),
  rule('resource_providers:create', 'Create a resource provider.'),
  rule('resource_providers:show', 'Show a resource provider.'),
  rule('resource_providers:update', 'Rename a resource provider or move it in its tree.'),
  rule('resource_providers:delete', 'Delete a resource provider.'),
  rule('resource_classes:list', 'List resource classes.'),
  rule('resource_classes:create', 'Create a custom resource class.'),
  rule('resource_classes:show', 'Show a resource class.'),
  rule('resource_classes:update', 'Create or rename a custom resource class by its name.'),
  rule('resource_classes:delete', 'Delete a custom resource class.'),
  rule('resource_providers:inventories:list', 'List the inventories of a provider.'),
  rule('resource_providers:inventories:create', 'Add one inventory to a provider.'),
  rule('resource_providers:inventories:show', 'Show one inventory of a provider.'),
  rule('resource_providers:inventories:update', 'Replace one or all inventories of a provider.'),
  rule('resource_providers:inventories:delete', 'Delete one or all inventories of a provider.'),
  rule('resource_providers:aggregates:list', 'List the aggregates of a provider.'),
  rule('resource_providers:aggregates:update', 'Replace the aggregates of a provider.'),
  rule('resource_providers:usages', 'Show what is used of a provider.'),
  rule('usages', 'Show what a project uses in all.', 'rule:admin_or_project_reader_or_service_api'),
  rule('traits:list', 'List traits.'),
  rule('traits:show', 'Ask whether a trait exists.'),
  rule('traits:update', 'Create a custom trait.'),
  rule('traits:delete', 'Delete a custom trait.'),
  rule('resource_providers:traits:list', 'List the traits of a provider.'),
  rule('resource_providers:traits:update', 'Replace the traits of a provider.'),
  rule('resource_providers:traits:delete', 'Remove all traits of a provider.'),
  rule('allocations:manage', 'Replace the allocations of several consumers at once.'),
  rule('allocations:list', 'Show the allocations of a consumer.'),
  rule('allocations:update', 'Replace the allocations of a consumer.'),
  rule('allocations:delete', 'Delete the allocations of a consumer.'),
  rule('resource_providers:allocations:list', 'List the allocations against a provider.'),
  rule('allocation_candidates:list', 'Ask where a request would fit.'),
  rule(
    'reshaper:reshape',
    'Move inventories and the allocations against them between providers at once.',
    'rule:service_api',
  ),
]
