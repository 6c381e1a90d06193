/**
 * Fields: one declaration carries the JSON Schema of a value, its column, and who may write, filter and sort it.
 *
 * A field is built by chaining: `text({ maxLength: 255 }).defaultTo('').filterable()`. What may be done with it shows in its
 * type, so that `Row`, `Create` and `Update` of a resource follow from its fields.
 */
import type { JsonSchema } from './validate.ts'

export type Writable = 'required' | 'optional' | 'never'
export type ColumnType = 'text' | 'integer' | 'boolean' | 'real' | 'json'

export interface Field<T = unknown, C extends Writable = Writable, U extends boolean = boolean> {
  /** Carries the value's type; never present. */
  readonly _type?: T
  readonly json: JsonSchema
  readonly columnType: ColumnType
  readonly create: C
  readonly update: U
  readonly default?: unknown
  readonly filter: boolean
  readonly sort: boolean
  /** False: not a column; whoever shows the resource computes it. */
  readonly stored: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: a field of any type; `unknown` would not accept the narrower ones
type AnyField = Field<any, any, any>
export type Fields = Readonly<Record<string, AnyField>>
type Value<F> = F extends Field<infer T, Writable, boolean> ? T : never
type KeysByCreate<F extends Fields, C extends Writable> = {
  [K in keyof F]: F[K] extends Field<unknown, infer X, boolean> ? (X extends C ? K : never) : never
}[keyof F]
type KeysByUpdate<F extends Fields> = {
  [K in keyof F]: F[K] extends Field<unknown, Writable, infer U> ? (U extends true ? K : never) : never
}[keyof F]

/** The whole resource, as stored and as shown. */
export type Row<F extends Fields> = { [K in keyof F]: Value<F[K]> }
/** What a caller may send to create one. */
export type Create<F extends Fields> = { [K in KeysByCreate<F, 'required'>]: Value<F[K]> } & {
  [K in KeysByCreate<F, 'optional'>]?: Value<F[K]>
}
/** What a caller may send to change one. */
export type Update<F extends Fields> = { [K in KeysByUpdate<F>]?: Value<F[K]> }

/** How a value lies in its column: booleans as 0 and 1, structures as JSON text. */
export type Stored<T> = T extends boolean ? number : T extends string | number | null ? T : string
/** The table of a resource, for Kysely. */
export type Table<F extends Fields> = { [K in keyof F]: Stored<Value<F[K]>> }

export interface FieldBuilder<T, C extends Writable, U extends boolean> extends Field<T, C, U> {
  /** Set by the service alone. */
  readOnly(): FieldBuilder<T, 'never', false>
  /** May be given at creation and never changed. */
  immutable(): FieldBuilder<T, C, false>
  defaultTo(value: T): FieldBuilder<T, 'optional', U>
  /** May be absent at creation; without a default it is then null. */
  optional(): FieldBuilder<T, 'optional', U>
  nullable(): FieldBuilder<T | null, 'optional', U>
  filterable(): FieldBuilder<T, C, U>
  sortable(): FieldBuilder<T, C, U>
  computed(): FieldBuilder<T, C, U>
  describe(description: string): FieldBuilder<T, C, U>
}

function build<T, C extends Writable, U extends boolean>(field: Field<T, C, U>): FieldBuilder<T, C, U> {
  const next = <C2 extends Writable = C, U2 extends boolean = U, T2 = T>(change: Partial<Field<T2, C2, U2>>) =>
    build({ ...(field as unknown as Field<T2, C2, U2>), ...change })
  return {
    ...field,
    readOnly: () => next({ create: 'never', update: false }),
    immutable: () => next({ update: false }),
    defaultTo: value => next({ create: 'optional', default: value, json: { ...field.json, default: value } }),
    optional: () => next({ create: 'optional' }),
    nullable: () =>
      next<'optional', U, T | null>({ create: 'optional', default: field.default ?? null, json: orNull(field.json) }),
    filterable: () => next({ filter: true }),
    sortable: () => next({ sort: true }),
    computed: () => next({ stored: false }),
    describe: description => next({ json: { ...field.json, description } }),
  }
}

function orNull(json: JsonSchema): JsonSchema {
  if (Array.isArray(json['enum'])) return { ...json, type: undefined, enum: [...json['enum'], null] }
  const type = json['type']
  if (type === undefined) return json
  return { ...json, type: [...(Array.isArray(type) ? type : [type]), 'null'] }
}

function field<T>(columnType: ColumnType, json: JsonSchema): FieldBuilder<T, 'required', true> {
  return build({ json, columnType, create: 'required', update: true, filter: false, sort: false, stored: true })
}

export interface TextLimits {
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
}

export const text = (limits: TextLimits = {}) => field<string>('text', { type: 'string', ...limits })
export const integer = (limits: { minimum?: number; maximum?: number } = {}) =>
  field<number>('integer', { type: 'integer', ...limits })
export const real = (limits: { minimum?: number; maximum?: number } = {}) =>
  field<number>('real', { type: 'number', ...limits })
export const boolean = () => field<boolean>('boolean', { type: 'boolean' })
export const oneOf = <const V extends string>(...values: readonly V[]) =>
  field<V>('text', { type: 'string', enum: [...values] })
export const uuid = () => field<string>('text', { type: 'string', format: 'uuid' })
/** A time as stored: ISO 8601, UTC, milliseconds. */
export const time = () => field<string>('text', { type: 'string', format: 'date-time' })
/** A value of any JSON shape, described by a schema of its own, kept as JSON text. */
export const json = <T>(schema: JsonSchema) => field<T>('json', schema)

/** Schema of the body that creates one. */
export const creationSchema = (fields: Fields): JsonSchema =>
  object(
    fields,
    f => f.create !== 'never',
    f => f.create === 'required',
  )
/** Schema of the body that changes one. */
export const updateSchema = (fields: Fields): JsonSchema =>
  object(
    fields,
    f => f.update,
    () => false,
  )
/** Schema of the resource as shown. */
export const viewSchema = (fields: Fields): JsonSchema =>
  object(
    fields,
    () => true,
    () => false,
  )

function object(
  fields: Fields,
  keep: (field: AnyField) => boolean,
  required: (field: AnyField) => boolean,
): JsonSchema {
  const kept = Object.entries(fields).filter(([, f]) => keep(f))
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(kept.map(([name, f]) => [name, f.json])),
    required: kept.filter(([, f]) => required(f)).map(([name]) => name),
  }
}
