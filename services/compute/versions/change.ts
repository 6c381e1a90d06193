/** What one microversion changed of servers, told as the way from it to the version before. */
import type { LinkedResource, ServerView } from '../contract/server.ts'
import type { ObjectSchema } from '../contract/server-requests.ts'

/** What the latest view no longer says and older versions show. */
export interface ServerOrigin {
  readonly flavor: LinkedResource
  /** The caller may see the attributes meant for administrators. */
  readonly extended: boolean
}

export interface VersionChange {
  readonly minor: number
  /** Attributes that servers have since. */
  readonly brings?: readonly (keyof ServerView)[]
  /** Attributes that had another form before. */
  readonly down?: (view: ServerView, origin: ServerOrigin) => Partial<ServerView>
  /** Schemas of requests as they were before. */
  readonly create?: (schema: ObjectSchema) => ObjectSchema
  readonly update?: (schema: ObjectSchema) => ObjectSchema
  readonly rebuild?: (schema: ObjectSchema) => ObjectSchema
}

/** The schema without some of its members. */
export const without =
  (...names: readonly string[]) =>
  (schema: ObjectSchema): ObjectSchema => ({
    ...schema,
    properties: Object.fromEntries(Object.entries(schema.properties).filter(([name]) => !names.includes(name))),
    required: schema.required.filter(name => !names.includes(name)),
  })

/** The schema with one member of another form. */
export const having =
  (name: string, member: ObjectSchema['properties'][string], required = false) =>
  (schema: ObjectSchema): ObjectSchema => ({
    ...schema,
    properties: { ...schema.properties, [name]: member },
    required: [...schema.required.filter(other => other !== name), ...(required ? [name] : [])],
  })
