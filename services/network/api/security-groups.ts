/** Security groups and their rules. */
import type { Hooks } from '@strata/toolkit/resource'
import { toSeconds } from '@strata/toolkit/runtime'
import type { ApiRequest, Operation } from '@strata/toolkit/service'
import { securityGroupNotFound, securityGroupRuleNotFound } from '../contract/faults.ts'
import { securityGroup, securityGroupRule } from '../contract/security-group.ts'
import { type NetworkDeps, type SecurityGroupRuleRow, touch } from '../logic/deps.ts'
import { canonicalProtocol, normalizedCidr } from '../logic/rules/security-group-rule.ts'
import {
  addInitialRules,
  beforeCreateGroup,
  beforeCreateRule,
  beforeDeleteGroup,
  beforeUpdateGroup,
  defaultGroupOf,
  ensureDefaultGroup,
  groupOwner,
  rulesOf,
} from '../logic/security-group.ts'
import { ownRows, visibleRules } from '../logic/visibility.ts'
import { serve } from './kit.ts'

export function securityGroupOperations(deps: NetworkDeps): Operation[] {
  const groups: Hooks<typeof securityGroup.fields> = {
    restrict: context => ownRows(context, 'get_security_group'),
    missing: securityGroupNotFound,
    async decorate(rows, _request, db) {
      const rules = await rulesOf(
        db,
        rows.map(row => row.id),
      )
      return rows.map(row => ({
        ...row,
        shared: false,
        security_group_rules: (rules.get(row.id) ?? []).map(wholeRule),
      }))
    },
    async beforeCreate(body, scene) {
      await beforeCreateGroup(deps, scene, body)
      return {}
    },
    async afterCreate(row, scene) {
      await addInitialRules(deps, scene, row, false)
      touch(deps, scene, 'security_groups', row.id)
    },
    async beforeUpdate(row, body, scene) {
      await beforeUpdateGroup(scene, row, body)
      return {}
    },
    afterUpdate: (row, _before, scene) => touch(deps, scene, 'security_groups', row.id),
    beforeDelete: (row, scene) => beforeDeleteGroup(deps, scene, row),
  }
  const rules: Hooks<typeof securityGroupRule.fields> = {
    restrict: visibleRules,
    missing: securityGroupRuleNotFound,
    filters: {
      protocol: values => eb =>
        eb(
          'protocol',
          'in',
          values.map(value => JSON.stringify(canonicalProtocol(value))),
        ),
    },
    async target(values, context, db) {
      const owner = await groupOwner(db, String(values['security_group_id']))
      // On creation the rule's owner follows from the group; a group of others is as if it were not there.
      if (owner === undefined || (owner !== context.projectId && !context.can('context_is_admin', {})))
        throw securityGroupNotFound(String(values['security_group_id']))
      return { ...values, 'security_group:project_id': owner, 'security_group:tenant_id': owner }
    },
    decorate: rows => rows.map(shownRule),
    beforeCreate: (body, scene) => beforeCreateRule(deps, scene, body),
    afterCreate: (row, scene) => touch(deps, scene, 'security_group_rules', row.id),
    beforeDelete: (row, scene) => touch(deps, scene, 'security_group_rules', row.id),
  }
  return [
    ...serve(deps, securityGroup, groups).operations,
    ...serve(deps, securityGroupRule, rules, { untagged: true }).operations,
  ].map(operation =>
    operation.method === 'GET' && /^\/v2\.0\/security-group(s|-rules)$/.test(operation.path)
      ? { ...operation, handler: withDefaultGroup(deps, operation.handler) }
      : operation,
  )
}

/** Whoever looks at the groups of their project, or of one that they name, finds the default one, even before it was needed. */
const withDefaultGroup =
  (deps: NetworkDeps, handler: Operation['handler']): Operation['handler'] =>
  async (request: ApiRequest) => {
    const { context, query } = request
    const named = query['project_id'] ?? query['tenant_id']
    const projectId = typeof named === 'string' ? named : context.projectId
    if (
      context.can('get_security_group', { project_id: projectId }) &&
      projectId !== '' &&
      (await defaultGroupOf(deps.store.db, projectId)) === undefined
    )
      await deps.store.transaction((tx, afterCommit) =>
        ensureDefaultGroup(deps, { tx, context, afterCommit }, projectId),
      )
    return handler(request)
  }

/** A rule inside its group has what it has outside: times in seconds, and its project under both names. */
function wholeRule(row: SecurityGroupRuleRow) {
  const { created_at, updated_at, project_id } = row
  const times = { created_at: toSeconds(created_at), updated_at: toSeconds(updated_at) }
  return { ...shownRule(row), ...times, tenant_id: project_id }
}

function shownRule<R extends { readonly remote_ip_prefix: string | null; readonly ethertype: string }>(row: R) {
  return { ...row, normalized_cidr: normalizedCidr(row.remote_ip_prefix, row.ethertype) }
}
