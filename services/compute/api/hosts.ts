/**
 * Hosts as `os-hosts` told of them up to version 2.42, before services and hypervisors each had their place: for the scripts
 * that still ask here. Hosts are machines that somebody else starts and stops.
 */
import { notFound, notImplemented } from '@strata/toolkit/fault'
import { type ApiRequest, type Operation, operation } from '@strata/toolkit/service'
import { object } from '../contract/server-requests.ts'
import { type Host, type HostDeps, type HostUse, hosts, updateHost, useOf } from '../logic/host.ts'
import { param } from './lists.ts'

const path = '/v2.1/os-hosts'
const until = 42
const policy = (verb: string): string => `os_compute_api:os-hosts:${verb}`
const toggle = { type: 'string', enum: ['enable', 'disable'] }

interface HostUpdate {
  readonly status?: 'enable' | 'disable'
  readonly maintenance_mode?: 'enable' | 'disable'
}

export function hostOperations(deps: HostDeps): Operation[] {
  return [
    operation({
      method: 'GET',
      path,
      until,
      policy: policy('list'),
      async handler(request) {
        const zone = param(request, 'zone')
        const found = (await hosts(deps)).filter(host => !zone || host.zone === zone)
        return { hosts: found.map(host => ({ host_name: host.hostname, service: 'compute', zone: host.zone })) }
      },
    }),
    operation({
      method: 'GET',
      path: `${path}/:name`,
      until,
      policy: policy('show'),
      handler: async request => ({ host: resources(await named(deps, request)) }),
    }),
    operation<HostUpdate>({
      method: 'PUT',
      path: `${path}/:name`,
      until,
      policy: policy('update'),
      body: { ...object({ status: toggle, maintenance_mode: toggle }), minProperties: 1 },
      async handler(request) {
        const host = await named(deps, request)
        const { status, maintenance_mode: maintenance } = request.body
        if (maintenance !== undefined) throw notImplemented('Virt driver does not implement host maintenance mode.')
        await updateHost(deps, host.id, { enabled: status === 'enable' })
        return { host: host.hostname, status: `${status}d` }
      },
    }),
    ...(['startup', 'shutdown', 'reboot'] as const).map(verb =>
      operation({
        method: 'GET',
        path: `${path}/:name/${verb}`,
        until,
        policy: policy(verb === 'startup' ? 'start' : verb),
        async handler(request) {
          await named(deps, request)
          throw notImplemented('Virt driver does not implement host power management.')
        },
      }),
    ),
  ]
}

async function named(deps: HostDeps, { params }: ApiRequest): Promise<Host> {
  const found = (await hosts(deps)).find(host => host.hostname === params['name'])
  if (!found) throw notFound(`Compute host ${params['name']} could not be found.`, 'ComputeHostNotFound')
  return found
}

/** All that the host has, what its servers hold, and the part of each project in that. */
function resources(host: Host): readonly object[] {
  const row = (project: string, { vcpus, memoryMiB, diskGiB }: HostUse) => ({
    resource: { host: host.hostname, project, cpu: vcpus, memory_mb: memoryMiB, disk_gb: diskGiB },
  })
  const byProject = Map.groupBy(host.servers, server => server.projectId)
  return [
    row('(total)', host.capacity),
    row('(used_now)', useOf(host)),
    ...[...byProject].map(([project, servers]) => row(project, useOf({ servers }))),
  ]
}
