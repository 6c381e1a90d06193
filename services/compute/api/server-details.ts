/** Smaller things that can be asked of one server: its security groups, its password, its volumes. */
import { notFound } from '@strata/toolkit/fault'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import type { Compute } from '../logic/compute.ts'
import { serverFor } from '../logic/server/access.ts'
import { securityGroupsOf } from '../logic/server/request-groups.ts'
import { groupView } from './security-group-view.ts'

export function serverDetailOperations(compute: Compute): readonly Operation[] {
  const find = (request: ApiRequest, rule: string) =>
    serverFor(compute, request.context, { id: request.params['server_id']!, rule })
  const password = 'os_compute_api:os-server-password'
  const volumes = 'os_compute_api:os-volumes-attachments'
  return [
    operation({
      method: 'GET',
      path: '/v2.1/servers/:server_id/os-security-groups',
      policy: 'os_compute_api:os-security-groups:list',
      async handler(request) {
        const groups = await securityGroupsOf(compute, request.context, request.params['server_id']!)
        return { security_groups: groups.map(group => groupView(group, groups)) }
      },
    }),
    operation({
      method: 'GET',
      path: '/v2.1/servers/:server_id/os-server-password',
      policy: `${password}:show`,
      async handler(request) {
        await find(request, `${password}:show`)
        // A guest can post one to the metadata service of EC2's kind, which is not offered: there never is one.
        return { password: '' }
      },
    }),
    operation({
      method: 'DELETE',
      path: '/v2.1/servers/:server_id/os-server-password',
      policy: `${password}:clear`,
      async handler(request) {
        await find(request, `${password}:clear`)
        return reply(204)
      },
    }),
    operation({
      method: 'GET',
      path: '/v2.1/servers/:server_id/os-volume_attachments',
      policy: `${volumes}:index`,
      async handler(request) {
        await find(request, `${volumes}:index`)
        // Without block storage no server has a volume.
        return { volumeAttachments: [] }
      },
    }),
    operation({
      method: 'GET',
      path: '/v2.1/servers/:server_id/os-volume_attachments/:volume_id',
      policy: `${volumes}:show`,
      async handler(request) {
        const server = await find(request, `${volumes}:show`)
        throw notFound(`Instance ${server.id} is not attached to volume ${request.params['volume_id']}`)
      },
    }),
  ]
}
