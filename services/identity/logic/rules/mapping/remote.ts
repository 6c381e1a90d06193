/** The remote part of a rule: whether it holds for an assertion, and which values its local part may speak of. */
import type { Assertion, Requirement } from '../../../contract/mapping.ts'

/** Values that `{0}`, `{1}` … stand for; undefined when the rule does not apply. */
export type Matches = readonly (readonly string[])[]

/** All must hold. Conditions (`any_one_of`, `not_any_of`) are counted out: `{0}` is the first that is none. */
export function matchRemote(requirements: readonly Requirement[], assertion: Assertion): Matches | undefined {
  const matches: (readonly string[])[] = []
  for (const one of requirements) {
    const values = Object.hasOwn(assertion, one.type) ? assertion[one.type]! : []
    if (values.length === 0) return undefined
    const among = (wanted: readonly string[]) => values.filter(matcher(wanted, one.regex))
    if (one.any_one_of) {
      if (among(one.any_one_of).length === 0) return undefined
    } else if (one.not_any_of) {
      if (among(one.not_any_of).length > 0) return undefined
    } else if (one.blacklist) {
      const refused = new Set(among(one.blacklist))
      matches.push(unique(values.filter(value => !refused.has(value))))
    } else matches.push(one.whitelist ? unique(among(one.whitelist)) : values)
  }
  return matches
}

const unique = (values: readonly string[]): readonly string[] => [...new Set(values)]

function matcher(wanted: readonly string[], regex: boolean | undefined): (value: string) => boolean {
  if (regex) {
    const patterns = wanted.map(compilePattern)
    return value => patterns.some(pattern => pattern.test(value))
  }
  const exact = new Set(wanted)
  return value => exact.has(value)
}

/**
 * The expressions of mappings are written in Python's dialect; what both languages know is nearly all of it: named groups are
 * written otherwise, and flags stand in front (`(?i)`). Throws a SyntaxError for one that cannot be read.
 */
export function compilePattern(source: string): RegExp {
  const [, flags = '', rest = ''] = /^(?:\(\?([aimsux]+)\))?(.*)$/s.exec(source) ?? []
  const pattern = rest
    .replaceAll('(?P<', '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replace(/(^|[^\\])\\A/g, '$1^')
    .replace(/(^|[^\\])\\Z/g, '$1$$')
  return new RegExp(pattern, [...new Set(flags)].filter(flag => 'ims'.includes(flag)).join(''))
}

/** The names of all attributes that the rules ask for. */
export const attributesOf = (rules: readonly { readonly remote: readonly Requirement[] }[]): string[] => [
  ...new Set(rules.flatMap(rule => rule.remote.map(one => one.type))),
]
