/**
 * Roles: names that policies ask for. A *prior* role implies others. A role that belongs to a domain is never asked for by a
 * policy itself: it only stands for the roles it implies.
 */
import { resource } from '@strata/toolkit/resource'
import { text } from '@strata/toolkit/schema'
import { description, extra, id, longName, options } from './names.ts'

export const role = resource({
  name: 'role',
  plural: 'roles',
  path: '/v3/roles',
  table: 'roles',
  fields: {
    id: id(),
    name: longName(),
    domain_id: text({ minLength: 1, maxLength: 64 }).immutable().nullable(),
    description: description(),
    options: options(),
    /** Within which a name is unique: the domain's id, or `global`. Never shown. */
    name_scope: text().readOnly(),
    extra: extra(),
  },
  policy: {
    list: 'identity:list_roles',
    show: 'identity:get_role',
    create: 'identity:create_role',
    update: 'identity:update_role',
    delete: 'identity:delete_role',
  },
  extra: 'extra',
  defaultSort: [{ field: 'name', direction: 'asc' }],
})
