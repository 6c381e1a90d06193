/** Which roles follow from which. */
export interface ImpliedBy {
  readonly prior_role_id: string
  readonly implied_role_id: string
}

/** The roles themselves and all that they imply, near or far; each with the role it first came from. */
export function withImplied(roleIds: Iterable<string>, rules: readonly ImpliedBy[]): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>([...roleIds].map(id => [id, undefined]))
  for (const prior of found.keys())
    for (const rule of rules)
      if (rule.prior_role_id === prior && !found.has(rule.implied_role_id)) found.set(rule.implied_role_id, prior)
  return found
}

/** True when `implied` already leads back to `prior`: the rule would close a circle. */
export function wouldCircle(prior: string, implied: string, rules: readonly ImpliedBy[]): boolean {
  return withImplied([implied], rules).has(prior)
}
