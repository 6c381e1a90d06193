/** The strict two-level model: no project's limit is above its domain's. -1 is above all others. */
const unlimited = -1

const exceeds = (limit: number, bound: number): boolean => bound !== unlimited && (limit === unlimited || limit > bound)

/** What is wrong with a limit of a project; `domain`: that of its domain. */
export function projectLimitProblem(limit: number, domain: number): string | undefined {
  return exceeds(limit, domain) ? `resource_limit ${limit} is above that of the domain: ${domain}` : undefined
}

/** What is wrong with a limit of a domain; `projects`: those of its projects. */
export function domainLimitProblem(limit: number, projects: readonly number[]): string | undefined {
  const above = projects.find(one => exceeds(one, limit))
  return above === undefined ? undefined : `resource_limit ${limit} is below that of a project of the domain: ${above}`
}
