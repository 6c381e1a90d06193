/** `GET /v3/role_assignments`. */
import { badRequest } from '@strata/toolkit/fault'
import { pageOf, parsePaging } from '@strata/toolkit/resource'
import { type ApiRequest, type Operation, operation } from '@strata/toolkit/service'
import type { RoleAssignment } from '../contract/assignment.ts'
import { dialect } from '../contract/errors.ts'
import { type AssignmentQuery, findAssignments } from '../logic/assignment/list.ts'
import { type Names, namesOf } from '../logic/assignment/names.ts'
import { findProjectFacts } from '../logic/assignment/reachable.ts'
import { type Parts, validityOf } from '../logic/parts.ts'
import type { Assignment } from '../logic/rules/assignments.ts'

export function roleAssignmentOperations(parts: Parts): Operation[] {
  const { db } = parts.store
  return [
    operation({
      method: 'GET',
      path: '/v3/role_assignments',
      async handler(request) {
        const { context } = request
        const query = readQuery(request)
        const project = query.projectId === undefined ? undefined : await findProjectFacts(db, query.projectId)
        const rule = query.subtree ? 'identity:list_role_assignments_for_tree' : 'identity:list_role_assignments'
        // Of a tree the domain that it is of is asked about; of other lists the caller's, to which they are narrowed.
        const domainId = query.subtree ? project?.domain_id : context.domainId
        context.enforce(rule, { target: { domain_id: domainId || undefined, project } })
        if (query.subtree && query.projectId === undefined)
          throw badRequest('scope.project.id must be specified if include_subtree is also specified')
        const { limit, marker } = parsePaging(request.query)
        const most = Math.min(limit ?? parts.config.max_list_limit, parts.config.max_list_limit)
        const { assignments, next } = await findAssignments(
          db,
          { ...query, validity: validityOf(parts) },
          { limit: most, marker },
        )
        const names = flag(request, 'include_names') ? await namesOf(db, assignments) : undefined
        return {
          role_assignments: assignments.map(one => view(one, names, request.baseUrl)),
          ...dialect.pageLinks('role_assignments', pageOf(request, { next })),
        }
      },
    }),
  ]
}

const text = ({ query }: ApiRequest, name: string): string | undefined => [query[name]].flat().at(-1)

/** Named without a value, or with one that does not say no. */
const flag = (request: ApiRequest, name: string): boolean => {
  const value = text(request, name)
  return value !== undefined && !/^(0|false|no|off)$/i.test(value)
}

function readQuery(request: ApiRequest): AssignmentQuery {
  const id = (name: string) => text(request, name) || undefined
  const inheritedTo = text(request, 'scope.OS-INHERIT:inherited_to')
  const query: AssignmentQuery = {
    userId: id('user.id'),
    groupId: id('group.id'),
    roleId: id('role.id'),
    projectId: id('scope.project.id'),
    domainId: id('scope.domain.id'),
    system: id('scope.system') !== undefined,
    inherited: inheritedTo === undefined ? undefined : inheritedTo === 'projects',
    effective: flag(request, 'effective'),
    subtree: flag(request, 'include_subtree'),
    withinDomain: request.context.scope === 'domain' ? request.context.domainId : undefined,
  }
  refuseContradictions(query)
  return query
}

function refuseContradictions(query: AssignmentQuery): void {
  const refuse = (contradiction: boolean, message: string) => {
    if (contradiction) throw badRequest(message, 'ValidationError')
  }
  const places = [query.projectId !== undefined, query.domainId !== undefined, query.system].filter(Boolean).length
  refuse(places > 1, 'Specify one of scope.project.id, scope.domain.id and scope.system, not several')
  refuse(query.userId !== undefined && query.groupId !== undefined, 'Specify a user or group, not both')
  if (!query.effective) return
  refuse(query.groupId !== undefined, 'Combining effective and group filter will always result in an empty list.')
  refuse(
    query.inherited === true && query.domainId !== undefined,
    'Combining effective, domain and inherited filters will always result in an empty list.',
  )
}

function view(one: Assignment, names: Names | undefined, baseUrl: string): RoleAssignment {
  const named = (kind: 'user' | 'group' | 'project' | 'role', id: string) => ({ id, ...names?.of(kind, id) })
  const { target_type: target, target_id: targetId, through } = one
  const fromAbove = through?.project !== undefined || through?.domain !== undefined
  const domainName = names && target === 'domain' ? { name: names.of('project', targetId).name } : {}
  return {
    role: named('role', one.role_id),
    [one.actor_type]: named(one.actor_type, one.actor_id),
    scope: {
      ...(target === 'project' && { project: named('project', targetId) }),
      ...(target === 'domain' && { domain: { id: targetId, ...domainName } }),
      ...(target === 'system' && { system: { all: true } }),
      ...((one.inherited === 1 || fromAbove) && { 'OS-INHERIT:inherited_to': 'projects' }),
    },
    links: links(one, `${baseUrl}/v3`),
  }
}

/** Where the assignment was made, and by which membership or implication it reached this actor and role. */
function links(one: Assignment, root: string): Record<string, string> {
  const { through } = one
  const place =
    through?.domain !== undefined
      ? `/domains/${through.domain}`
      : through?.project !== undefined
        ? `/projects/${through.project}`
        : one.target_type === 'system'
          ? '/system'
          : `/${one.target_type}s/${one.target_id}`
  const actor = through?.group === undefined ? `/${one.actor_type}s/${one.actor_id}` : `/groups/${through.group}`
  const inherited = one.inherited === 1 || through?.domain !== undefined || through?.project !== undefined
  const path = `${place}${actor}/roles/${through?.prior ?? one.role_id}`
  return {
    assignment: inherited ? `${root}/OS-INHERIT${path}/inherited_to_projects` : `${root}${path}`,
    ...(through?.group !== undefined && { membership: `${root}/groups/${through.group}/users/${one.actor_id}` }),
    ...(through?.prior !== undefined && { prior_role: `${root}/prior_role/${through.prior}/implies/${one.role_id}` }),
  }
}
