/**
 * Security groups as compute's own API showed them before there was a network service: to be read only, in the caller's name,
 * since Debian's client still looks here for the group that it adds to a server.
 */
import { notFound } from '@strata/toolkit/fault'
import { type ApiRequest, type Operation, operation } from '@strata/toolkit/service'
import type { Compute } from '../logic/compute.ts'
import type { CallerSecurityGroup } from '../logic/ports/caller.ts'

export function securityGroupOperations(compute: Compute): Operation[] {
  const path = '/v2.1/os-security-groups'
  const known = ({ context }: ApiRequest) => compute.asCaller(context).securityGroups(context.projectId ?? '')
  return [
    operation({
      method: 'GET',
      path,
      until: 35,
      policy: 'os_compute_api:os-security-groups:get',
      async handler(request) {
        const groups = await known(request)
        return { security_groups: groups.map(group => groupView(group, groups)) }
      },
    }),
    operation({
      method: 'GET',
      path: `${path}/:id`,
      until: 35,
      policy: 'os_compute_api:os-security-groups:show',
      async handler(request) {
        const groups = await known(request)
        const { id } = request.params
        const group = groups.find(one => one.id === id)
        if (!group) throw notFound(`Security group ${id} not found.`)
        return { security_group: groupView(group, groups) }
      },
    }),
  ]
}

/** One group; `known` are those that its rules may name. */
export const groupView = (group: CallerSecurityGroup, known: readonly CallerSecurityGroup[]) => ({
  id: group.id,
  name: group.name,
  description: group.description,
  tenant_id: group.projectId,
  rules: group.rules.flatMap(rule =>
    rule.direction === 'egress'
      ? []
      : {
          id: rule.id,
          parent_group_id: group.id,
          ip_protocol: rule.protocol,
          from_port: rule.portMin,
          to_port: rule.portMax,
          group:
            rule.remoteGroupId === null
              ? {}
              : { name: known.find(one => one.id === rule.remoteGroupId)?.name, tenant_id: group.projectId },
          ip_range: rule.remoteGroupId === null ? { cidr: rule.remotePrefix ?? '0.0.0.0/0' } : {},
        },
  ),
})
