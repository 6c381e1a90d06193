/**
 * What an operator's `policy.yaml` may say: check strings for rules that exist, and for *aliases*, rules of the operator's own
 * that other check strings of the file refer to. Anything else is a misspelling, and one that is let through unnoticed
 * leaves a door open that the operator believes shut.
 */

/** The names that a check string refers to by `rule:NAME`. */
export const references = (check: string): string[] =>
  [...check.matchAll(/(?:^|[\s(])rule:([^\s()]+)/g)].map(([, name]) => name!)

/** A sentence about the first override that means nothing; undefined when all are good. `names` are the rules that are asked for. */
export function misspelling(names: Iterable<string>, overrides: Readonly<Record<string, string>>): string | undefined {
  const known = new Set(names)
  const used = new Set(
    Object.entries(overrides).flatMap(([name, check]) => references(check).filter(to => to !== name)),
  )
  for (const name of Object.keys(overrides))
    if (!known.has(name) && !used.has(name)) return `there is no policy rule ${name}${hint(name, known)}`
  for (const [name, check] of Object.entries(overrides))
    for (const to of references(check))
      if (!known.has(to) && !Object.hasOwn(overrides, to))
        return `policy rule ${name} refers to ${to}, which is no rule${hint(to, [...known, ...Object.keys(overrides)])}`
  return undefined
}

function hint(name: string, known: Iterable<string>): string {
  const [nearest] = [...known]
    .map(candidate => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance)
  return nearest && nearest.distance <= Math.max(2, name.length / 3) ? `; did you mean ${nearest.candidate}?` : ''
}

/** Levenshtein's: how many letters to put in, take out or change. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
