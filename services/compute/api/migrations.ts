/** Migrations of servers between hosts. Nothing here moves servers, so that there are none to list. */
import { type Operation, operation } from '@strata/toolkit/service'
import { param, parameters } from './lists.ts'

export function migrationOperations(): Operation[] {
  const names = ['hidden', 'host', 'instance_uuid', 'source_compute', 'status', 'migration_type']
  const paged = [...names, 'limit', 'marker', 'changes-since', 'changes-before', 'user_id', 'project_id']
  return [
    operation({
      method: 'GET',
      path: '/v2.1/os-migrations',
      policy: 'os_compute_api:os-migrations:index',
      query: parameters(paged, 59),
      handler(request) {
        if (param(request, 'host') !== undefined) request.context.enforce('os_compute_api:os-migrations:index:host')
        return { migrations: [] }
      },
    }),
  ]
}
