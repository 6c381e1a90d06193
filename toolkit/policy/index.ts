/**
 * OpenStack's rule language (oslo.policy): who may do what. A rule is a check string such as
 * `role:member and project_id:%(project_id)s`; it is compiled once to a function of the caller's credentials and the target.
 *
 * Words: a *check* is `kind:match`; `rule:x` refers to another rule, `role:x` holds when the caller has that role, any other
 * kind compares a credential (or a quoted literal) with the match, whose `%(name)s` is taken from the target;
 * `field:x:name=value` compares the target's own member; `@` (and the empty string) always holds, `!` never.
 */
import { references } from './overrides.ts'

export { misspelling } from './overrides.ts'

export type Scope = 'system' | 'domain' | 'project'

export interface PolicyRule {
  readonly name: string
  readonly check: string
  readonly description?: string
  /** Token scopes that may use it; unset means any. */
  readonly scopes?: readonly Scope[]
}

export type Credentials = Readonly<Record<string, unknown>> & { readonly roles: readonly string[] }
export type Target = Readonly<Record<string, unknown>>

export interface Policy {
  /** True when the rule holds. An unknown rule holds for nobody, as in oslo.policy without a default rule. */
  allows(rule: string, credentials: Credentials, target: Target): boolean
  knows(rule: string): boolean
  /** The rules in force, sorted by name. */
  rules(): readonly PolicyRule[]
}

type Check = (credentials: Credentials, target: Target) => boolean

/** Compiles rules; `overrides` (of `policy.yaml`) replace check strings by name. Throws on a malformed check, naming the rule. */
export function compilePolicy(rules: readonly PolicyRule[], overrides: Readonly<Record<string, string>> = {}): Policy {
  const all = new Map(rules.map(rule => [rule.name, rule]))
  for (const [name, check] of Object.entries(overrides)) all.set(name, { ...all.get(name), name, check })
  const compiled = new Map<string, Check>()
  const byName = (name: string): Check => {
    let check: Check | undefined
    return (credentials, target) => {
      check ??= compiled.get(name)
      return check ? check(credentials, target) : false
    }
  }
  for (const rule of all.values()) {
    try {
      const check = parseCheck(rule.check, byName)
      compiled.set(rule.name, rule.scopes ? withScope(check, rule.scopes) : check)
    } catch (cause) {
      throw new Error(`policy rule ${rule.name}: ${(cause as Error).message}`, { cause })
    }
  }
  refuseCycles(all)
  return {
    allows: (rule, credentials, target) => compiled.get(rule)?.(credentials, target) ?? false,
    knows: rule => compiled.has(rule),
    rules: () => [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  }
}

/** The scope of the caller's token must be one of the rule's; a caller without any scope (an internal one) passes. */
function withScope(check: Check, scopes: readonly Scope[]): Check {
  return (credentials, target) => {
    const scope = credentials['scope']
    return (scope === undefined || scopes.includes(scope as Scope)) && check(credentials, target)
  }
}

function refuseCycles(rules: ReadonlyMap<string, PolicyRule>): void {
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) throw new Error(`policy rules refer to each other: ${[...path, name].join(' -> ')}`)
    if (done.has(name)) return
    for (const next of references(rules.get(name)?.check ?? '')) visit(next, [...path, name])
    done.add(name)
  }
  for (const name of rules.keys()) visit(name, [])
}

/** Recursive descent over `or` < `and` < `not` < `(…)` | check. */
function parseCheck(source: string, byName: (name: string) => Check): Check {
  const tokens = tokenize(source)
  let at = 0
  if (tokens.length === 0) return () => true
  const parseOr = (): Check => {
    const parts = [parseAnd()]
    while (word() === 'or') {
      at++
      parts.push(parseAnd())
    }
    return parts.length === 1 ? parts[0]! : (credentials, target) => parts.some(part => part(credentials, target))
  }
  const parseAnd = (): Check => {
    const parts = [parseNot()]
    while (word() === 'and') {
      at++
      parts.push(parseNot())
    }
    return parts.length === 1 ? parts[0]! : (credentials, target) => parts.every(part => part(credentials, target))
  }
  const parseNot = (): Check => {
    if (word() !== 'not') return parseAtom()
    at++
    const inner = parseNot()
    return (credentials, target) => !inner(credentials, target)
  }
  const parseAtom = (): Check => {
    const token = tokens[at++]
    if (token === undefined) throw new Error(`"${source}" ends too early`)
    if (token !== '(') return parseLeaf(token, byName)
    const inner = parseOr()
    if (tokens[at++] !== ')') throw new Error(`"${source}" lacks a closing parenthesis`)
    return inner
  }
  const word = () => tokens[at]?.toLowerCase()
  const result = parseOr()
  if (at < tokens.length) throw new Error(`"${source}" has "${tokens[at]}" where it should end`)
  return result
}

