/**
 * Applies the rules of a mapping to an assertion. Every rule that matches counts: groups add up, the user is that of the first
 * that names one, the projects are those of the last that names some.
 */
import { compileSchema } from '@strata/toolkit/schema'
import {
  type Assertion,
  type DomainRef,
  type Local,
  type MappedProject,
  type MappedUser,
  projectsSchema,
  type Rule,
  type SchemaVersion,
} from '../../../contract/mapping.ts'
import { fillAll, filledProjects, groupIdsIn, groupNamesIn, projectsJson } from './local.ts'
import { type Matches, matchRemote } from './remote.ts'
import { type GroupRef, type Mapped, MappingFailure } from './result.ts'

export { attributesOf, compilePattern } from './remote.ts'
export { type GroupRef, type Mapped, MappingFailure } from './result.ts'

interface Entry {
  readonly local: Local
  readonly matches: Matches
}

/** Throws a `MappingFailure` when no rule matches. */
export function applyMapping(rules: readonly Rule[], assertion: Assertion, version: SchemaVersion): Mapped {
  const entries = rules.flatMap((rule): Entry[] => {
    const matches = matchRemote(rule.remote, assertion)
    return matches ? rule.local.map(local => ({ local, matches })) : []
  })
  if (entries.length === 0)
    throw new MappingFailure(
      'Could not map any federated user properties to identity values. Check debug logs or the mapping used for additional details.',
    )
  const groups = entries.flatMap(({ local, matches }) => groupNamesIn(local, matches))
  return {
    user: userOf(entries, version),
    groupIds: [...new Set(entries.flatMap(({ local, matches }) => groupIdsIn(local, matches)))],
    groups: [...new Map(groups.map(group => [groupKey(group), group])).values()],
    projects: projectsOf(entries, version),
  }
}

const groupKey = ({ name, domain }: GroupRef): string => JSON.stringify([name, domain.id, domain.name])

function userOf(entries: readonly Entry[], version: SchemaVersion): Mapped['user'] {
  const found = entries.find(({ local }) => local.user && Object.keys(local.user).length > 0)
  const user: MappedUser = found ? fillAll(found.local.user!, found.matches) : {}
  const domain = user.domain ?? (version === '1.0' ? undefined : domainFor(found, entries))
  return { ...user, type: user.type ?? 'ephemeral', ...(domain && { domain }) }
}

/** The one beside it, else the first that any matching rule names. */
function domainFor(entry: Entry | undefined, entries: readonly Entry[]): DomainRef | undefined {
  const from = entry?.local.domain ? entry : entries.find(({ local }) => local.domain)
  return from && fillAll(from.local.domain, from.matches)
}

function projectsOf(entries: readonly Entry[], version: SchemaVersion): readonly MappedProject[] {
  const entry = entries.findLast(({ local }) => local.projects || (version === '3.0' && local.projects_json))
  if (!entry) return []
  const { local, matches } = entry
  const listed = version === '3.0' && local.projects_json ? checked(projectsJson(local.projects_json, matches)) : []
  const projects = [...filledProjects(local, matches), ...listed]
  if (version === '1.0' || !local.domain) return projects
  const domain = fillAll(local.domain, matches)
  return projects.map(project => ({ ...project, domain: project.domain ?? domain }))
}

const violations = compileSchema(projectsSchema)

function checked(projects: unknown): readonly MappedProject[] {
  const [wrong] = violations(projects)
  if (wrong) throw new MappingFailure(`Error validating 'projects_json': ${wrong.field} ${wrong.problem}`)
  return projects as readonly MappedProject[]
}
