/**
 * Projects and domains. A domain is a project that acts as one: it owns users, groups and projects, and has no domain itself.
 * Projects form trees; the parent of a top-level project is its domain.
 */
import { resource } from '@strata/toolkit/resource'
import { boolean, json, text } from '@strata/toolkit/schema'
import { domainId, enabled, extra, id, options, shortName } from './names.ts'

export const maxTags = 80
export const tagPattern = /^[^,/]+$/
export const tagsSchema = {
  type: 'array',
  items: { type: 'string', minLength: 1, maxLength: 255, pattern: tagPattern.source },
  maxItems: maxTags,
  uniqueItems: true,
}

const tags = () => json<readonly string[]>(tagsSchema).defaultTo([]).computed()
/** Within which a name is unique: the id of the domain, or `domains` for domains themselves. Never shown. */
const nameScope = () => text().readOnly()

export const domain = resource({
  name: 'domain',
  plural: 'domains',
  path: '/v3/domains',
  table: 'projects',
  fields: {
    id: id(),
    name: shortName(),
    description: text().defaultTo('').nullable(),
    enabled: enabled(),
    options: options(),
    tags: tags(),
    explicit_domain_id: text({ pattern: '^[0-9a-f]{32}$' }).optional().immutable().computed(),
    is_domain: boolean().readOnly(),
    name_scope: nameScope(),
    extra: extra(),
  },
  policy: {
    list: 'identity:list_domains',
    show: 'identity:get_domain',
    create: 'identity:create_domain',
    update: 'identity:update_domain',
    delete: 'identity:delete_domain',
  },
  extra: 'extra',
  defaultSort: [{ field: 'name', direction: 'asc' }],
})

export const project = resource({
  name: 'project',
  plural: 'projects',
  path: '/v3/projects',
  table: 'projects',
  fields: {
    id: id(),
    name: shortName(),
    domain_id: domainId().nullable(),
    description: text().defaultTo('').nullable(),
    enabled: enabled(),
    parent_id: text({ maxLength: 64 }).immutable().nullable().filterable(),
    is_domain: boolean().immutable().defaultTo(false).filterable(),
    options: options(),
    tags: tags(),
    name_scope: nameScope(),
    extra: extra(),
  },
  policy: {
    list: 'identity:list_projects',
    show: 'identity:get_project',
    create: 'identity:create_project',
    update: 'identity:update_project',
    delete: 'identity:delete_project',
  },
  extra: 'extra',
  defaultSort: [{ field: 'name', direction: 'asc' }],
})
