/** RBAC policies. */
import { neutron } from '@strata/toolkit/dialect'
import { derive, type Hooks } from '@strata/toolkit/resource'
import type { Operation } from '@strata/toolkit/service'
import { rbacPolicyNotFound } from '../contract/faults.ts'
import { rbacPolicy } from '../contract/rbac-policy.ts'
import type { NetworkDeps } from '../logic/deps.ts'
import { claim } from '../logic/quota.ts'
import { beforeCreatePolicy, beforeUpdatePolicy, followPolicies, refuseWhileUsed } from '../logic/rbac-policy.ts'
import { ownRows } from '../logic/visibility.ts'

export function rbacPolicyOperations(deps: NetworkDeps): Operation[] {
  const hooks: Hooks<typeof rbacPolicy.fields> = {
    restrict: context => ownRows(context, 'get_rbac_policy'),
    missing: rbacPolicyNotFound,
    async beforeCreate(body, scene) {
      await claim(deps, scene.tx, body.project_id ?? '', { rbac_policy: 1 })
      await beforeCreatePolicy(scene, body)
      return {}
    },
    afterCreate: (row, scene) => followPolicies(deps, scene, row.object_id),
    async beforeUpdate(row, body, scene) {
      await beforeUpdatePolicy(scene, row, body.target_tenant)
      return {}
    },
    afterUpdate: (row, _before, scene) => followPolicies(deps, scene, row.object_id),
    beforeDelete: (row, scene) => refuseWhileUsed(scene, row),
    afterDelete: (row, scene) => followPolicies(deps, scene, row.object_id),
  }
  return derive(rbacPolicy, { store: deps.store, dialect: neutron, runtime: deps.runtime, hooks, maxLimit: 1000 })
}
