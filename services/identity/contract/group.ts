/** Groups of users: a role given to a group is had by each of its members. */
import { resource } from '@strata/toolkit/resource'
import { text } from '@strata/toolkit/schema'
import { domainId, extra, id, longName } from './names.ts'

export const group = resource({
  name: 'group',
  plural: 'groups',
  path: '/v3/groups',
  table: 'user_groups',
  fields: {
    id: id(),
    name: longName(),
    domain_id: domainId(),
    description: text().defaultTo('').nullable(),
    extra: extra(),
  },
  policy: {
    list: 'identity:list_groups',
    show: 'identity:get_group',
    create: 'identity:create_group',
    update: 'identity:update_group',
    delete: 'identity:delete_group',
  },
  extra: 'extra',
  defaultSort: [{ field: 'name', direction: 'asc' }],
})
