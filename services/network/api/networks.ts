/** Networks and subnets. */

import { type Hooks, isTrue } from '@strata/toolkit/resource'
import type { Operation } from '@strata/toolkit/service'
import { networkNotFound, subnetNotFound } from '../contract/faults.ts'
import { network } from '../contract/network.ts'
import { subnet } from '../contract/subnet.ts'
import { countChange, type NetworkDeps, type NetworkRow, touch } from '../logic/deps.ts'
import { beforeCreateNetwork, beforeDeleteNetwork, beforeUpdateNetwork, subnetIdsOf } from '../logic/network.ts'
import { followFlags } from '../logic/rbac-policy.ts'
import {
  afterCreateSubnet,
  afterDeleteSubnet,
  afterUpdateSubnet,
  beforeCreateSubnet,
  beforeDeleteSubnet,
  beforeUpdateSubnet,
} from '../logic/subnet.ts'
import {
  aspectForNew,
  isSharedWith,
  networkAspect,
  sharedNetworksOnly,
  visibleNetworks,
  visibleSubnets,
} from '../logic/visibility.ts'
import { serve } from './kit.ts'

type WithId<T> = T & { readonly id: string }

export function networkOperations(deps: NetworkDeps): Operation[] {
  const hooks: Hooks<typeof network.fields> = {
    restrict: visibleNetworks,
    missing: networkNotFound,
    async target(values, context, db) {
      const about = { ...values, tenant_id: values['project_id'] }
      if (values['project_id'] === context.projectId || typeof values['id'] !== 'string') return about
      return { ...about, shared: await isSharedWith(db, values as NetworkRow, context.projectId) }
    },
    async decorate(rows, _request, db) {
      const subnets = await subnetIdsOf(
        db,
        rows.map(row => row.id),
      )
      return rows.map(row => ({
        ...row,
        availability_zones: [deps.settings.availability_zone],
        ipv4_address_scope: null,
        ipv6_address_scope: null,
        subnets: subnets.get(row.id) ?? [],
      }))
    },
    beforeCreate: (body, scene) => beforeCreateNetwork(deps, scene, body as WithId<typeof body>),
    async afterCreate(row, scene) {
      if (row.shared || row['router:external']) await followFlags(deps, scene, row)
      touch(deps, scene, 'networks', row.id)
    },
    async beforeUpdate(row, body, scene) {
      await beforeUpdateNetwork(deps, scene, row, body)
      return {}
    },
    async afterUpdate(row, before, scene) {
      if (row.shared !== before.shared || row['router:external'] !== before['router:external'])
        await followFlags(deps, scene, row)
      touch(deps, scene, 'networks', row.id)
    },
    beforeDelete: (row, scene) => beforeDeleteNetwork(deps, scene, row),
  }
  return [...serve(deps, network, hooks).operations, ...subnetOperations(deps)]
}

function subnetOperations(deps: NetworkDeps): Operation[] {
  const hooks: Hooks<typeof subnet.fields> = {
    restrict: visibleSubnets,
    missing: subnetNotFound,
    filters: { shared: values => sharedNetworksOnly(values.map(isTrue)) },
    async target(values, context, db) {
      const networkId = String(values['network_id'])
      const aspect = await (values['id'] ? networkAspect : aspectForNew)(db, context, networkId)
      return { ...values, tenant_id: values['project_id'], ...aspect }
    },
    async decorate(rows, request, db) {
      return Promise.all(
        rows.map(async row => ({
          ...row,
          'router:external': (await networkAspect(db, request.context, row.network_id))?.['router:external'] ?? false,
        })),
      )
    },
    beforeCreate: (body, scene) => beforeCreateSubnet(deps, scene, body, 'gateway_ip' in scene.given),
    async afterCreate(row, scene) {
      await afterCreateSubnet(deps, scene, row)
      await countChange(scene, 'networks', row.network_id)
    },
    beforeUpdate: (row, body, scene) => beforeUpdateSubnet(deps, scene, row, body),
    async afterUpdate(row, before, scene) {
      await afterUpdateSubnet(deps, scene, row, before)
      await countChange(scene, 'networks', row.network_id)
    },
    beforeDelete: (row, scene) => beforeDeleteSubnet(deps, scene, row),
    async afterDelete(row, scene) {
      await afterDeleteSubnet(deps, scene, row)
      await countChange(scene, 'networks', row.network_id)
    },
  }
  return serve(deps, subnet, hooks).operations
}
