/** Ports. */
import { badRequest } from '@strata/toolkit/fault'
import type { Hooks } from '@strata/toolkit/resource'
import type { Operation } from '@strata/toolkit/service'
import { portNotFound } from '../contract/faults.ts'
import { port } from '../contract/port.ts'
import { isAdmin, isService, type NetworkDeps, type PortRow, touch } from '../logic/deps.ts'
import { beforeCreatePort, beforeDeletePort, beforeUpdatePort } from '../logic/port/port.ts'
import { fixedIpCondition, groupCondition, seatsOf } from '../logic/port/view.ts'
import { aspectForNew, networkAspect, visiblePorts } from '../logic/visibility.ts'
import { serve } from './kit.ts'

/** What the OVN mechanism of Neutron tells of a bound port. */
const VIF_DETAILS = {
  port_filter: true,
  connectivity: 'l2',
  bridge_name: 'br-int',
  datapath_type: 'system',
  bound_drivers: { '0': 'ovn' },
}

export function portOperations(deps: NetworkDeps): Operation[] {
  const hooks: Hooks<typeof port.fields> = {
    restrict: visiblePorts,
    missing: portNotFound,
    filters: { fixed_ips: values => fixedIpCondition(values), security_groups: values => groupCondition(values) },
    async target(values, context, db) {
      const networkId = String(values['network_id'])
      const aspect = await (values['id'] ? networkAspect : aspectForNew)(db, context, networkId)
      return { ...values, tenant_id: values['project_id'], ...aspect }
    },
    async decorate(rows, _request, db) {
      const { addresses, groups } = await seatsOf(db, rows)
      return rows.map(row => ({
        ...row,
        fixed_ips: addresses.get(row.id) ?? [],
        security_groups: groups.get(row.id) ?? [],
        ...binding(row),
      }))
    },
    async beforeCreate(body, scene) {
      if (body.project_id !== scene.context.projectId && !isAdmin(scene.context) && !isService(scene.context))
        throw badRequest(
          "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin privileges",
          'HTTPBadRequest',
        )
      return beforeCreatePort(deps, scene, body as typeof body & { id: string })
    },
    afterCreate: (row, scene) => touch(deps, scene, 'ports', row.id),
    beforeUpdate: (row, body, scene) => beforeUpdatePort(deps, scene, row, body),
    afterUpdate: (row, _before, scene) => touch(deps, scene, 'ports', row.id),
    beforeDelete: (row, scene) => beforeDeletePort(deps, scene, row),
  }
  return serve(deps, port, hooks).operations
}

function binding(row: PortRow): object {
  const bound = Boolean(row['binding:host_id']) && row['binding:vnic_type'] === 'normal'
  return {
    'binding:vif_type': bound ? 'ovs' : 'unbound',
    'binding:vif_details': bound ? VIF_DETAILS : {},
  }
}
