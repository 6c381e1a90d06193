/**
 * Filters of searches, built as data and sent in BER: what callers give is a value in them and can never be anything else.
 */
import {
  AndFilter,
  EqualityFilter,
  ExtensibleFilter,
  type Filter,
  FilterParser,
  OrFilter,
  PresenceFilter,
  SubstringFilter,
} from 'ldapts'
import type { NameMatch } from '../../logic/ports/directory.ts'
import { guidBytes, isGuidAttribute } from './entry.ts'

/** Active Directory's rule for members of groups in groups. */
const matchingRuleInChain = '1.2.840.113556.1.4.1941'

export const equals = (attribute: string, value: string): Filter =>
  new EqualityFilter({ attribute, value: isGuidAttribute(attribute) ? (guidBytes(value) ?? value) : value })
export const present = (attribute: string): Filter => new PresenceFilter({ attribute })
export const all = (...filters: readonly Filter[]): Filter => new AndFilter({ filters: [...filters] })
export const any = (...filters: readonly Filter[]): Filter => new OrFilter({ filters: [...filters] })
/** `attribute` names groups or members, also by way of others. */
export const inChain = (attribute: string, dn: string): Filter =>
  new ExtensibleFilter({ matchType: attribute, rule: matchingRuleInChain, value: dn })

/** Finds all that match, and perhaps more: servers compare without regard to case. Undefined when it says nothing. */
export function named(attribute: string, { kind, value }: NameMatch): Filter | undefined {
  if (value === '') return undefined
  if (kind === 'equals') return equals(attribute, value)
  return new SubstringFilter({
    attribute,
    ...(kind === 'startswith' && { initial: value }),
    ...(kind === 'contains' && { any: [value] }),
    ...(kind === 'endswith' && { final: value }),
  })
}

/** A filter that an operator wrote; with or without brackets around it. Throws an `Error`. */
export function written(option: string, text: string | null): Filter[] {
  if (text === null || text.trim() === '') return []
  if (!isWhole(text)) throw new Error(`${option} is not a filter of LDAP`)
  try {
    return [FilterParser.parseString(text.trim().startsWith('(') ? text.trim() : `(${text.trim()})`)]
  } catch (cause) {
    throw new Error(`${option} is not a filter of LDAP`, { cause })
  }
}

/** The parser overlooks brackets that are missing at the end. */
function isWhole(text: string): boolean {
  let depth = 0
  for (const one of text) {
    if (one === '(') depth++
    if (one === ')' && --depth < 0) return false
  }
  return depth === 0
}
