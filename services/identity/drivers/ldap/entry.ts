/** What entries of a directory say, as users and groups. */
import type { Entry } from 'ldapts'
import type { LdapOptions } from '../../contract/domain-config.ts'
import type { DirectoryGroup, DirectoryUser } from '../../logic/ports/directory.ts'
import { parseDn } from './dn.ts'

/** Identifiers of Microsoft's directories are sixteen bytes, written as they write them. */
export const isGuidAttribute = (attribute: string): boolean => /^objectguid$/i.test(attribute)

const guidOrder = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
export function guidText(bytes: Buffer): string {
  const hex = Buffer.from(guidOrder.map(at => bytes[at] ?? 0)).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
/** Undefined for what is no such identifier. */
export function guidBytes(text: string): Buffer | undefined {
  const hex = text.replaceAll('-', '')
  if (!/^[0-9a-fA-F]{32}$/.test(hex)) return undefined
  const bytes = Buffer.from(hex, 'hex')
  return Buffer.from(guidOrder.map(at => bytes[at]!))
}

/** All values of an attribute, as text; by its name in any case. */
export function valuesOf(entry: Entry, attribute: string): string[] {
  const wanted = attribute.toLowerCase()
  const name = Object.keys(entry).find(one => one !== 'dn' && one.toLowerCase() === wanted)
  const value = name === undefined ? [] : entry[name]!
  return (Array.isArray(value) ? value : [value]).map(one =>
    Buffer.isBuffer(one) ? (one.length === 16 ? guidText(one) : one.toString('base64')) : one,
  )
}

const first = (entry: Entry, attribute: string | null): string | undefined => {
  const value = attribute === null || attribute === '' ? undefined : valuesOf(entry, attribute)[0]
  return value === undefined || value.trim() === '' ? undefined : value
}

/** `attribute:property`, as pairs. Throws an `Error`. */
export function mappingOf(
  option: string,
  items: readonly string[],
): (readonly [attribute: string, property: string])[] {
  return items.map(item => {
    const [attribute, property, ...more] = item.split(':').map(one => one.trim())
    if (!attribute || !property || more.length > 0) throw new Error(`${option} must be of attribute:property`)
    return [attribute, property] as const
  })
}

/** The value that never changes. Of several the one that the entry is named by, else the first. */
function idOf(entry: Entry, attribute: string): string | undefined {
  const own = parseDn(entry.dn)?.[0]?.find(part => part.attribute === attribute.toLowerCase())
  return own?.value ?? first(entry, attribute)
}

/** Names of properties with the attributes that hold them, for those that are not ignored. */
export function userProperties(options: LdapOptions) {
  const ignored = new Set(options.user_attribute_ignore)
  const named = [
    ['email', options.user_mail_attribute],
    ['description', options.user_description_attribute],
    ['default_project_id', options.user_default_project_id_attribute],
    ...mappingOf('user_additional_attribute_mapping', options.user_additional_attribute_mapping).map(
      ([attribute, property]) => [property, attribute] as const,
    ),
  ] as const
  return new Map(
    named.flatMap(([property, attribute]) =>
      attribute && !ignored.has(property) ? [[property, attribute] as const] : [],
    ),
  )
}

export function groupProperties(options: LdapOptions) {
  const ignored = new Set(options.group_attribute_ignore)
  const named = [
    ['description', options.group_desc_attribute] as const,
    ...mappingOf('group_additional_attribute_mapping', options.group_additional_attribute_mapping).map(
      ([attribute, property]) => [property, attribute] as const,
    ),
  ]
  return new Map(named.filter(([property, attribute]) => attribute !== '' && !ignored.has(property)))
}

/** Undefined for an entry without an id or a name. `enabledByGroup`: says so when a group tells who is enabled. */
export function userOf(
  entry: Entry,
  options: LdapOptions,
  enabledByGroup?: (entry: Entry, id: string) => boolean,
): DirectoryUser | undefined {
  const id = idOf(entry, options.user_id_attribute)
  const name = first(entry, options.user_name_attribute)
  if (id === undefined || name === undefined || id.length > 255) return undefined
  const said = [...userProperties(options)].flatMap(([property, attribute]) => {
    const value = first(entry, attribute)
    return value === undefined ? [] : [[property, value] as const]
  })
  const { default_project_id: project, ...extra } = Object.fromEntries(said) as Record<string, string>
  return {
    id,
    name,
    enabled: enabledByGroup
      ? enabledByGroup(entry, id)
      : enabledOf(first(entry, options.user_enabled_attribute), options),
    ...(project !== undefined && { defaultProjectId: project }),
    extra,
  }
}

/** Whether the value of the attribute says that a user is enabled. */
export function enabledOf(value: string | undefined, options: LdapOptions): boolean {
  const said = value ?? options.user_enabled_default
  const mask = options.user_enabled_mask
  if (mask !== 0) return (Number.parseInt(said, 10) & mask) !== mask
  if (options.user_attribute_ignore.includes('enabled')) return true
  return /^true$/i.test(said) !== options.user_enabled_invert
}

/** The value that says so; undefined where a missing one does, and nothing has to be written. */
export function enabledValue(enabled: boolean, before: string | undefined, options: LdapOptions): string | undefined {
  if (enabledOf(before, options) === enabled) return before
  const mask = options.user_enabled_mask
  if (mask !== 0) {
    const bits = Number.parseInt(before ?? options.user_enabled_default, 10) || 0
    return String(enabled ? bits & ~mask : bits | mask)
  }
  return enabled !== options.user_enabled_invert ? 'TRUE' : 'FALSE'
}

export function groupOf(entry: Entry, options: LdapOptions): DirectoryGroup | undefined {
  const id = idOf(entry, options.group_id_attribute)
  const name = first(entry, options.group_name_attribute)
  if (id === undefined || name === undefined || id.length > 255) return undefined
  const said = [...groupProperties(options)].flatMap(([property, attribute]) => {
    const value = first(entry, attribute)
    return value === undefined ? [] : [[property, value] as const]
  })
  const { description, ...extra } = Object.fromEntries(said) as Record<string, string>
  return { id, name, ...(description !== undefined && { description }), extra }
}