/** Splits at blanks and parentheses; the parentheses of `%(name)s` belong to their check. */
function tokenize(source: string): string[] {
  return source.match(/\(|\)|(?:%\([^)]*\)s|'[^']*'|[^\s()])+/g) ?? []
}

function parseLeaf(token: string, byName: (name: string) => Check): Check {
  if (token === '@') return () => true
  if (token === '!') return () => false
  const colon = token.startsWith("'") ? token.indexOf("':") + 1 : token.indexOf(':')
  if (colon <= 0) throw new Error(`"${token}" is not of the form kind:match`)
  const kind = token.slice(0, colon)
  const match = token.slice(colon + 1)
  if (kind === 'rule') return byName(match)
  if (kind === 'field') return fieldCheck(token, match)
  if (kind === 'role') {
    const role = template(match)
    return (credentials, target) => {
      const wanted = role(target)?.toLowerCase()
      return wanted !== undefined && credentials.roles.some(have => have.toLowerCase() === wanted)
    }
  }
  const wanted = template(match)
  const actual = literal(kind)
  return (credentials, target) => {
    const want = wanted(target)
    if (want === undefined) return false
    if (actual !== undefined) return actual === want
    const held = lookUp(credentials, kind).filter(have => have !== null && have !== undefined)
    // A credential that is absent equals nothing, not even an absent owner; only `domain_id:None` itself asks for the absence.
    return held.length === 0 ? match === 'None' : held.some(have => asText(have) === want)
  }
}

/** `field:networks:shared=True`, `field:port:device_owner=~^network:` (Neutron's): compares a member of the target. */
function fieldCheck(token: string, match: string): Check {
  const [, name, fuzzy, value] = /^[^:]+:([^=]+)=(~?)(.*)$/.exec(match) ?? []
  if (name === undefined || value === undefined)
    throw new Error(`"${token}" is not of the form field:resource:name=value`)
  const pattern = fuzzy ? new RegExp(value) : undefined
  const fits = (text: string) => (pattern ? pattern.test(text) : text === value)
  return (_credentials, target) => lookUp(target, name).some(have => fits(asText(have)))
}

/** `%(a)s-b` as a function of the target; undefined when the target lacks a name that it uses. */
function template(match: string): (target: Target) => string | undefined {
  if (!match.includes('%(')) return () => match
  const whole = /^%\(([^)]*)\)s$/.exec(match)?.[1]
  if (whole !== undefined)
    return target => {
      const [value] = lookUp(target, whole)
      return value === undefined ? undefined : asText(value)
    }
  return target => {
    let missing = false
    const text = match.replace(/%\(([^)]*)\)s/g, (_, name: string) => {
      const [value] = lookUp(target, name)
      missing ||= value === undefined
      return asText(value)
    })
    return missing ? undefined : text
  }
}

function literal(kind: string): string | undefined {
  if (/^'.*'$/.test(kind)) return kind.slice(1, -1)
  return kind === 'True' || kind === 'False' || kind === 'None' ? kind : undefined
}

/** The value under `name`, taken whole or followed along its dots (`target.user.domain_id`); lists give each member. */
function lookUp(source: Readonly<Record<string, unknown>>, name: string): unknown[] {
  if (name in source) {
    const value = source[name]
    return Array.isArray(value) ? value : [value]
  }
  const dot = name.indexOf('.')
  if (dot < 0) return []
  const inner = source[name.slice(0, dot)]
  const rest = name.slice(dot + 1)
  if (Array.isArray(inner)) return inner.flatMap(item => (isRecord(item) ? lookUp(item, rest) : []))
  return isRecord(inner) ? lookUp(inner, rest) : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Values are compared as Python would print them, since that is what policy files are written against. */
function asText(value: unknown): string {
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (value === null || value === undefined) return 'None'
  return String(value)
}
