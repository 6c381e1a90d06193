/**
 * Endpoint filters: a project that is given endpoints, one by one or by groups, has those alone in its catalog; one that is
 * given none has all. An *endpoint group* is the endpoints that match its filters.
 */
import { resource } from '@strata/toolkit/resource'
import { json } from '@strata/toolkit/schema'
import { interfaces } from './catalog.ts'
import { description, id, longName } from './names.ts'

/** What an endpoint of the group is like: all that is named must match. */
export interface EndpointFilters {
  readonly service_id?: string
  readonly region_id?: string
  readonly interface?: (typeof interfaces)[number]
}
const reference = { type: 'string', minLength: 1, maxLength: 255 }

export const endpointGroup = resource({
  name: 'endpoint_group',
  plural: 'endpoint_groups',
  path: '/v3/OS-EP-FILTER/endpoint_groups',
  table: 'endpoint_groups',
  fields: {
    id: id(),
    name: longName(),
    description: description(),
    filters: json<EndpointFilters>({
      type: 'object',
      additionalProperties: false,
      properties: {
        service_id: reference,
        region_id: reference,
        interface: { type: 'string', enum: [...interfaces] },
      },
    }),
  },
  policy: {
    list: 'identity:list_endpoint_groups',
    show: 'identity:get_endpoint_group',
    create: 'identity:create_endpoint_group',
    update: 'identity:update_endpoint_group',
    delete: 'identity:delete_endpoint_group',
  },
})
