/** Kinds of fields that most identity resources share. */
import { boolean, json, text } from '@strata/toolkit/schema'

const named = (maxLength: number) => text({ minLength: 1, maxLength, pattern: '\\S' }).filterable().sortable()

/** Names of domains and projects. */
export const shortName = () => named(64)
export const longName = () => named(255)
export const id = () => text().readOnly()
/** The domain that owns the resource: the caller's own unless given. */
export const domainId = () => text({ minLength: 1, maxLength: 64 }).optional().immutable().filterable()
export const description = () => text().nullable()
export const enabled = () => boolean().defaultTo(true).filterable()

/** Switches of a resource; `immutable: true` forbids changing and deleting it. */
export interface Options {
  readonly immutable?: boolean | null
}
const flag = { type: ['boolean', 'null'] }

export const options = () => json<Options>({ type: 'object', properties: { immutable: flag } }).defaultTo({})
/** Whatever else the caller says about it, kept and shown as it came. */
export const extra = () => json<Readonly<Record<string, unknown>>>({ type: 'object' }).readOnly()
