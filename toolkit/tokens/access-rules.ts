/**
 * Access rules: the requests for which an application credential may be used, each a service, a method and a path. In a path
 * `*` and `{name}` stand for one part, `**` for any number of them.
 */
export interface AccessRule {
  /** Type of the service: `compute`. */
  readonly service: string
  readonly method: string
  /** Below the service's root: `/v2.1/servers/{id}/ips`. */
  readonly path: string
}

/** True when one of the rules names the request. */
export function permits(rules: readonly AccessRule[], asked: AccessRule): boolean {
  return rules.some(
    rule => rule.service === asked.service && rule.method === asked.method && matchesPath(rule.path, asked.path),
  )
}

const parts = (path: string): readonly string[] => path.split('/').filter(part => part !== '')

function matchesPath(pattern: string, path: string): boolean {
  return matchesParts(parts(pattern), parts(path))
}

/** Compared part by part, never by a regular expression made of what somebody wrote. */
function matchesParts(wanted: readonly string[], have: readonly string[]): boolean {
  // How far into `have` the parts of the pattern that were looked at can reach.
  let reached = new Set([0])
  for (const part of wanted) {
    const next = new Set<number>()
    for (const at of reached) {
      if (part === '**') for (let to = at; to <= have.length; to++) next.add(to)
      else if (at < have.length && (isWildcard(part) || part === have[at])) next.add(at + 1)
    }
    reached = next
  }
  return reached.has(have.length)
}

const isWildcard = (part: string): boolean => part === '*' || /^\{[^{}]*\}$/.test(part)
