/**
 * Rules by which users log in with several methods. A *rule* names methods; a login that was made with all methods of one
 * rule is complete. Methods that the service does not know are passed over, and so are rules that are left without any:
 * a mistake in a rule must not lock a user out. Without rules, or switched off, any one method is enough.
 */
import type { UserOptions } from '../../contract/user.ts'

export type MfaRule = readonly string[]

export function rulesOf(options: UserOptions, known: (method: string) => boolean): MfaRule[] {
  if (options.multi_factor_auth_enabled === false) return []
  const rules = options.multi_factor_auth_rules ?? []
  return rules.map(rule => [...new Set(rule.filter(known))]).filter(rule => rule.length > 0)
}

export const isSatisfied = (rules: readonly MfaRule[], proved: readonly string[]): boolean =>
  rules.length === 0 || rules.some(rule => rule.every(method => proved.includes(method)))

/** The rules that these methods are the beginning of. */
export const begunRules = (rules: readonly MfaRule[], proved: readonly string[]): MfaRule[] =>
  rules.filter(rule => rule.some(method => proved.includes(method)))
