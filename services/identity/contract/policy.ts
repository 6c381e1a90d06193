/**
 * Policies that services may fetch: a blob of some type, kept as it came, and associated with an endpoint, a service, or a
 * service in a region. Of several that apply to an endpoint the nearest holds: its own, then that of its service in its
 * region or the nearest region above, then that of its service. The policies of Strata's own services are not among them.
 */
import { resource } from '@strata/toolkit/resource'
import { text } from '@strata/toolkit/schema'
import { extra, id } from './names.ts'

export const policy = resource({
  name: 'policy',
  plural: 'policies',
  path: '/v3/policies',
  table: 'policies',
  fields: {
    id: id(),
    /** Its MIME type. */
    type: text({ minLength: 1, maxLength: 255 }).filterable(),
    blob: text({ maxLength: 65_536 }),
    extra: extra(),
  },
  policy: {
    list: 'identity:list_policies',
    show: 'identity:get_policy',
    create: 'identity:create_policy',
    update: 'identity:update_policy',
    delete: 'identity:delete_policy',
  },
  extra: 'extra',
})
