/** Host aggregates. */
import { badRequest } from '@strata/toolkit/fault'
import { toNaive } from '@strata/toolkit/runtime'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import {
  type Aggregate,
  aggregateCreation,
  aggregateHost,
  aggregateMetadata,
  aggregateUpdate,
  zoneKey,
} from '../contract/aggregate.ts'
import {
  type AggregateDeps,
  addHost,
  aggregates,
  createAggregate,
  deleteAggregate,
  needAggregate,
  removeHost,
  setAggregateMetadata,
  updateAggregate,
} from '../logic/aggregate.ts'

const policy = (verb: string): string => `os_compute_api:os-aggregates:${verb}`
type Given = { name?: string; availability_zone?: string | null }

export function aggregateOperations(deps: AggregateDeps): Operation[] {
  const path = '/v2.1/os-aggregates'
  return [
    operation({
      method: 'GET',
      path,
      policy: policy('index'),
      handler: async request => ({ aggregates: (await aggregates(deps)).map(one => view(request, one)) }),
    }),
    operation<{ aggregate: { name: string; availability_zone?: string | null } }>({
      method: 'POST',
      path,
      policy: policy('create'),
      body: aggregateCreation,
      async handler(request) {
        const { hosts, metadata, ...rest } = view(request, await createAggregate(deps, request.body.aggregate))
        return { aggregate: rest }
      },
    }),
    operation({
      method: 'GET',
      path: `${path}/:id`,
      policy: policy('show'),
      handler: async request => ({ aggregate: view(request, await needAggregate(deps, idOf(request))) }),
    }),
    operation<{ aggregate: Given }>({
      method: 'PUT',
      path: `${path}/:id`,
      policy: policy('update'),
      body: aggregateUpdate,
      handler: async request => ({
        aggregate: view(request, await updateAggregate(deps, idOf(request), request.body.aggregate)),
      }),
    }),
    operation({
      method: 'DELETE',
      path: `${path}/:id`,
      policy: policy('delete'),
      async handler(request) {
        await deleteAggregate(deps, idOf(request))
        return reply(200)
      },
    }),
    ...actions(deps, `${path}/:id/action`),
  ]
}

function actions(deps: AggregateDeps, path: string): Operation[] {
  return [
    operation<{ add_host: { host: string } }>({
      method: 'POST',
      path,
      action: 'add_host',
      policy: policy('add_host'),
      body: aggregateHost('add_host'),
      handler: async request => ({
        aggregate: view(request, await addHost(deps, idOf(request), request.body.add_host.host)),
      }),
    }),
    operation<{ remove_host: { host: string } }>({
      method: 'POST',
      path,
      action: 'remove_host',
      policy: policy('remove_host'),
      body: aggregateHost('remove_host'),
      handler: async request => ({
        aggregate: view(request, await removeHost(deps, idOf(request), request.body.remove_host.host)),
      }),
    }),
    operation<{ set_metadata: { metadata: Record<string, string | null> } }>({
      method: 'POST',
      path,
      action: 'set_metadata',
      policy: policy('set_metadata'),
      body: aggregateMetadata,
      handler: async request => ({
        aggregate: view(request, await setAggregateMetadata(deps, idOf(request), request.body.set_metadata.metadata)),
      }),
    }),
  ]
}

function idOf({ params }: ApiRequest): number {
  // A negative number is a number, of which there is no aggregate.
  if (!/^-?\d{1,10}$/.test(params['id']!)) throw badRequest('Invalid input received: id must be an integer')
  return Number(params['id'])
}

const view = ({ minor }: ApiRequest, aggregate: Aggregate) => ({
  id: aggregate.id,
  ...(minor >= 41 ? { uuid: aggregate.uuid } : {}),
  name: aggregate.name,
  availability_zone: aggregate.metadata[zoneKey] ?? null,
  hosts: aggregate.hosts,
  metadata: aggregate.metadata,
  created_at: toNaive(aggregate.created_at),
  updated_at: aggregate.updated_at === null ? null : toNaive(aggregate.updated_at),
  deleted: false,
  deleted_at: null,
})
