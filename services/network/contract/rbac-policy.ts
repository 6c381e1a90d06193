/**
 * An RBAC policy: a network shared with one project, or (`*`) with all; or external for it: it may have routers' gateways and
 * floating IPs there.
 */
import { resource } from '@strata/toolkit/resource'
import { oneOf, text, uuid } from '@strata/toolkit/schema'
import { aliases, fieldRule, projectField } from './standard.ts'

/** In `target_tenant`: every project. */
export const EVERYBODY = '*'

export const SHARED = 'access_as_shared'
export const EXTERNAL = 'access_as_external'

export const rbacPolicy = resource({
  name: 'rbac_policy',
  plural: 'rbac_policies',
  path: '/v2.0/rbac-policies',
  table: 'rbac_policies',
  fields: {
    id: uuid().readOnly().filterable().sortable(),
    project_id: projectField,
    object_type: oneOf('network').immutable().filterable().sortable(),
    object_id: uuid().immutable().filterable().sortable(),
    action: oneOf(SHARED, EXTERNAL).immutable().filterable().sortable(),
    target_tenant: text({ minLength: 1, maxLength: 255 }).filterable().sortable(),
  },
  policy: {
    list: 'get_rbac_policy',
    show: 'get_rbac_policy',
    create: 'create_rbac_policy',
    update: 'update_rbac_policy',
    delete: 'delete_rbac_policy',
  },
  fieldRule: fieldRule('rbac_policy'),
  aliases,
})
