/**
 * Mappings: what a federated user becomes here. A mapping is a list of rules; a rule's *remote* part says what an *assertion*
 * (the attributes that an identity provider vouches for, each with its values) must look like, its *local* part what follows.
 * `{0}` in the local part stands for the values of the first remote attribute that is not a mere condition.
 */
import { resource } from '@strata/toolkit/resource'
import { json, oneOf, text } from '@strata/toolkit/schema'

/** The verified attributes of a user. */
export type Assertion = Readonly<Record<string, readonly string[]>>

export interface DomainRef {
  readonly id?: string
  readonly name?: string
}

export interface Requirement {
  /** Name of the attribute. */
  readonly type: string
  /** Conditions: one of these values must be there, or none of them. */
  readonly any_one_of?: readonly string[]
  readonly not_any_of?: readonly string[]
  /** Filters: values that go on, or do not. */
  readonly whitelist?: readonly string[]
  readonly blacklist?: readonly string[]
  /** The values given here are regular expressions, to be found anywhere in those of the attribute. */
  readonly regex?: boolean
}

export interface MappedProject {
  readonly name: string
  readonly roles: readonly { readonly name: string }[]
  readonly domain?: DomainRef
}

export interface MappedUser {
  readonly id?: string
  readonly name?: string
  readonly email?: string
  readonly domain?: DomainRef
  /** `local`: one that exists here. `ephemeral`, the default: one that is known by its identity provider alone. */
  readonly type?: 'local' | 'ephemeral'
}

export interface Local {
  readonly user?: MappedUser
  readonly group?: { readonly id?: string; readonly name?: string; readonly domain?: DomainRef }
  /** Names of groups of `domain`. */
  readonly groups?: string
  readonly group_ids?: string
  readonly projects?: readonly MappedProject[]
  /** Since 3.0: the attribute (`{0}`) that holds projects as JSON. */
  readonly projects_json?: string
  /** Of `groups`; since 2.0 also of the user and the projects that name none. */
  readonly domain?: DomainRef
}

export interface Rule {
  readonly local: readonly Local[]
  readonly remote: readonly Requirement[]
}

/**
 * 1.0; 2.0, in which a `domain` beside user and projects is theirs, and projects may have one; 3.0, in which an attribute may
 * list projects, and roles on projects that are no longer named are taken away.
 */
export const schemaVersions = ['1.0', '2.0', '3.0'] as const
export type SchemaVersion = (typeof schemaVersions)[number]

type Schema = Readonly<Record<string, unknown>>
const object = (properties: Schema, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})
const string = { type: 'string' }
const domain = object({ id: string, name: string })
const listOf = (items: Schema): Schema => ({ type: 'array', items })
const requirement = {
  anyOf: [
    object({ type: string }, ['type']),
    ...['any_one_of', 'not_any_of', 'blacklist', 'whitelist'].map(word =>
      object({ type: string, [word]: listOf(string), regex: { type: 'boolean' } }, ['type', word]),
    ),
  ],
}

const projects = (version: SchemaVersion): Schema =>
  listOf(
    object({ name: string, roles: listOf(object({ name: string }, ['name'])), ...(version !== '1.0' && { domain }) }, [
      'name',
      'roles',
    ]),
  )

/** What an attribute that holds projects must hold. */
export const projectsSchema = projects('3.0')

export const rulesSchema = (version: SchemaVersion): Schema => ({
  type: 'array',
  minItems: 1,
  items: object(
    {
      local: listOf(
        object({
          user: object({ id: string, name: string, email: string, domain, type: { enum: ['ephemeral', 'local'] } }),
          group: { anyOf: [object({ id: string }, ['id']), object({ name: string, domain }, ['name', 'domain'])] },
          groups: string,
          group_ids: string,
          projects: projects(version),
          ...(version === '3.0' && { projects_json: string }),
          domain,
        }),
      ),
      remote: { type: 'array', minItems: 1, items: requirement },
    },
    ['local', 'remote'],
  ),
})

export const mapping = resource({
  name: 'mapping',
  plural: 'mappings',
  path: '/v3/OS-FEDERATION/mappings',
  table: 'mappings',
  fields: {
    /** Chosen by the caller. */
    id: text().readOnly(),
    schema_version: oneOf(...schemaVersions).optional(),
    /** Checked against the schema of their version. */
    rules: json<readonly Rule[]>({ type: 'array', minItems: 1 }),
  },
  policy: {
    list: 'identity:list_mappings',
    show: 'identity:get_mapping',
    create: 'identity:create_mapping',
    update: 'identity:update_mapping',
    delete: 'identity:delete_mapping',
  },
})
