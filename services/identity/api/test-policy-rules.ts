/**
 * For the walk of policies: the field's default rules (`policy-walk.golden.json`: name, check, scopes, operations) and a second
 * reading of their language, which shares nothing with the one that the service uses, so that either can prove the other wrong.
 *
 * Words: *facts* is what a check may ask of the target, `target.user.domain_id` under that very name.
 */
import { readFileSync } from 'node:fs'

export interface DefaultRule {
  readonly rule: string
  readonly check: string
  readonly scopes?: readonly string[]
  /** `GET /v3/users/{user_id}`; some with a query. */
  readonly operations?: readonly string[]
}

export interface Caller {
  readonly roles: readonly string[]
  readonly scope: 'system' | 'domain' | 'project' | 'none'
  /** Under the names that checks use, `token.domain.id` too; what the caller lacks is not there. */
  readonly credentials: Readonly<Record<string, string>>
}

export type Facts = Readonly<Record<string, string | null | undefined>>

export const defaultRules: readonly DefaultRule[] = JSON.parse(
  readFileSync(`${import.meta.dirname}/policy-walk.golden.json`, 'utf8'),
)

/** A path as it is compared: the names of its parameters say nothing. */
export const shapeOf = (path: string) => path.replace(/\{[^}]*\}|:[a-z_]+/gi, '{}')

/** Whether the caller passes the rule, by its check and its scopes. */
export function passes(rules: readonly DefaultRule[], name: string, caller: Caller, facts: Facts): boolean {
  const found = rules.find(one => one.rule === name)
  if (!found) throw new Error(`there is no rule ${name}`)
  // A token without any scope counts as one of a project.
  const scope = caller.scope === 'none' ? 'project' : caller.scope
  if (found.scopes && !found.scopes.includes(scope)) return false
  if (found.check === '') return true
  return evaluate(found.check, word => leaf(rules, word, caller, facts))
}

/** Shunting-yard: `not` before `and` before `or`. */
function evaluate(check: string, value: (word: string) => boolean): boolean {
  const strength: Readonly<Record<string, number>> = { not: 3, and: 2, or: 1 }
  const values: boolean[] = []
  const operators: string[] = []
  const apply = () => {
    const operator = operators.pop()
    const right = values.pop()!
    if (operator === 'not') values.push(!right)
    else {
      const left = values.pop()!
      values.push(operator === 'and' ? left && right : left || right)
    }
  }
  const spaced = check.replace(/%\((.*?)\)s/g, '%<$1>').replace(/[()]/g, ' $& ')
  for (const word of spaced.trim().split(/\s+/)) {
    if (word === '(') operators.push(word)
    else if (word === ')') {
      while (operators.at(-1) !== '(') apply()
      operators.pop()
    } else if (strength[word] !== undefined) {
      while (word !== 'not' && (strength[operators.at(-1) ?? ''] ?? 0) >= strength[word]) apply()
      operators.push(word)
    } else values.push(value(word))
  }
  while (operators.length > 0) apply()
  return values[0]!
}

function leaf(rules: readonly DefaultRule[], word: string, caller: Caller, facts: Facts): boolean {
  const at = word.indexOf(':')
  const [kind, match] = [word.slice(0, at), word.slice(at + 1)]
  if (kind === 'rule') return passes(rules, match, caller, facts)
  if (kind === 'role') return caller.roles.includes(match)
  const name = /^%<(.*)>$/.exec(match)?.[1]
  const wanted = name === undefined ? match : facts[name]
  const quoted = /^'(.*)'$/.exec(kind)?.[1] ?? (kind === 'None' ? kind : undefined)
  if (quoted !== undefined) return wanted !== undefined && (wanted ?? 'None') === quoted
  const own = caller.credentials[kind]
  // Only a rule that says so takes the lack of something for a match: nobody owns what has no owner.
  return name === undefined ? (own ?? 'None') === wanted : own !== undefined && own === wanted
}
