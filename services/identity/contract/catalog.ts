/** The catalog: services, where they answer (endpoints), and in which regions. */
import { resource } from '@strata/toolkit/resource'
import { boolean, oneOf, text } from '@strata/toolkit/schema'
import { enabled, extra, id } from './names.ts'

export const region = resource({
  name: 'region',
  plural: 'regions',
  path: '/v3/regions',
  table: 'regions',
  fields: {
    /** Chosen by the caller, or made up. */
    id: text({ maxLength: 255 }).optional().immutable(),
    description: text().defaultTo('').nullable(),
    parent_region_id: text({ maxLength: 255 }).nullable().filterable(),
    extra: extra(),
  },
  policy: {
    list: 'identity:list_regions',
    show: 'identity:get_region',
    create: 'identity:create_region',
    update: 'identity:update_region',
    delete: 'identity:delete_region',
  },
  extra: 'extra',
})

export const service = resource({
  name: 'service',
  plural: 'services',
  path: '/v3/services',
  table: 'services',
  fields: {
    id: id(),
    type: text({ minLength: 1, maxLength: 255 }).filterable(),
    name: text({ maxLength: 255 }).defaultTo('').filterable(),
    description: text().nullable(),
    enabled: boolean().defaultTo(true),
    extra: extra(),
  },
  policy: {
    list: 'identity:list_services',
    show: 'identity:get_service',
    create: 'identity:create_service',
    update: 'identity:update_service',
    delete: 'identity:delete_service',
  },
  extra: 'extra',
  defaultSort: [{ field: 'type', direction: 'asc' }],
})

export const interfaces = ['admin', 'internal', 'public'] as const
export type EndpointInterface = (typeof interfaces)[number]

export const endpoint = resource({
  name: 'endpoint',
  plural: 'endpoints',
  path: '/v3/endpoints',
  table: 'endpoints',
  fields: {
    id: id(),
    interface: oneOf(...interfaces).filterable(),
    service_id: text({ minLength: 1, maxLength: 64 }).filterable(),
    region_id: text({ maxLength: 255 }).nullable().filterable(),
    /** The older name of `region_id`; a region that is named so is made when there is none. */
    region: text({ maxLength: 255 }).nullable().computed(),
    /** May hold `$(project_id)s`, `$(tenant_id)s` and `$(user_id)s`. */
    url: text({ minLength: 1, maxLength: 2048, pattern: '^[a-zA-Z0-9+.-]+:.+' }),
    enabled: enabled(),
    extra: extra(),
  },
  policy: {
    list: 'identity:list_endpoints',
    show: 'identity:get_endpoint',
    create: 'identity:create_endpoint',
    update: 'identity:update_endpoint',
    delete: 'identity:delete_endpoint',
  },
  extra: 'extra',
})
