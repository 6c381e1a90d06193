/** The local part of a rule, with what `{0}`, `{1}` … stand for put in. */
import type { Local, MappedProject } from '../../../contract/mapping.ts'
import type { Matches } from './remote.ts'
import { type GroupRef, MappingFailure } from './result.ts'

const only = /^\{(\d+)\}$/

/**
 * A text with its placeholders filled. An attribute with several values is written as they are told apart when they come in one
 * text: with semicolons. `{{` and `}}` stand for braces.
 */
export function fill(text: string, matches: Matches): string {
  return text.replace(/\{\{|\}\}|\{(\d*)\}/g, (found, place: string | undefined) => {
    if (place === undefined) return found[0]!
    return valuesAt(place, matches).join(';')
  })
}

function valuesAt(place: string, matches: Matches): readonly string[] {
  const values = matches[Number(place === '' ? 0 : place)]
  if (!values)
    throw new MappingFailure(`Local section in mapping refers to a remote match that doesn't exist (e.g. {${place}}).`)
  return values
}

/**
 * A text that names several things: an attribute with all its values, a list in brackets, or texts apart by semicolons. It is
 * parted before it is filled, so that no value can bring a part of its own.
 */
export function fillList(text: string, matches: Matches): readonly string[] {
  const place = only.exec(text.trim())?.[1]
  if (place !== undefined) return valuesAt(place, matches)
  const parts = readList(text) ?? text.split(';').map(part => part.trim())
  return parts.map(part => fill(part, matches)).filter(part => part !== '')
}

/** `["a", "b"]`, or the same with single quotes. */
function readList(text: string): readonly string[] | undefined {
  if (!/^\s*\[.*\]\s*$/s.test(text)) return undefined
  const items = /^\s*\[\s*(?:'[^'\\]*'|"[^"\\]*")(?:\s*,\s*(?:'[^'\\]*'|"[^"\\]*"))*\s*,?\s*\]\s*$/
  if (/^\s*\[\s*\]\s*$/.test(text)) return []
  return items.test(text) ? [...text.matchAll(/'([^']*)'|"([^"]*)"/g)].map(one => one[1] ?? one[2]!) : undefined
}

/** The same shape with every text in it filled. */
export function fillAll<T>(value: T, matches: Matches): T {
  if (typeof value === 'string') return fill(value, matches) as T
  if (Array.isArray(value)) return value.map(one => fillAll(one, matches)) as T
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fillAll(one, matches)])) as T
  return value
}

/** Groups that an entry names by id. */
export function groupIdsIn({ group, group_ids: ids }: Local, matches: Matches): readonly string[] {
  return [
    ...(group?.id === undefined ? [] : fillList(group.id, matches)),
    ...(ids === undefined ? [] : fillList(ids, matches)),
  ].filter(id => id !== '')
}

/** Groups that an entry names by name and domain. */
export function groupNamesIn(local: Local, matches: Matches): readonly GroupRef[] {
  const { group, groups } = local
  const named = group?.name === undefined ? [] : fillName(group.name, matches)
  const own = named.map(name => ({ name, domain: fillAll(group!.domain!, matches) }))
  return groups === undefined ? own : [...own, ...severalGroups(groups, local, matches)]
}

/** A name may hold semicolons; only an attribute with several values names several. */
const fillName = (text: string, matches: Matches): readonly string[] => {
  const place = only.exec(text.trim())?.[1]
  return place === undefined ? [fill(text, matches)] : valuesAt(place, matches)
}

function severalGroups(groups: string, local: Local, matches: Matches): readonly GroupRef[] {
  const domain = local.domain && fillAll(local.domain, matches)
  return fillList(groups, matches).map(one => {
    // Another cloud's user brings its groups with their domains, each as JSON.
    if (one.startsWith('JSON:')) return groupFromJson(one.slice(5))
    if (!domain) throw new MappingFailure("Invalid rule: both 'groups' and 'domain' keywords must be specified.")
    return { name: one, domain }
  })
}

function groupFromJson(text: string): GroupRef {
  const { name, domain } = parsed(text) as { name?: unknown; domain?: { id?: unknown; name?: unknown } }
  const { id, name: domainName } = domain ?? {}
  if (typeof name !== 'string' || (typeof id !== 'string' && typeof domainName !== 'string'))
    throw new MappingFailure("Invalid rule: both 'groups' and 'domain' keywords must be specified.")
  return { name, domain: typeof id === 'string' ? { id } : { name: domainName as string } }
}

/** What an attribute lists as projects, as JSON; not looked at yet. */
export function projectsJson(text: string, matches: Matches): unknown {
  const place = /^\{?(\d+)\}?/.exec(text)?.[1]
  if (place === undefined) throw new MappingFailure(`projects_json must name an attribute, as {0} does: ${text}`)
  const values = valuesAt(place, matches)
  // A semicolon inside the JSON would have parted it.
  return parsed(values.join(';'))
}

export const filledProjects = (local: Local, matches: Matches): readonly MappedProject[] =>
  fillAll(local.projects ?? [], matches)

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Told below.
  }
  throw new MappingFailure('An attribute that should be JSON is none.')
}
