/**
 * Limits of services' resources, kept in one place. A *registered limit* is what every project may have of a resource; a
 * *limit* says otherwise for one project or domain. -1: as much as one likes.
 *
 * Models of enforcement: *flat*, each project for itself; *strict two-level*, projects stand directly below domains, and no
 * project's limit is above its domain's.
 */
import { resource } from '@strata/toolkit/resource'
import { integer, text } from '@strata/toolkit/schema'
import { id } from './names.ts'

const amount = () => integer({ minimum: -1, maximum: 2 ** 31 - 1 })
const service = () => text({ minLength: 1, maxLength: 64 }).filterable()
const region = () => text({ maxLength: 255 }).nullable().filterable()
const resourceName = () => text({ minLength: 1, maxLength: 255 }).filterable()
/** One value for what there can be only one of. Never shown. */
const uniqueness = () => text().readOnly()

export const registeredLimit = resource({
  name: 'registered_limit',
  plural: 'registered_limits',
  path: '/v3/registered_limits',
  table: 'registered_limits',
  fields: {
    id: id(),
    service_id: service(),
    region_id: region(),
    resource_name: resourceName(),
    default_limit: amount(),
    description: text().nullable(),
    uniqueness: uniqueness(),
  },
  policy: {
    list: 'identity:list_registered_limits',
    show: 'identity:get_registered_limit',
    create: 'identity:create_registered_limits',
    update: 'identity:update_registered_limit',
    delete: 'identity:delete_registered_limit',
  },
})

export const limit = resource({
  name: 'limit',
  plural: 'limits',
  path: '/v3/limits',
  table: 'limits',
  fields: {
    id: id(),
    project_id: text({ maxLength: 64 }).nullable().immutable().filterable(),
    domain_id: text({ maxLength: 64 }).nullable().immutable().filterable(),
    service_id: service().immutable(),
    region_id: region().immutable(),
    resource_name: resourceName().immutable(),
    resource_limit: amount(),
    description: text().nullable(),
    /** The registered limit that it departs from. Never shown. */
    registered_limit_id: text().readOnly(),
    uniqueness: uniqueness(),
  },
  policy: {
    list: 'identity:list_limits',
    show: 'identity:get_limit',
    create: 'identity:create_limits',
    update: 'identity:update_limit',
    delete: 'identity:delete_limit',
  },
})

export const limitModels = {
  flat: 'Limits are enforced for each project by itself, wherever it stands in a tree.',
  strict_two_level:
    'Projects stand directly below their domain, and no limit of a project is above that of its domain.',
} as const
export type LimitModel = keyof typeof limitModels
