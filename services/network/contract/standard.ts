/** What all resources of the Networking API share: the standard attributes, and how rules of single fields are called. */
import { integer, json, text, time } from '@strata/toolkit/schema'

export const NAME_LENGTH = 255

export const standardFields = {
  description: text({ maxLength: 255 }).defaultTo('').filterable().describe('Free text for people.'),
  created_at: time().readOnly().filterable(),
  updated_at: time().readOnly().filterable(),
  revision_number: integer().defaultTo(1).readOnly().filterable().describe('Goes up by one with each change.'),
}

/** Set through `…/tags` alone; kept in a table of their own. */
export const tagsField = {
  tags: json<readonly string[]>({ type: 'array', items: { type: 'string' } })
    .readOnly()
    .computed(),
}

export const nameField = (defaultName = '') =>
  text({ maxLength: NAME_LENGTH }).defaultTo(defaultName).filterable().sortable()

/** `create_network:shared`; clients also know `tenant_id` for `project_id`. */
export const fieldRule = (resource: string) => (verb: 'get' | 'create' | 'update', field: string) =>
  `${verb}_${resource}:${field}`

export const aliases = { tenant_id: 'project_id' } as const

export const projectField = text({ maxLength: 255 }).optional().immutable().filterable().sortable()
